/* SPDX-License-Identifier: Apache-2.0 */
/* The log is written in one piece, and is what it would be without that. */
#include "store/limits.h"
#include "store/sqlite_log.h"
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILE_SIZE = 3 * STORE_LOG_PIECE_SIZE,
    STEP_COUNT = 400
};

/* Write calls of this process, ever; -1: the system does not count them. */
static long writes_so_far(void)
{
    char line[128];
    long count = -1;
    FILE *file = fopen("/proc/self/io", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "syscw: %ld", &count);
    if (file != NULL)
        fclose(file);
    return count;
}

static void a_commit_writes_its_log_at_once(void)
{
    static struct test_sealer sealing;
    struct sealer sealer = test_sealer_of(&sealing);
    AUTO(store) struct store *store = NULL;
    struct error error = { 0 };
    char keys[20][16];
    struct store_write writes[20];
    static uint8_t value[6000]; /* more than a page of the file each */
    if (writes_so_far() < 0)
        SKIP("no /proc/self/io");
    REQUIRE(store_open_sqlite(&store, test_store_path("at-once"), &sealer, &error));
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_COUNT(writes); i++) {
            snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
            writes[i] = (struct store_write){ .kind = STORE_WRITE_PUT,
                                              .key = { "app", keys[i] },
                                              .value = BYTES_OF(value),
                                              .if_revision = STORE_REVISION_ANY };
        }
        long before = writes_so_far();
        REQUIRE(store_apply(store, writes, ARRAY_COUNT(writes), &error));
        /* Some 160 KiB: three pieces or four; page by page it were eighty writes. */
        CHECK_NOTE(writes_so_far() - before <= 6, "%ld writes", writes_so_far() - before);
    }
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Reads, cuts and sizes in between see all that was written. */
static void what_is_collected_is_there(void)
{
    struct error error = { 0 };
    REQUIRE(sqlite_log_register(&error) && sqlite_log_register(&error));
    sqlite3_vfs *vfs = sqlite3_vfs_find(SQLITE_LOG_VFS);
    REQUIRE(vfs != NULL);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    uint8_t *expected = calloc(1, FILE_SIZE), *data = malloc(FILE_SIZE);
    REQUIRE(file != NULL && expected != NULL && data != NULL);
    const int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    REQUIRE(vfs->xOpen(vfs, test_store_path("log"), file, flags, NULL) == SQLITE_OK);
    uint32_t random = 7;
    sqlite3_int64 size = 0, at = 0, seen;
    for (unsigned i = 0; i < STEP_COUNT; i++) {
        uint32_t count = 1 + next_random(&random) % (i % 50 == 49 ? FILE_SIZE / 2 : 9000);
        if (next_random(&random) % 8 == 0 || at + count > FILE_SIZE)
            at = next_random(&random) % (uint32_t)(FILE_SIZE - count);
        memset(data, (int)i + 1, count);
        memset(expected + at, (int)i + 1, count);
        CHECK(file->pMethods->xWrite(file, data, (int)count, at) == SQLITE_OK);
        at += count;
        size = MAX(size, at);
        if (i % 16 == 15) {
            CHECK(file->pMethods->xFileSize(file, &seen) == SQLITE_OK && seen == size);
            CHECK(file->pMethods->xRead(file, data, (int)size, 0) == SQLITE_OK);
            CHECK(memcmp(data, expected, (size_t)size) == 0);
        }
        if (i % 32 == 31)
            CHECK(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK);
        if (i % 100 == 99) {
            size /= 2;
            at = 0;
            memset(expected + size, 0, (size_t)(FILE_SIZE - size));
            CHECK(file->pMethods->xTruncate(file, size) == SQLITE_OK);
        }
    }
    CHECK(file->pMethods->xClose(file) == SQLITE_OK);
    REQUIRE(vfs->xOpen(vfs, test_store_path("log"), file, flags, NULL) == SQLITE_OK);
    CHECK(file->pMethods->xFileSize(file, &seen) == SQLITE_OK && seen == size);
    CHECK(file->pMethods->xClose(file) == SQLITE_OK);
    free(file);
    free(expected);
    free(data);
}

static long size_of(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (long)facts.st_size : -1;
}

/* The log grows until it is tidied, and is then written over from its start. */
static void the_log_is_tidied_apart(void)
{
    static struct test_sealer sealing;
    struct sealer sealer = test_sealer_of(&sealing);
    AUTO(store) struct store *store = NULL;
    struct error error = { 0 };
    static char value[6000];
    char path[4200], log[4300], key[16];
    snprintf(path, sizeof(path), "%s", test_store_path("tidied"));
    snprintf(log, sizeof(log), "%s-wal", path);
    memset(value, 'v', sizeof(value) - 1);
    REQUIRE(store_open_sqlite(&store, path, &sealer, &error));
    store_tidy_apart(store);
    long before = size_of(path);
    unsigned count = 0;
    do {
        CHECK_NUMBER(size_of(path), before);
        store_tidy(store); /* too short yet */
        CHECK_NUMBER(size_of(path), before);
        snprintf(key, sizeof(key), "k%u", count++);
        REQUIRE(test_put(store, key, value, 0, &error));
        CHECK(store_sync_ns(store) < UINT64_MAX);
    } while (count < STORE_LOG_PAGES && store_is_ready(store));
    CHECK(count < STORE_LOG_PAGES && !store_is_ready(store));
    CHECK_NUMBER(size_of(path), before);
    long grown = size_of(log);
    store_tidy(store);
    CHECK(store_is_ready(store));
    CHECK(size_of(path) > before);
    REQUIRE(test_put(store, "next", value, 0, &error));
    CHECK_NUMBER(size_of(log), grown);
    CHECK(test_holds(store, "k0", value) && test_holds(store, "next", value));
}

static const struct test tests[] = {
    TEST(a_commit_writes_its_log_at_once),
    TEST(what_is_collected_is_there),
    TEST(the_log_is_tidied_apart),
};
TEST_MAIN(tests)
