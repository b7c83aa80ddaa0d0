/* SPDX-License-Identifier: Apache-2.0 */
/* What was acknowledged is there after `kill -9`, and a full disk loses nothing. */
#include "base/file.h"
#include "crypto/hash.h"
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_sealer sealing;

static bool open_at(struct store **store, const char *path, struct error *error)
{
    struct sealer sealer = test_sealer_of(&sealing);
    return store_open_sqlite(store, path, &sealer, error);
}

/* Writes records until it is killed, telling each one's number once it is acknowledged. */
static void write_until_killed(const char *path, int progress, uint32_t from)
{
    struct error error = { 0 };
    struct store *store = NULL;
    if (!open_at(&store, path, &error))
        _exit(2);
    for (uint32_t number = from;; number++) {
        char first[32], second[32];
        snprintf(first, sizeof(first), "r/%u", number);
        snprintf(second, sizeof(second), "s/%u", number);
        struct store_write writes[] = {
            { .kind = STORE_WRITE_PUT, .key = { "app", first }, .value = bytes_of_string(first) },
            { .kind = STORE_WRITE_PUT, .key = { "app", second }, .value = bytes_of_string(second) },
        };
        if (!store_apply(store, writes, 2, &error))
            _exit(3);
        if (write(progress, &number, sizeof(number)) != sizeof(number))
            _exit(4);
    }
}

static uint32_t run_and_kill(const char *path, uint32_t from, uint32_t acknowledged_wanted)
{
    int ends[2];
    if (pipe(ends) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(path, ends[1], from);
    }
    close(ends[1]);
    uint32_t last = from - 1, number;
    while (last < from - 1 + acknowledged_wanted &&
           read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number; /* acknowledged before the signal came */
    int status;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    close(ends[0]);
    return last;
}

static void kill_loses_nothing_acknowledged(void)
{
    const char *path = test_store_path("killed");
    uint32_t last = 0;
    for (unsigned round = 0; round < 8; round++) {
        uint32_t before = last;
        last = run_and_kill(path, last + 1, 5 + round * 7);
        CHECK(last > before);
        struct error error = { 0 };
        AUTO(store) struct store *store = NULL;
        bool opened = open_at(&store, path, &error);
        CHECK_NOTE(opened, "%s", error.text);
        REQUIRE(opened);
        for (uint32_t number = 1; number <= last; number++) {
            char key[32];
            snprintf(key, sizeof(key), "r/%u", number);
            CHECK(test_holds(store, key, key));
            snprintf(key, sizeof(key), "s/%u", number);
            CHECK(test_holds(store, key, key));
        }
        /* One more may have been committed and not told; then both halves are there. */
        char first[32], second[32];
        snprintf(first, sizeof(first), "r/%u", last + 1);
        snprintf(second, sizeof(second), "s/%u", last + 1);
        bool created_first = test_put(store, first, first, 0, &error);
        bool created_second = test_put(store, second, second, 0, &error);
        CHECK(created_first == created_second);
        last++;
    }
}

/* Fills a small disk with records, then looks what became of them.  Exit code 0: all well. */
static int fill_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("small", folder, "tmpfs", 0, "size=1m") != 0)
        return 77;
    char path[4200];
    snprintf(path, sizeof(path), "%s/full.db", folder);
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    if (!open_at(&store, path, &error))
        return 1;
    static char value[20000];
    memset(value, 'v', sizeof(value) - 1);
    unsigned written = 0;
    char key[32];
    for (; written < 1000; written++) {
        snprintf(key, sizeof(key), "k%u", written);
        if (!test_put(store, key, value, 0, &error))
            break;
    }
    if (written == 0 || written == 1000 || error.code != ERROR_NO_SPACE) {
        printf("    put: %u %s\n", written, error.text);
        return 2;
    }
    static uint8_t big[900000];
    struct digest32 digest = sha256_of(BYTES_OF(big));
    if (store_blob_put(store, &digest, BYTES_OF(big), &error) || error.code != ERROR_NO_SPACE)
        return 3;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < written; i++) {
            snprintf(key, sizeof(key), "k%u", i);
            if (!test_holds(store, key, value))
                return 4;
        }
        uint64_t size;
        if (store_blob_size(store, &digest, &size, &error) || error.code != ERROR_NOT_FOUND)
            return 5;
        store_close(TAKE(store));
        if (!open_at(&store, path, &error)) { /* on the disk as full as it is */
            printf("    reopen: %s\n", error.text);
            return 6;
        }
    }
    return 0;
}

static void full_disk_loses_nothing(void)
{
    if (geteuid() != 0)
        SKIP("a small disk can only be mounted as root");
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s/small", test_folder());
    REQUIRE(mkdir(folder, 0700) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int code = fill_disk(folder);
        fflush(stdout);
        _exit(code);
    }
    int status;
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        SKIP("no mount of a tmpfs here");
    CHECK_NUMBER(WEXITSTATUS(status), 0);
}

static const struct test tests[] = {
    TEST(kill_loses_nothing_acknowledged),
    TEST(full_disk_loses_nothing),
};
TEST_MAIN(tests)
