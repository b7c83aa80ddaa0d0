/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    return path;
}

static void replaces_and_reads(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, 200000);
    CHECK(file_replace(path_of("a"), BYTES_LITERAL("one"), 0600, &error));
    CHECK(file_replace(path_of("a"), BYTES_LITERAL("second"), 0640, &error));
    CHECK(file_read(&content, path_of("a"), &error));
    CHECK_BYTES(buffer_view(&content), BYTES_LITERAL("second"));
    struct stat status;
    CHECK(stat(path_of("a"), &status) == 0);
    CHECK_NUMBER(status.st_mode & 07777, 0640);
    static uint8_t large[150000];
    memset(large, 'x', sizeof(large));
    CHECK(file_replace(path_of("a"), BYTES_OF(large), 0600, &error));
    CHECK(file_replace_unsynced(path_of("a"), BYTES_LITERAL("third"), 0600, &error));
    CHECK(file_replace_unsynced(path_of("a"), BYTES_OF(large), 0600, &error));
    CHECK(!file_replace_unsynced(path_of("nowhere/x"), BYTES_LITERAL("x"), 0600, &error));
    CHECK(file_read(&content, path_of("a"), &error));
    CHECK_BYTES(buffer_view(&content), BYTES_OF(large));
}

static void reading_has_a_limit(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer content;
    REQUIRE(file_replace(path_of("five"), BYTES_LITERAL("12345"), 0600, &error));
    buffer_init(&content, 5);
    CHECK(file_read(&content, path_of("five"), &error));
    buffer_done(&content);
    buffer_init(&content, 4);
    CHECK(!file_read(&content, path_of("five"), &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK(!file_read(&content, path_of("missing"), &error));
    CHECK(error.code == ERROR_NOT_FOUND);
    CHECK(strstr(error.text, "missing") != NULL);
}

static unsigned entries_named(const char *prefix)
{
    char command[PATH_MAX + 64];
    snprintf(command, sizeof(command), "exit $(ls %s | grep -c '^%s')", test_folder(), prefix);
    int status = system(command);
    return (unsigned)WEXITSTATUS(status);
}

static void failed_replace_keeps_the_old(void)
{
    struct error error = { 0 };
    REQUIRE(file_make_folder(path_of("target/inner"), 0700, &error));
    CHECK(!file_replace(path_of("target"), BYTES_LITERAL("x"), 0600, &error));
    CHECK_NUMBER(entries_named("target"), 1);
    CHECK(!file_replace(path_of("nowhere/x"), BYTES_LITERAL("x"), 0600, &error));
    CHECK(error.code == ERROR_NOT_FOUND);
}

/* A limit on the size of files stands in for a full disk: the write fails half-way. */
static void write_error_keeps_the_old(void)
{
    struct error error = { 0 };
    REQUIRE(file_replace(path_of("kept"), BYTES_LITERAL("old"), 0600, &error));
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        static uint8_t large[1 << 20];
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = { 4096, 4096 };
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(file_replace(path_of("kept"), BYTES_OF(large), 0600, &error) ? 1 : 0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_NUMBER(status, 0);
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, 10);
    CHECK(file_read(&content, path_of("kept"), &error));
    CHECK_BYTES(buffer_view(&content), BYTES_LITERAL("old"));
    CHECK_NUMBER(entries_named("kept"), 1);
}

static void full_disk_is_told(void)
{
    struct error error = { 0 };
    AUTO_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0)
        SKIP("no /dev/full");
    CHECK(!file_write_all(full, BYTES_LITERAL("x"), &error));
    CHECK(error.code == ERROR_NO_SPACE);
}

static void folders_are_made_with_parents(void)
{
    struct error error = { 0 };
    CHECK(file_make_folder(path_of("f/g/h"), 0700, &error));
    CHECK(file_make_folder(path_of("f/g/h/"), 0700, &error));
    struct stat status;
    CHECK(stat(path_of("f/g"), &status) == 0 && (status.st_mode & 0777) == 0700);
    CHECK(file_replace(path_of("f/file"), BYTES_LITERAL(""), 0600, &error));
    CHECK(!file_make_folder(path_of("f/file/x"), 0700, &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK(!file_make_folder(path_of("f/file"), 0700, &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK(!file_make_folder("", 0700, &error));
    CHECK(!file_make_folder("/dev/null/x", 0700, &error));
    CHECK(error.code == ERROR_INVALID);
}

static void sealed_files_are_constant(void)
{
    struct error error = { 0 };
    AUTO_CLOSE int sealed = -1;
    REQUIRE(file_sealed(&sealed, "test", BYTES_LITERAL("content"), &error));
    CHECK(file_is_sealed(sealed));
    CHECK(write(sealed, "x", 1) == -1 && errno == EPERM);
    CHECK(ftruncate(sealed, 1) == -1);
    struct bytes content;
    REQUIRE(file_map(&content, sealed, &error));
    CHECK_BYTES(content, BYTES_LITERAL("content"));
    file_unmap(&content);
    CHECK(content.data == NULL);
    AUTO_CLOSE int open_to_all = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(!file_is_sealed(open_to_all));
    CHECK(file_map(&content, open_to_all, &error));
    CHECK(content.size == 0);
    AUTO_CLOSE int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(!file_map(&content, folder, &error));
}

static void writes_all_through_a_slow_pipe(void)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    static uint8_t data[300000];
    pid_t child = fork();
    if (child == 0) {
        struct error error = { 0 };
        close(ends[0]);
        _exit(file_write_all(ends[1], BYTES_OF(data), &error) ? 0 : 1);
    }
    close(ends[1]);
    struct error error = { 0 };
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, sizeof(data));
    CHECK(file_read_descriptor(&content, ends[0], &error));
    CHECK_NUMBER(content.size, sizeof(data));
    close(ends[0]);
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static const struct test tests[] = {
    TEST(replaces_and_reads),
    TEST(reading_has_a_limit),
    TEST(failed_replace_keeps_the_old),
    TEST(write_error_keeps_the_old),
    TEST(full_disk_is_told),
    TEST(folders_are_made_with_parents),
    TEST(sealed_files_are_constant),
    TEST(writes_all_through_a_slow_pipe),
};
TEST_MAIN(tests)
