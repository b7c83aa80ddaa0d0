/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const labels[] = { "function", "outcome", NULL };
static const char *const function_label[] = { "function", NULL };
static const struct metrics_about invocations = { "s3n_invocations_total", "Say \"when\".",
                                                  labels };
static const struct metrics_about durations = { "s3n_invocation_duration_seconds", "Durations.",
                                                function_label };
static const struct metrics_about ages = { "s3n_age_seconds", "Age.", NULL };
static const struct metrics_about plain = { "s3n_ready", "Ready.", NULL };
static const double bounds[] = { 0.5, 1, 10 };

static struct metrics *make(void)
{
    struct metrics *metrics = metrics_new();
    struct metrics_family *counter = metrics_counter(metrics, &invocations);
    struct metrics_family *histogram = metrics_histogram(metrics, &durations, bounds, 3);
    metrics_add(METRICS_SERIES(counter, "a/f", "done"), 2);
    metrics_add(METRICS_SERIES(counter, "ab/f", "done"), 3);
    struct metrics_exemplar traced = { "0123456789abcdef0123456789abcdef",
                                       "fedcba9876543210fedcba9876543210", 1700000000042 };
    struct metrics_exemplar bare = { "00000000000000000000000000000001", "", 1700000000999 };
    struct metrics_exemplar nameless = { "", "", 1 };
    metrics_observe_example(METRICS_SERIES(histogram, "a/f"), 750000000, &bare);
    metrics_observe_example(METRICS_SERIES(histogram, "a/f"), 900000000, &traced);
    metrics_observe_example(METRICS_SERIES(histogram, "a/f"), 20000000000, &bare);
    metrics_observe_example(METRICS_SERIES(histogram, "a/f"), 100, &nameless);
    metrics_observe(METRICS_SERIES(histogram, "ab/f"), 0.25);
    metrics_set_real(metrics_only(metrics_gauge_real(metrics, &ages)), 1.5);
    metrics_set(metrics_only(metrics_gauge(metrics, &plain)), 1);
    return metrics;
}

static void check(struct metrics *metrics, const struct metrics_view *view, const char *expected)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    CHECK(metrics_write(&text, metrics, view, &error));
    CHECK_BYTES(buffer_view(&text), bytes_of_string(expected));
}

static const char open_text[] =
    "# HELP s3n_invocations Say \\\"when\\\".\n"
    "# TYPE s3n_invocations counter\n"
    "s3n_invocations_total{function=\"a/f\",outcome=\"done\"} 2\n"
    "s3n_invocations_total{function=\"ab/f\",outcome=\"done\"} 3\n"
    "# HELP s3n_invocation_duration_seconds Durations.\n"
    "# TYPE s3n_invocation_duration_seconds histogram\n"
    "# UNIT s3n_invocation_duration_seconds seconds\n"
    "s3n_invocation_duration_seconds_bucket{function=\"a/f\",le=\"0.5\"} 1\n"
    "s3n_invocation_duration_seconds_bucket{function=\"a/f\",le=\"1.0\"} 3 # "
    "{request_id=\"0123456789abcdef0123456789abcdef\","
    "trace_id=\"fedcba9876543210fedcba9876543210\"} 0.9 1700000000.042\n"
    "s3n_invocation_duration_seconds_bucket{function=\"a/f\",le=\"10.0\"} 3\n"
    "s3n_invocation_duration_seconds_bucket{function=\"a/f\",le=\"+Inf\"} 4 # "
    "{request_id=\"00000000000000000000000000000001\"} 20 1700000000.999\n"
    "s3n_invocation_duration_seconds_sum{function=\"a/f\"} 21.6500001\n"
    "s3n_invocation_duration_seconds_count{function=\"a/f\"} 4\n"
    "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"0.5\"} 1\n"
    "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"1.0\"} 1\n"
    "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"10.0\"} 1\n"
    "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"+Inf\"} 1\n"
    "s3n_invocation_duration_seconds_sum{function=\"ab/f\"} 0.25\n"
    "s3n_invocation_duration_seconds_count{function=\"ab/f\"} 1\n"
    "# HELP s3n_age_seconds Age.\n"
    "# TYPE s3n_age_seconds gauge\n"
    "# UNIT s3n_age_seconds seconds\n"
    "s3n_age_seconds 1.5\n"
    "# HELP s3n_ready Ready.\n"
    "# TYPE s3n_ready gauge\n"
    "s3n_ready 1\n"
    "# EOF\n";

static void openmetrics_has_units_and_exemplars(void)
{
    AUTO(metrics) struct metrics *metrics = make();
    check(metrics, &(struct metrics_view){ .is_openmetrics = true }, open_text);
}

/* The parser of Prometheus' Python client, the reference of the format. */
static void openmetrics_pleases_its_reference(void)
{
    if (system("/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null") !=
        0)
        SKIP("no prometheus_client for Python");
    FILE *checker = popen("/usr/bin/python3 -c 'import sys\n"
                          "from prometheus_client.openmetrics.parser import *\n"
                          "list(text_string_to_metric_families(sys.stdin.read()))'",
                          "w");
    REQUIRE(checker != NULL);
    CHECK(fwrite(open_text, 1, sizeof(open_text) - 1, checker) == sizeof(open_text) - 1);
    CHECK_NUMBER(pclose(checker), 0);
}

static void a_view_shows_its_own_alone(void)
{
    AUTO(metrics) struct metrics *metrics = make();
    check(metrics, &(struct metrics_view){ .label = "function", .begins = "ab/" },
          "# HELP s3n_invocations_total Say \"when\".\n"
          "# TYPE s3n_invocations_total counter\n"
          "s3n_invocations_total{function=\"ab/f\",outcome=\"done\"} 3\n"
          "# HELP s3n_invocation_duration_seconds Durations.\n"
          "# TYPE s3n_invocation_duration_seconds histogram\n"
          "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"0.5\"} 1\n"
          "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"1\"} 1\n"
          "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"10\"} 1\n"
          "s3n_invocation_duration_seconds_bucket{function=\"ab/f\",le=\"+Inf\"} 1\n"
          "s3n_invocation_duration_seconds_sum{function=\"ab/f\"} 0.25\n"
          "s3n_invocation_duration_seconds_count{function=\"ab/f\"} 1\n");
    check(metrics, &(struct metrics_view){ .label = "function", .begins = "b/" }, "");
}

static void what_is_forgotten_begins_anew(void)
{
    AUTO(metrics) struct metrics *metrics = metrics_new();
    struct metrics_family *counter = metrics_counter(metrics, &invocations);
    const struct metrics_view of_a = { .label = "function", .begins = "a/" };
    char name[32];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%s/f%u", i % 3 == 0 ? "a" : "b", i);
        metrics_add(METRICS_SERIES(counter, name, "done"), 1);
    }
    metrics_forget(metrics, &of_a);
    check(metrics, &of_a, "");
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "b/f1", "done")), 1);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "b/f299", "done")), 1);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "a/f0", "done")), 0);
    metrics_add(METRICS_SERIES(counter, "a/f0", "done"), 1);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "a/f0", "done")), 1);
    /* All of them, the last in the list too. */
    metrics_forget(metrics, &(struct metrics_view){ .label = "function", .begins = "" });
    check(metrics, &(struct metrics_view){ 0 }, "");
    metrics_add(METRICS_SERIES(counter, "a/f0", "done"), 1);
    CHECK_NUMBER(metrics_value(METRICS_SERIES(counter, "a/f0", "done")), 1);
}

static void accept_chooses(void)
{
    static const struct {
        const char *accept;
        bool is_open;
    } cases[] = {
        { "", false },
        { "*/*", false },
        { "text/plain", false },
        { "application/openmetrics-text", true },
        { "Application/OpenMetrics-Text; Version=1.0.0 ; charset=utf-8", true },
        { "application/openmetrics-text;version=0.0.1", false },
        /* what Prometheus sends */
        { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
          "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          true },
        { "text/plain;q=0.9, application/openmetrics-text;q=0.5", false },
        { "text/*;q=0.2,application/openmetrics-text;q=0.20", true },
        { "application/openmetrics-text;q=0", false },
        { "application/openmetrics-text;q=1.5", false },
        { "application/openmetrics-text;q=0.", false },
        { "application/openmetrics-text;q=", false },
        { "application/openmetrics-textual", false },
        { ",,,;;;,=", false },
        { ";q=1,application/openmetrics-text", true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_NOTE(metrics_prefers_open(bytes_of_string(cases[i].accept)) == cases[i].is_open, "%s",
                   cases[i].accept);
}

static const struct test tests[] = {
    TEST(openmetrics_has_units_and_exemplars),
    TEST(openmetrics_pleases_its_reference),
    TEST(a_view_shows_its_own_alone),
    TEST(what_is_forgotten_begins_anew),
    TEST(accept_chooses),
};
TEST_MAIN(tests)
