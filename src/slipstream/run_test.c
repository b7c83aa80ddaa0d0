/* SPDX-License-Identifier: Apache-2.0 */
/* `slipstream --run` as a process: streams, exit codes, messages. */
#include "base/file.h"
#include "base/spawn.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUIRE_KVM()                                                                              \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

struct result {
    int code;
    char output[256];
    char errors[256];
    unsigned filter_count; /* of a loop */
};

static void read_text(int descriptor, char *text, size_t size)
{
    size_t got = 0;
    ssize_t part;
    while (got + 1 < size && (part = read(descriptor, text + got, size - 1 - got)) > 0)
        got += (size_t)part;
    text[got] = '\0';
}

/* The most system-call filters that the process was seen with until it has two or ends. */
static unsigned filters_watch(pid_t pid)
{
    char path[64], line[128];
    unsigned most = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    for (unsigned i = 0; i < 1000 && most < 2; i++) {
        unsigned seen = 0;
        FILE *status = fopen(path, "re");
        bool has_ended = status == NULL;
        while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
            has_ended = has_ended || strncmp(line, "State:\tZ", 8) == 0;
            (void)sscanf(line, "Seccomp_filters: %u", &seen);
        }
        if (status != NULL)
            fclose(status);
        if (has_ended)
            break;
        most = MAX(most, seen);
        usleep(5000);
    }
    return most;
}

/* Runs the command with `input` on stdin and collects the rest. */
static bool run(enum test_function command, const char *const *options, const char *input,
                struct result *result)
{
    struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = command, .start = TEST_NONE
    };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    const char *arguments[16] = { "slipstream", "--run",     "--image-fd",
                                  "5",          "--backend", test_backend() };
    unsigned count = 6;
    for (; options != NULL && *options != NULL; options++)
        arguments[count++] = *options;
    arguments[count++] = "--";
    arguments[count++] = "name";
    int in[2], out[2], err[2];
    struct error error;
    if (pipe(in) != 0 || pipe(out) != 0 || pipe(err) != 0)
        return false;
    struct spawn_options spawning = {
        .path = test_program("slipstream"),
        .arguments = arguments,
        .descriptors = { { in[0], 0 }, { out[1], 1 }, { err[1], 2 }, { descriptor, 5 } },
        .descriptor_count = 4,
    };
    pid_t pid;
    bool spawned = spawn(&pid, &spawning, &error);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (!spawned)
        test_note("%s", error.text);
    bool fed = write(in[1], input, strlen(input)) == (ssize_t)strlen(input);
    close(in[1]);
    result->filter_count = spawned && command == TEST_loop ? filters_watch(pid) : 0;
    read_text(out[0], result->output, sizeof(result->output));
    close(out[0]); /* a flood must not block for ever */
    read_text(err[0], result->errors, sizeof(result->errors));
    close(err[0]);
    struct spawn_end end = { 0 };
    bool ended = spawned && spawn_wait(&end, pid, TEST_PATIENCE_MS, &error);
    CHECK(!end.was_killed || command == TEST_flood);
    result->code = end.code;
    return fed && ended;
}

static void passes_streams_through(void)
{
    REQUIRE_KVM();
    struct result result;
    REQUIRE(run(TEST_echo, NULL, "nine byte", &result));
    CHECK_NUMBER(result.code, 9);
    CHECK_STRING(result.output, "nine byte");
    CHECK_STRING(result.errors, "");
}

static void trap_exits_1_with_reason(void)
{
    REQUIRE_KVM();
    struct result result;
    REQUIRE(run(TEST_unreachable, NULL, "", &result));
    CHECK_NUMBER(result.code, 1);
    CHECK_STRING(result.errors, "s3n: trap: unreachable in wasm function 101\n");
}

static void time_limit_exits_8(void)
{
    REQUIRE_KVM();
    struct result result;
    const char *const options[] = { "--timeout-ms", "50", NULL };
    REQUIRE(run(TEST_loop, options, "", &result));
    CHECK_NUMBER(result.code, 8);
    CHECK_STRING(result.errors, "s3n: the function ran out of time (limits.timeout_ms)\n");
}

static void flood_into_a_closed_pipe_ends(void)
{
    REQUIRE_KVM();
    struct result result;
    REQUIRE(run(TEST_flood, NULL, "", &result));
    CHECK_NUMBER(result.code, SIGPIPE);
}

static void wrong_options_exit_2(void)
{
    struct result result;
    const char *const options[] = { "--timeout-ns", "50", NULL };
    REQUIRE(run(TEST_loop, options, "", &result));
    CHECK_NUMBER(result.code, 2);
    CHECK(strstr(result.errors, "timeout-ms") != NULL);
}

/* While a guest runs, nothing can be made or opened any more, with either backend. */
static void guests_run_behind_a_second_filter(void)
{
    REQUIRE_KVM();
    static const char *const options[] = { "--timeout-ms", "1000", NULL };
    struct result result = { 0 };
    CHECK(run(TEST_loop, options, "", &result));
    CHECK_NUMBER(result.code, 8);
    CHECK_NUMBER(result.filter_count, 2);
}

static const struct test tests[] = {
    TEST(guests_run_behind_a_second_filter),
    TEST(passes_streams_through),
    TEST(trap_exits_1_with_reason),
    TEST(time_limit_exits_8),
    TEST(wrong_options_exit_2),
    TEST(flood_into_a_closed_pipe_ends),
};
TEST_MAIN(tests)
