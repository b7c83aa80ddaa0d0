/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"
#include "tests/harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const outcome_labels[] = { "function", "outcome", NULL };
static const struct metrics_about invocations = { "s3n_invocations_total",
                                                  "Invocations, by \\ outcome\nand function.",
                                                  outcome_labels };
static const struct metrics_about instances = { "s3n_instances", "Instances now.", NULL };
static const struct metrics_about durations = { "s3n_invocation_duration_seconds", "Durations.",
                                                NULL };

static const struct metrics_view all;

static void check_text(struct metrics *metrics, const char *expected)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    CHECK(metrics_write(&text, metrics, &all, &error));
    CHECK_BYTES(buffer_view(&text), bytes_of_string(expected));
}

static void counters_and_gauges(void)
{
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct metrics_family *counter = metrics_counter(metrics, &invocations);
    struct metrics_family *gauge = metrics_gauge(metrics, &instances);
    struct metrics_series *done = METRICS_SERIES(counter, "a/b", "done");
    metrics_add(done, 1);
    metrics_add(METRICS_SERIES(counter, "a/b", "done"), 2);
    metrics_add(METRICS_SERIES(counter, "say \"x\"\\\n", "trapped"), 1);
    CHECK_NUMBER(metrics_value(done), 3);
    metrics_mirror(done, 7);
    CHECK_NUMBER(metrics_value(done), 7);
    metrics_mirror(done, 3);
    metrics_set(metrics_only(gauge), 5);
    metrics_add(metrics_only(gauge), 1);
    metrics_subtract(metrics_only(gauge), 8);
    check_text(metrics,
               "# HELP s3n_invocations_total Invocations, by \\\\ outcome\\nand function.\n"
               "# TYPE s3n_invocations_total counter\n"
               "s3n_invocations_total{function=\"a/b\",outcome=\"done\"} 3\n"
               "s3n_invocations_total{function=\"say \\\"x\\\"\\\\\\n\",outcome=\"trapped\"} 1\n"
               "# HELP s3n_instances Instances now.\n"
               "# TYPE s3n_instances gauge\n"
               "s3n_instances -2\n");
}

static void histograms_are_cumulative(void)
{
    static const double bounds[] = { 0.001, 0.5, 10 };
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct metrics_family *family = metrics_histogram(metrics, &durations, bounds, 3);
    struct metrics_series *series = metrics_only(family);
    metrics_observe(series, 0.001); /* bounds are inclusive */
    metrics_observe_ns(series, 250000000);
    metrics_observe(series, 0.25);
    metrics_observe(series, 100);
    CHECK_NUMBER(metrics_value(series), 4);
    check_text(metrics, "# HELP s3n_invocation_duration_seconds Durations.\n"
                        "# TYPE s3n_invocation_duration_seconds histogram\n"
                        "s3n_invocation_duration_seconds_bucket{le=\"0.001\"} 1\n"
                        "s3n_invocation_duration_seconds_bucket{le=\"0.5\"} 3\n"
                        "s3n_invocation_duration_seconds_bucket{le=\"10\"} 3\n"
                        "s3n_invocation_duration_seconds_bucket{le=\"+Inf\"} 4\n"
                        "s3n_invocation_duration_seconds_sum 100.501\n"
                        "s3n_invocation_duration_seconds_count 4\n");
}

static void strangers_cannot_make_it_grow(void)
{
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct metrics_family *counter = metrics_counter(metrics, &invocations);
    char name[32];
    for (unsigned i = 0; i < 3 * METRICS_SERIES_MAX; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        metrics_add(METRICS_SERIES(counter, name, "done"), 1);
    }
    metrics_add(METRICS_SERIES(counter, "f7", "done"), 1);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "f7", "done")), 2);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "other", "other")),
                 2 * METRICS_SERIES_MAX + 1);
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    CHECK(metrics_write(&text, metrics, &all, &error));
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    CHECK_NUMBER(lines, METRICS_SERIES_MAX + 2);
    AUTO_BUFFER struct buffer small;
    buffer_init(&small, 100);
    CHECK(!metrics_write(&small, metrics, &all, &error));
    CHECK(error.code == ERROR_LIMIT);
}

static void label_values_are_cut_and_utf8(void)
{
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct metrics_family *counter = metrics_counter(metrics, &invocations);
    char value[400];
    for (size_t i = 0; i < sizeof(value) - 1; i++)
        value[i] = "\xe2\x82\xac"[i % 3];
    value[sizeof(value) - 1] = '\0';
    metrics_add(METRICS_SERIES(counter, value, "\xff"), 1);
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    CHECK(metrics_write(&text, metrics, &all, &error));
    CHECK(bytes_is_utf8(buffer_view(&text)));
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((char *)text.data, "outcome=\"other\"") != NULL);
    CHECK(strstr((char *)text.data, "function=\"other\"") == NULL);
}

enum {
    THREADS = 4,
    ROUNDS = 20000
};

struct shared {
    struct metrics *metrics;
    struct metrics_family *counter;
    struct metrics_family *histogram;
};

static void *count_many(void *argument)
{
    struct shared *shared = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char name[8];
        snprintf(name, sizeof(name), "f%u", i % 10);
        metrics_add(METRICS_SERIES(shared->counter, name, "done"), 1);
        metrics_observe(metrics_only(shared->histogram), 0.5);
    }
    return NULL;
}

static void threads_lose_nothing(void)
{
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct shared shared = { metrics, metrics_counter(metrics, &invocations),
                             metrics_histogram(metrics, &durations, metrics_seconds,
                                               metrics_seconds_count) };
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, count_many, &shared) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int64_t sum = 0;
    for (unsigned i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof(name), "f%u", i);
        sum += metrics_value(METRICS_SERIES(shared.counter, name, "done"));
    }
    CHECK_NUMBER(sum, THREADS * ROUNDS);
    CHECK_NUMBER(metrics_value(metrics_only(shared.histogram)), THREADS * ROUNDS);
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    CHECK(metrics_write(&text, metrics, &all, &error));
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((char *)text.data, "_sum 40000\n") != NULL);
    CHECK(strstr((char *)text.data, "_count 80000\n") != NULL);
}

/* Everything at once, for promtool where it is installed. */
static void text_pleases_promtool(void)
{
    if (system("command -v promtool >/dev/null 2>&1") != 0)
        SKIP("no promtool");
    AUTO(metrics) struct metrics *metrics = metrics_new();
    metrics_add(METRICS_SERIES(metrics_counter(metrics, &invocations), "a\n\"\\", "done"), 1);
    metrics_set(metrics_only(metrics_gauge(metrics, &instances)), -1);
    metrics_observe(metrics_only(metrics_histogram(metrics, &durations, metrics_seconds,
                                                   metrics_seconds_count)),
                    1e-9);
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    REQUIRE(metrics_write(&text, metrics, &all, &error));
    FILE *checker = popen("promtool check metrics", "w");
    REQUIRE(checker != NULL);
    CHECK(fwrite(text.data, 1, text.size, checker) == text.size);
    CHECK_NUMBER(pclose(checker), 0);
}

static void declare_bad_name(void)
{
    metrics_gauge(metrics_new(), &(struct metrics_about){ "s3n-x", "", NULL });
}

static void declare_counter_without_total(void)
{
    metrics_counter(metrics_new(), &(struct metrics_about){ "s3n_x", "", NULL });
}

static void declare_twice(void)
{
    struct metrics *metrics = metrics_new();
    metrics_gauge(metrics, &instances);
    metrics_gauge(metrics, &instances);
}

static void declare_twice_but_for_total(void)
{
    struct metrics *metrics = metrics_new();
    metrics_gauge(metrics, &(struct metrics_about){ "s3n_x", "", NULL });
    metrics_counter(metrics, &(struct metrics_about){ "s3n_x_total", "", NULL });
}

static void declare_le(void)
{
    static const char *const labels[] = { "le", NULL };
    metrics_gauge(metrics_new(), &(struct metrics_about){ "s3n_x", "", labels });
}

static void bugs_are_caught(void)
{
    static void (*const bugs[])(void) = { declare_bad_name, declare_counter_without_total,
                                          declare_twice, declare_twice_but_for_total, declare_le };
    for (size_t i = 0; i < ARRAY_COUNT(bugs); i++) {
        pid_t child = fork();
        if (child == 0) {
            close(STDERR_FILENO);
            bugs[i]();
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    }
}

static const struct test tests[] = {
    TEST(counters_and_gauges),
    TEST(histograms_are_cumulative),
    TEST(strangers_cannot_make_it_grow),
    TEST(label_values_are_cut_and_utf8),
    TEST(threads_lose_nothing),
    TEST(text_pleases_promtool),
    TEST(bugs_are_caught),
};
TEST_MAIN(tests)
