/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is compacted is smaller and otherwise the same, also for who remembers its head, and
 * also when whoever does it is killed. */
#include "crypto/hash.h"
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOB_SIZE = 300000,
    BLOBS = 12,
    RECORDS = 200,
    ROUNDS = 24
};

static struct test_sealer sealing;
static uint8_t content[BLOB_SIZE];

static struct digest32 blob_make(unsigned number)
{
    memset(content, (int)number + 1, sizeof(content));
    return sha256_of(BYTES_OF(content));
}

/* Where the head is remembered, as a keeper does. */
struct memory {
    struct store_heads heads;
    bool known;
};
static bool memory_read(void *context, struct store_heads *heads, bool *known,
                        struct error *error UNUSED)
{
    struct memory *memory = context;
    *heads = memory->heads;
    *known = memory->known;
    return true;
}
static bool memory_begin(void *context, const struct store_heads *heads, struct error *error UNUSED)
{
    struct memory *memory = context;
    memory->heads = *heads;
    memory->known = true;
    return true;
}
static bool memory_finish(void *context UNUSED, struct error *error UNUSED)
{
    return true;
}
static struct memory memory;
static const struct store_anchor anchor = { &memory, 1, memory_read, memory_begin, memory_finish };

static bool open_at(struct store **store, const char *path, struct error *error)
{
    struct sealer sealer = test_sealer_of(&sealing);
    return store_open_anchored(store, path, &sealer, &anchor, error);
}

/* Blobs of which only the last is left, and records. */
static bool fill(const char *path, struct error *error)
{
    AUTO(store) struct store *store = NULL;
    char key[32];
    memory.known = false;
    if (!open_at(&store, path, error))
        return false;
    for (unsigned i = 0; i < BLOBS; i++) {
        struct digest32 digest = blob_make(i);
        if (!store_blob_put(store, &digest, BYTES_OF(content), error))
            return false;
    }
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        if (!test_put(store, key, key, 0, error))
            return false;
    }
    for (unsigned i = 0; i < BLOBS - 1; i++) {
        struct digest32 digest = blob_make(i);
        if (!store_blob_delete(store, &digest, error))
            return false;
    }
    return store_confirm(store, error);
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* All that it shall hold, by the walk that proves it, and nothing else; it can be written. */
static void holds_all(const char *path)
{
    AUTO(store) struct store *store = NULL;
    struct error error = { 0 };
    struct store_walk walk = { 0 };
    bool opened = open_at(&store, path, &error);
    CHECK_NOTE(opened, "%s", error.text);
    REQUIRE(opened);
    for (bool more = true; more;) {
        bool good = store_walk_next(store, &walk, &more, &error);
        CHECK_NOTE(good, "%s", error.text);
    }
    CHECK_NUMBER(walk.records, RECORDS);
    CHECK_NUMBER(walk.blobs, 1);
    CHECK(test_holds(store, "k0", "k0") && test_holds(store, "k199", "k199"));
    CHECK(test_put(store, "new", "value", 0, &error));
    CHECK(store_delete(store, (struct store_key){ "app", "new" }, STORE_REVISION_ANY, &error));
    CHECK(store_confirm(store, &error));
}

static void room_goes_back_to_the_disk(void)
{
    const char *path = test_store_path("compact");
    struct error error = { 0 };
    uint64_t freed = 0;
    REQUIRE(fill(path, &error));
    uint64_t before = size_of(path);
    bool done = store_compact(path, &freed, &error);
    CHECK_NOTE(done, "%s", error.text);
    CHECK(freed > (BLOBS - 2) * BLOB_SIZE);
    CHECK_NUMBER(size_of(path), before - freed);
    holds_all(path);
    CHECK(store_compact(path, &freed, &error));
    CHECK_NUMBER(freed / BLOB_SIZE, 0);
    holds_all(path);
}

static void what_can_t_be_is_said(void)
{
    const char *path = test_store_path("compact-busy");
    struct error error = { 0 };
    uint64_t freed;
    AUTO(store) struct store *store = NULL;
    REQUIRE(fill(path, &error) && open_at(&store, path, &error));
    CHECK(!store_compact(path, &freed, &error));
    CHECK_NUMBER(error.code, ERROR_BUSY);
    CHECK(!store_compact("/nowhere/at/all.db", &freed, &error));
}

/* Killed a little later in each round, and at the end not at all. */
static void kill_leaves_it_whole(void)
{
    const char *path = test_store_path("compact-killed");
    struct error error = { 0 };
    REQUIRE(fill(path, &error));
    uint64_t before = size_of(path), freed;
    unsigned killed = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pid_t child = fork();
        if (child == 0)
            _exit(store_compact(path, &freed, &error) ? 0 : 1);
        REQUIRE(child > 0);
        usleep(round * 400);
        kill(child, SIGKILL);
        int status;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        killed += WIFSIGNALED(status);
        holds_all(path);
    }
    CHECK(killed > 0);
    CHECK(store_compact(path, &freed, &error));
    holds_all(path);
    CHECK(size_of(path) < before / 4);
}

static const struct test tests[] = {
    TEST(room_goes_back_to_the_disk),
    TEST(what_can_t_be_is_said),
    TEST(kill_leaves_it_whole),
};
TEST_MAIN(tests)
