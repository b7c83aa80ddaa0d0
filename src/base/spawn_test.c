/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/spawn.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a shell script with its output in `text` (NUL-terminated). */
static struct spawn_end run_script(const char *script, struct buffer *text,
                                   const struct spawn_descriptor *extra)
{
    const char *const arguments[] = { "sh", "-c", script, NULL };
    const char *const environment[] = { "GREETING=hello", NULL };
    struct error error = { 0 };
    struct spawn_end end = { .code = -1 };
    int ends[2];
    ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    struct spawn_options options = { .path = "/bin/sh",
                                     .arguments = arguments,
                                     .environment = environment,
                                     .descriptors = { { ends[1], 1 } },
                                     .descriptor_count = 1 };
    if (extra != NULL)
        options.descriptors[options.descriptor_count++] = *extra;
    pid_t pid = 0;
    CHECK(spawn(&pid, &options, &error));
    close(ends[1]);
    buffer_init(text, 60000);
    CHECK(file_read_descriptor(text, ends[0], &error));
    buffer_append(text, bytes_of("", 1));
    close(ends[0]);
    CHECK(spawn_wait(&end, pid, TEST_PATIENCE_MS, &error));
    return end;
}

static void child_gets_only_what_is_named(void)
{
    AUTO_BUFFER struct buffer text;
    setenv("UNNAMED", "x", 1);
    AUTO_CLOSE int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
    struct spawn_end end = run_script("echo $GREETING$UNNAMED; cat; ls /proc/self/fd | sort -n | "
                                      "tr '\\n' ' '; exit 3",
                                      &text, NULL);
    CHECK(!end.was_killed && end.code == 3);
    /* ls itself opens 3. */
    CHECK_STRING((char *)text.data, "hello\n0 1 2 3 ");
}

static void descriptors_land_where_asked(void)
{
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    AUTO_CLOSE int sealed = -1;
    REQUIRE(file_sealed(&sealed, "x", BYTES_LITERAL("content"), &error));
    struct spawn_descriptor to_nine = { sealed, 9 };
    run_script("cat <&9", &text, &to_nine);
    CHECK_STRING((char *)text.data, "content");
    buffer_done(&text);
    REQUIRE(lseek(sealed, 0, SEEK_SET) == 0);
    struct spawn_descriptor to_stdin = { sealed, 0 };
    run_script("cat", &text, &to_stdin);
    CHECK_STRING((char *)text.data, "content");
}

/* Sources and targets that overlap: 3 and 4 change places. */
static void descriptors_may_cross(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct error error = { 0 };
        int first = -1, second = -1;
        bool made = file_sealed(&first, "a", BYTES_LITERAL("A"), &error) &&
                    file_sealed(&second, "b", BYTES_LITERAL("B"), &error);
        const char *const arguments[] = { "sh", "-c", "test $(cat <&4)$(cat <&3) = AB", NULL };
        dup2(first, 30);
        dup2(second, 4);
        dup2(30, 3);
        struct spawn_options options = { .path = "/bin/sh",
                                         .arguments = arguments,
                                         .descriptors = { { 3, 4 }, { 4, 3 } },
                                         .descriptor_count = 2 };
        pid_t pid = 0;
        struct spawn_end end;
        bool right = made && spawn(&pid, &options, &error) &&
                     spawn_wait(&end, pid, TEST_PATIENCE_MS, &error) && !end.was_killed &&
                     end.code == 0;
        _exit(right ? 0 : 1);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void exec_errors_come_back(void)
{
    struct error error = { 0 };
    const char *const arguments[] = { "x", NULL };
    struct spawn_options options = { .path = "/nonexistent/x", .arguments = arguments };
    pid_t pid = -1;
    CHECK(!spawn(&pid, &options, &error));
    CHECK(error.code == ERROR_NOT_FOUND);
    CHECK_NOTE(strstr(error.text, "/nonexistent/x") != NULL, "%s", error.text);
    CHECK(pid == -1);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    options.path = "/dev/null";
    CHECK(!spawn(&pid, &options, &error));
    CHECK(error.code == ERROR_DENIED);
}

static void signals_start_afresh(void)
{
    AUTO_BUFFER struct buffer text;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    run_script("grep -E 'SigBlk|SigIgn' /proc/self/status", &text, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    CHECK_STRING((char *)text.data, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void child_dies_with_its_parent(void)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    pid_t parent = fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
        struct error error = { 0 };
        const char *const arguments[] = { "sleep", "60", NULL };
        struct spawn_options options = { .path = "/bin/sleep",
                                         .arguments = arguments,
                                         .descriptors = { { ends[1], 5 } },
                                         .descriptor_count = 1,
                                         .own_group = true };
        pid_t pid = 0;
        _exit(spawn(&pid, &options, &error) ? 0 : 1);
    }
    close(ends[1]);
    int status = 1;
    CHECK(waitpid(parent, &status, 0) == parent && status == 0);
    /* The pipe closes when the last holder, the grandchild, is gone. */
    char byte;
    CHECK(read(ends[0], &byte, 1) == 0);
    close(ends[0]);
}

static void waiting_tells_how_it_ended(void)
{
    struct error error = { 0 };
    const char *const arguments[] = { "sleep", "60", NULL };
    struct spawn_options options = { .path = "/bin/sleep", .arguments = arguments };
    pid_t pid = 0;
    struct spawn_end end;
    REQUIRE(spawn(&pid, &options, &error));
    CHECK(!spawn_wait(&end, pid, 5, &error));
    CHECK(error.code == ERROR_TIMEOUT);
    kill(pid, SIGSYS);
    CHECK(spawn_wait(&end, pid, -1, &error));
    CHECK(end.was_killed && end.code == SIGSYS);
    CHECK(spawn_end_is_forbidden_call(&end));
    CHECK(!spawn_wait(&end, pid, -1, &error));
    CHECK(!spawn_end_is_forbidden_call(&(struct spawn_end){ .code = SIGSYS }));
}

static void siblings_are_found(void)
{
    char path[PATH_MAX];
    struct error error = { 0 };
    CHECK(spawn_sibling_path(path, sizeof(path), "test-base-spawn", &error));
    CHECK(access(path, X_OK) == 0);
    unsetenv("S3N_LIBEXEC");
    CHECK(!spawn_sibling_path(path, sizeof(path), "sh", &error));
    CHECK(error.code == ERROR_NOT_FOUND);
    setenv("S3N_LIBEXEC", "/bin", 1);
    CHECK(spawn_sibling_path(path, sizeof(path), "sh", &error));
    CHECK_STRING(path, "/bin/sh");
    CHECK(!spawn_sibling_path(path, 4, "sh", &error));
    unsetenv("S3N_LIBEXEC");
}

static const struct test tests[] = {
    TEST(child_gets_only_what_is_named), TEST(descriptors_land_where_asked),
    TEST(descriptors_may_cross),         TEST(exec_errors_come_back),
    TEST(signals_start_afresh),          TEST(child_dies_with_its_parent),
    TEST(waiting_tells_how_it_ended),    TEST(siblings_are_found),
};
TEST_MAIN(tests)
