/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

enum {
    SANITIZED_BIT_STEP = 11,
    FAILURES_SHOWN_MAX = 20,
    FILES_MAX = 4096,
};

static struct {
    unsigned failures; /* of the case at hand */
    bool skipped;
    char folder[PATH_MAX];
    uint8_t *files[FILES_MAX]; /* what test_file read, kept until the program ends */
    size_t file_count;
} current;

/* Stands in where the closure under test has no base. */
__attribute__((weak)) void assert_failed(const char *fact, const char *file, int line)
{
    fprintf(stderr, "bug at %s:%d: %s does not hold\n", file, line, fact);
    abort();
}

uint64_t test_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool test_waits(uint64_t since_ms)
{
    if (test_clock_ms() - since_ms > TEST_PATIENCE_MS)
        return false;
    usleep(2000);
    return true;
}

void test_note(const char *format, ...)
{
    if (current.failures > FAILURES_SHOWN_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("    ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

void test_check(bool fact, const char *text, const char *file, int line)
{
    if (fact)
        return;
    current.failures++;
    if (current.failures <= FAILURES_SHOWN_MAX)
        printf("  %s:%d: not so: %s\n", file, line, text);
}

void test_check_string(const char *actual, const char *expected, const char *file, int line)
{
    bool same = actual != NULL && expected != NULL && strcmp(actual, expected) == 0;
    test_check(same, "strings are equal", file, line);
    if (!same)
        test_note("got  '%s'\n    want '%s'", actual == NULL ? "(null)" : actual,
                  expected == NULL ? "(null)" : expected);
}

void test_check_number(int64_t actual, int64_t expected, const char *text, const char *file,
                       int line)
{
    test_check(actual == expected, text, file, line);
    if (actual != expected)
        test_note("got %lld (0x%llx), want %lld (0x%llx)", (long long)actual,
                  (unsigned long long)actual, (long long)expected, (unsigned long long)expected);
}

static void show_row(const char *label, struct bytes bytes, size_t from)
{
    printf("    %s %06zx:", label, from);
    for (size_t i = from; i < from + 16 && i < bytes.size; i++)
        printf(" %02x", bytes.data[i]);
    printf("\n");
}

void test_check_bytes(struct bytes actual, struct bytes expected, const char *file, int line)
{
    bool same = bytes_equal(actual, expected);
    test_check(same, "bytes are equal", file, line);
    if (same || current.failures > FAILURES_SHOWN_MAX)
        return;
    size_t at = 0;
    while (at < actual.size && at < expected.size && actual.data[at] == expected.data[at])
        at++;
    printf("    sizes %zu and %zu, first difference at %zu\n", actual.size, expected.size, at);
    show_row("got ", actual, at & ~(size_t)15);
    show_row("want", expected, at & ~(size_t)15);
}

void test_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    current.skipped = true;
    printf("  skipped: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc <= 1;
}

static void remove_folder(void)
{
    if (current.folder[0] == '\0')
        return;
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", current.folder);
    if (system(command) != 0)
        printf("could not remove %s\n", current.folder);
}

int test_main(const struct test *tests, size_t count, int argc, char **argv)
{
    unsigned passed = 0, failed = 0, skipped = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(tests[i].name, argc, argv))
            continue;
        current.failures = 0;
        current.skipped = false;
        printf("%s\n", tests[i].name);
        int before = open_descriptors();
        tests[i].run();
        if (open_descriptors() != before)
            test_check(false, "the case closed the descriptors it opened", __FILE__, __LINE__);
        if (current.failures > 0)
            failed++;
        else if (current.skipped)
            skipped++;
        else
            passed++;
    }
    remove_folder();
    while (current.file_count > 0)
        free(current.files[--current.file_count]);
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed == 0 ? 0 : 1;
}

/* Files that were read stay reachable, so that a leak checker sees no leak. */
struct kept_file {
    struct kept_file *next;
    uint8_t data[];
};
static struct kept_file *kept_files;

struct bytes test_file(const char *path)
{
    char full[PATH_MAX];
    const char *root = getenv("S3N_SOURCE");
    if (path[0] == '/' || root == NULL)
        snprintf(full, sizeof(full), "%s", path);
    else
        snprintf(full, sizeof(full), "%s/%s", root, path);
    FILE *file = fopen(full, "rb");
    test_check(file != NULL, full, __FILE__, __LINE__);
    if (file == NULL)
        return (struct bytes){ 0 };
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    struct kept_file *kept = malloc(sizeof(*kept) + (size_t)size);
    ASSERT(kept != NULL);
    kept->next = kept_files;
    kept_files = kept;
    size_t got = fread(kept->data, 1, (size_t)size, file);
    fclose(file);
    test_check(got == (size_t)size, "file read whole", __FILE__, __LINE__);
    return bytes_of(kept->data, got);
}

const char *test_folder(void)
{
    if (current.folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(current.folder, sizeof(current.folder), "%s/s3n-test-XXXXXX",
                 base == NULL ? "/tmp" : base);
        ASSERT(mkdtemp(current.folder) != NULL);
    }
    return current.folder;
}

const char *test_program(const char *name)
{
    static char path[PATH_MAX];
    const char *build = getenv("S3N_BUILD");
    snprintf(path, sizeof(path), "%s/bin/%s", build == NULL ? "build" : build, name);
    return path;
}

size_t test_bit_step(void)
{
    return IS_SANITIZED && getenv("S3N_TEST_EVERY_BIT") == NULL ? SANITIZED_BIT_STEP : 1;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t x = *state == 0 ? 0x9e3779b97f4a7c15u : *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x * 0x2545f4914f6cdd1du;
}
