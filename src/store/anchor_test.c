/* SPDX-License-Identifier: Apache-2.0 */
/* A whole store put back to an older copy, and every crash between the store and what remembers it.
 */
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_sealer sealing;
static struct {
    struct store_heads heads, begun;
    unsigned ahead_max, finished;
    bool known, has_begun, loses, fails;
} memory;

static void memory_clear(void)
{
    memset(&memory, 0, sizeof(memory));
    memory.ahead_max = 1;
}

static bool memory_read(void *context UNUSED, struct store_heads *heads, bool *known,
                        struct error *error UNUSED)
{
    *heads = memory.heads;
    *known = memory.known;
    return true;
}

static bool memory_begin(void *context UNUSED, const struct store_heads *heads,
                         struct error *error UNUSED)
{
    memory.begun = *heads;
    memory.has_begun = true;
    return true;
}

static bool memory_finish(void *context UNUSED, struct error *error)
{
    CHECK(memory.has_begun);
    if (memory.fails)
        return error_set(error, ERROR_UNAVAILABLE, "nobody remembers");
    memory.finished++;
    memory.has_begun = false;
    if (!memory.loses) { /* a crash: it was not on its disk yet */
        memory.heads = memory.begun;
        memory.known = true;
    }
    return true;
}

static bool memory_ready(void *context UNUSED)
{
    return !memory.fails;
}

static bool open_at(struct store **store, const char *path, struct error *error)
{
    struct sealer sealer = test_sealer_of(&sealing);
    struct store_anchor anchor = { NULL,         memory.ahead_max, memory_read,
                                   memory_begin, memory_finish,    memory_ready };
    return store_open_anchored(store, path, &sealer, &anchor, error);
}

/* Writes once and closes; as a crash when it is not confirmed. */
static bool write_one(const char *path, const char *key, bool confirms)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    bool done = open_at(&store, path, &error) && test_put(store, key, "value", 0, &error) &&
                (!confirms || store_confirm(store, &error));
    memory.has_begun = false;
    CHECK_NOTE(done, "%s", error.text);
    return done;
}

static void copy(const char *path, const char *from, const char *to)
{
    char command[9000];
    snprintf(command, sizeof(command), "cp '%s%s' '%s%s'", path, from, path, to);
    CHECK(system(command) == 0);
}

static enum error_code open_code(const char *path)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    return open_at(&store, path, &error) ? ERROR_NONE : error.code;
}

static void an_older_copy_is_refused(void)
{
    const char *path = test_store_path("rollback");
    memory_clear();
    REQUIRE(write_one(path, "a", true));
    copy(path, "", ".1");
    REQUIRE(write_one(path, "b", true));
    copy(path, "", ".2");
    REQUIRE(write_one(path, "c", true));
    copy(path, "", ".3");
    copy(path, ".2", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
    copy(path, ".1", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
    unlink(path);
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT); /* none at all */
    unlink(path);
    copy(path, ".3", "");
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    /* Another history of the same length. */
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    copy(path, ".2", "");
    struct sealer sealer = test_sealer_of(&sealing);
    REQUIRE(store_open_sqlite(&store, path, &sealer, &error) &&
            test_put(store, "d", "other", 0, &error));
    store_close(TAKE(store));
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

/* A commit waits for its own disk only: what is remembered comes after it. */
static void a_crash_between_the_two_is_no_rollback(void)
{
    const char *path = test_store_path("crash");
    memory_clear();
    REQUIRE(write_one(path, "a", true));
    copy(path, "", ".a");
    REQUIRE(write_one(path, "b", false));
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    copy(path, "", ".b");
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_NONE); /* as if "b" had never come: docs/store.md says so */
    copy(path, ".b", "");
    REQUIRE(write_one(path, "c", false)); /* before that "b" was remembered */
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
    copy(path, ".b", "");
    REQUIRE(write_one(path, "d", true)); /* and goes on from there */
    copy(path, ".b", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

static void what_is_remembered_beside_leaves_one_head(void)
{
    const char *path = test_store_path("confirmed");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    memory_clear();
    REQUIRE(write_one(path, "a", true));
    copy(path, "", ".a");
    REQUIRE(open_at(&store, path, &error) && test_put(store, "b", "1", 0, &error));
    CHECK(!memory.has_begun);
    unsigned finished = memory.finished;
    store_remember(store);
    CHECK(memory.has_begun);
    CHECK_NUMBER(memory.finished, finished); /* nobody waited */
    REQUIRE(test_put(store, "c", "1", 0, &error));
    CHECK_NUMBER(memory.finished, finished + 1); /* but the next commit */
    REQUIRE(store_confirm(store, &error) && store_confirm(store, &error));
    CHECK_NUMBER(memory.finished, finished + 2);
    store_remember(store);
    CHECK(!memory.has_begun); /* there is nothing new */
    store_close(TAKE(store));
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

/* At any moment a copy of the file is what a crash leaves, and what is remembered may have reached
 * its disk or not. */
static void every_crash_opens_again(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    char copied[4096];
    snprintf(copied, sizeof(copied), "%s", test_store_path("crashed"));
    const char *path = test_store_path("crashes");
    memory_clear();
    memory.ahead_max = 3;
    REQUIRE(open_at(&store, path, &error));
    for (unsigned i = 0; i < 24; i++) {
        char key[8], command[9000];
        snprintf(key, sizeof(key), "k%u", i);
        REQUIRE(test_put(store, key, "1", 0, &error));
        if (i % 5 == 1 || i % 5 == 2)
            store_remember(store);
        snprintf(command, sizeof(command), "cp '%s' '%s' && cp '%s-wal' '%s-wal'", path, copied,
                 path, copied);
        REQUIRE(system(command) == 0);
        CHECK_NUMBER(open_code(copied), ERROR_NONE);
        struct store_heads known = memory.heads;
        if (memory.has_begun)
            memory.heads = memory.begun;
        CHECK_NUMBER(open_code(copied), ERROR_NONE);
        memory.heads = known;
    }
    CHECK(memory.finished >= 6 && memory.finished < 24);
    store_close(TAKE(store));
}

static void no_more_commits_than_said_are_ahead(void)
{
    const char *path = test_store_path("ahead");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    memory_clear();
    memory.ahead_max = 2;
    REQUIRE(open_at(&store, path, &error) && test_put(store, "a", "1", 0, &error));
    CHECK_NUMBER(memory.finished, 1); /* of the empty store */
    REQUIRE(test_put(store, "b", "1", 0, &error));
    CHECK_NUMBER(memory.finished, 1);
    REQUIRE(test_put(store, "c", "1", 0, &error));
    CHECK_NUMBER(memory.finished, 2);
    CHECK_NUMBER(memory.heads.after.revision, 2);
    store_close(TAKE(store));
    CHECK_NUMBER(open_code(path), ERROR_NONE);
}

/* Of a commit that would wait for nothing but the disk. */
static void it_is_known_whether_a_commit_would_wait(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    memory_clear();
    REQUIRE(open_at(&store, test_store_path("ready"), &error));
    CHECK(!store_is_ready(store)); /* to be remembered before, and to be tidied within */
    store_tidy_apart(store);
    CHECK(!store_is_ready(store));
    REQUIRE(test_put(store, "a", "1", 0, &error));
    CHECK(!store_is_ready(store)); /* one is ahead */
    store_remember(store);
    CHECK(store_is_ready(store)); /* that is known by now */
    memory.fails = true;
    CHECK(!store_is_ready(store));
    memory.fails = false;
    REQUIRE(test_put(store, "b", "1", 0, &error));
    CHECK(!store_is_ready(store));
    REQUIRE(store_confirm(store, &error));
    CHECK(store_is_ready(store));
}

static void without_a_memory_there_is_no_second_commit(void)
{
    const char *path = test_store_path("forgotten");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    memory_clear();
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_put(store, "a", "1", 0, &error));
    memory.fails = true;
    store_remember(store);
    CHECK(!test_put(store, "b", "2", 0, &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    CHECK(!store_confirm(store, &error));
    CHECK(!test_holds(store, "b", "2")); /* not at all, rather than unnoticed */
    memory.fails = false;
    CHECK(test_put(store, "c", "3", 0, &error));
    CHECK(test_holds(store, "c", "3"));
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_holds(store, "a", "1") && test_holds(store, "c", "3"));
    CHECK(!test_holds(store, "b", "2"));
}

static void a_store_without_an_anchor_can_get_one(void)
{
    const char *path = test_store_path("adopted");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    struct sealer sealer = test_sealer_of(&sealing);
    memory_clear();
    REQUIRE(store_open_sqlite(&store, path, &sealer, &error) &&
            test_put(store, "a", "1", 0, &error));
    store_close(TAKE(store));
    copy(path, "", ".a");
    REQUIRE(write_one(path, "b", true));
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

static const struct test tests[] = {
    TEST(an_older_copy_is_refused),
    TEST(a_crash_between_the_two_is_no_rollback),
    TEST(what_is_remembered_beside_leaves_one_head),
    TEST(every_crash_opens_again),
    TEST(no_more_commits_than_said_are_ahead),
    TEST(it_is_known_whether_a_commit_would_wait),
    TEST(without_a_memory_there_is_no_second_commit),
    TEST(a_store_without_an_anchor_can_get_one),
};
TEST_MAIN(tests)
