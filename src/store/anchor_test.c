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
    bool known, has_begun, loses, fails;
} memory;

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
    memory.has_begun = false;
    if (memory.fails)
        return error_set(error, ERROR_UNAVAILABLE, "nobody remembers");
    if (!memory.loses) { /* a crash: it was not on its disk yet */
        memory.heads = memory.begun;
        memory.known = true;
    }
    return true;
}

static bool open_at(struct store **store, const char *path, struct error *error)
{
    struct sealer sealer = test_sealer_of(&sealing);
    struct store_anchor anchor = { NULL, memory_read, memory_begin, memory_finish };
    return store_open_anchored(store, path, &sealer, &anchor, error);
}

/* Writes once and closes. */
static bool write_one(const char *path, const char *key, bool confirms)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    bool done = open_at(&store, path, &error) && test_put(store, key, "value", 0, &error) &&
                (!confirms || store_confirm(store, &error));
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
    memset(&memory, 0, sizeof(memory));
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

static void a_crash_between_the_two_is_no_rollback(void)
{
    const char *path = test_store_path("crash");
    memset(&memory, 0, sizeof(memory));
    REQUIRE(write_one(path, "a", true));
    /* The store has it, the memory does not. */
    memory.loses = true;
    REQUIRE(write_one(path, "b", false));
    memory.loses = false;
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    copy(path, "", ".b");
    /* The memory has it, the store does not. */
    struct store_heads before = memory.heads;
    REQUIRE(write_one(path, "c", false));
    CHECK(memory.heads.after.revision > before.after.revision);
    copy(path, ".b", "");
    CHECK_NUMBER(open_code(path), ERROR_NONE);
    REQUIRE(write_one(path, "d", true)); /* and goes on from there */
    copy(path, ".b", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

static void what_is_confirmed_leaves_one_head(void)
{
    const char *path = test_store_path("confirmed");
    memset(&memory, 0, sizeof(memory));
    REQUIRE(write_one(path, "a", true));
    copy(path, "", ".a");
    REQUIRE(write_one(path, "b", false));
    copy(path, "", ".b");
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_NONE); /* as after a crash: docs/store.md says so */
    copy(path, ".b", "");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, path, &error) && store_confirm(store, &error));
    store_close(TAKE(store));
    copy(path, ".a", "");
    CHECK_NUMBER(open_code(path), ERROR_CORRUPT);
}

static void what_nobody_remembers_is_not_acknowledged(void)
{
    const char *path = test_store_path("forgotten");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    memset(&memory, 0, sizeof(memory));
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_put(store, "a", "1", 0, &error));
    memory.fails = true;
    CHECK(!test_put(store, "b", "2", 0, &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    memory.fails = false;
    CHECK(test_put(store, "c", "3", 0, &error));
    CHECK(test_holds(store, "c", "3"));
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_holds(store, "a", "1") && test_holds(store, "c", "3"));
}

static void a_store_without_an_anchor_can_get_one(void)
{
    const char *path = test_store_path("adopted");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    struct sealer sealer = test_sealer_of(&sealing);
    memset(&memory, 0, sizeof(memory));
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
    TEST(what_is_confirmed_leaves_one_head),
    TEST(what_nobody_remembers_is_not_acknowledged),
    TEST(a_store_without_an_anchor_can_get_one),
};
TEST_MAIN(tests)
