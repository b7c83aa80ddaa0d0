/* SPDX-License-Identifier: Apache-2.0 */
/* The disk belongs to somebody else: each thing it can do to the file is noticed, at the latest
 * when what was changed is read. */
#include "base/file.h"
#include "crypto/hash.h"
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_sealer sealing;

static bool open_at(struct store **store, const char *path, struct error *error)
{
    struct sealer sealer = test_sealer_of(&sealing);
    return store_open_sqlite(store, path, &sealer, error);
}

enum {
    BLOB_SIZE = 2 * STORE_CHUNK_SIZE + 100
};
static uint8_t blob[BLOB_SIZE];

static struct digest32 blob_digest(void)
{
    memset(blob, 0x5a, sizeof(blob));
    return sha256_of(BYTES_OF(blob));
}

/* Two records, the first of them written twice, and a blob; what the file then held before the
 * second write is beside it. */
static bool make(const char *path)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    struct digest32 digest = blob_digest();
    char command[9000];
    unlink(path);
    bool made = open_at(&store, path, &error) && test_put(store, "a", "old", 0, &error) &&
                test_put(store, "b", "other", 0, &error);
    store_close(TAKE(store));
    snprintf(command, sizeof(command), "cp '%s' '%s.old'", path, path);
    made = made && system(command) == 0 && open_at(&store, path, &error) &&
           test_put(store, "a", "new", 1, &error) &&
           store_blob_put(store, &digest, BYTES_OF(blob), &error);
    CHECK_NOTE(made, "%s", error.text);
    return made;
}

/* Opens and reads everything: the code of the first failure. */
static enum error_code read_all(const char *path)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    if (!open_at(&store, path, &error))
        return error.code;
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, STORE_BLOB_SIZE_MAX);
    struct digest32 digest = blob_digest();
    AUTO_STORE_PAGE struct store_page page = { 0 };
    if (!store_list(store, (struct store_key){ "app", "" }, NULL, 10, &page, &error))
        return error.code;
    for (size_t i = 0; i < page.count; i++) {
        uint64_t revision;
        if (!store_get(store, (struct store_key){ "app", page.entries[i].key }, &value, &revision,
                       &error))
            return error.code;
    }
    if (!store_blob_get(store, &digest, &value, &error))
        return error.code;
    return page.count == 2 ? ERROR_NONE : ERROR_NOT_FOUND;
}

static void every_edit_by_sql_is_noticed(void)
{
    const char *path = test_store_path("edit");
    REQUIRE(make(path));
    CHECK_NUMBER(read_all(path), ERROR_NONE);
    char attach_row[9000], attach_all[9000], attach_head[9000];
    snprintf(attach_row, sizeof(attach_row),
             "ATTACH '%s.old' AS o; DELETE FROM main.record WHERE key='a';"
             "INSERT INTO main.record SELECT * FROM o.record WHERE key='a';",
             path);
    snprintf(attach_all, sizeof(attach_all),
             "ATTACH '%s.old' AS o; DELETE FROM main.record;"
             "INSERT INTO main.record SELECT * FROM o.record;",
             path);
    snprintf(attach_head, sizeof(attach_head),
             "ATTACH '%s.old' AS o; DELETE FROM main.head;"
             "INSERT INTO main.head SELECT * FROM o.head;",
             path);
    const char *const edits[] = {
        "UPDATE record SET value = zeroblob(40) WHERE key='a'",
        "UPDATE record SET value = zeroblob(3) WHERE key='a'",
        "UPDATE record SET value = x'' WHERE key='a'",
        "UPDATE record SET revision = revision + 1 WHERE key='a'",
        "UPDATE record SET revision = 0 WHERE key='a'",
        "UPDATE record SET revision = -1 WHERE key='a'",
        "UPDATE record SET key = 'c' WHERE key='a'",
        "UPDATE record SET space = 'app2' WHERE key='a'",
        "UPDATE record SET key = '' WHERE key='a'",
        "UPDATE record SET key = key || zeroblob(600) WHERE key='a'",
        "DELETE FROM record WHERE key='a'",
        "DELETE FROM record",
        "INSERT INTO record SELECT space, 'copy', revision, value FROM record WHERE key='a'",
        /* swapped values, then whole rows */
        "UPDATE record SET value = (SELECT r.value FROM record r WHERE r.key <> record.key)",
        "UPDATE record SET key = 't' WHERE key='a'; UPDATE record SET key = 'a' WHERE key='b';"
        "UPDATE record SET key = 'b' WHERE key='t'",
        attach_row,
        attach_all,
        attach_head,
        "UPDATE head SET revision = revision + 1",
        "UPDATE head SET revision = 1",
        "UPDATE head SET count = 1",
        "UPDATE head SET mac = zeroblob(32)",
        "UPDATE head SET mac = x''",
        "UPDATE head SET key = zeroblob(60)",
        "DELETE FROM head",
        "UPDATE chunk SET content = zeroblob(100) WHERE position = 1",
        "UPDATE chunk SET content = (SELECT content FROM chunk WHERE position = 0)"
        " WHERE position = 1",
        "UPDATE chunk SET position = position + 10; UPDATE chunk SET position = 12 - position",
        "DELETE FROM chunk WHERE position = 2",
        "UPDATE blob SET size = size - 1",
        "UPDATE blob SET size = 1048576",
        "UPDATE blob SET size = -1",
        "UPDATE blob SET size = 1 << 50",
        "DROP TABLE head",
        "DROP TABLE record; CREATE TABLE record(x)",
        "DROP TABLE chunk",
        "PRAGMA application_id = 5",
        "PRAGMA user_version = 0",
    };
    for (size_t i = 0; i < ARRAY_COUNT(edits); i++) {
        REQUIRE(make(path));
        REQUIRE(test_sql(path, edits[i]));
        enum error_code code = read_all(path);
        CHECK_NOTE(code == ERROR_CORRUPT, "%s: %s", edits[i], error_name(code));
    }
}

static void an_unchanged_copy_stays_good(void)
{
    const char *path = test_store_path("same");
    REQUIRE(make(path));
    REQUIRE(test_sql(path, "VACUUM; REINDEX; CREATE TABLE harmless(x)"));
    CHECK_NUMBER(read_all(path), ERROR_NONE);
    /* Triggers that the disk brings along don't run. */
    REQUIRE(test_sql(path, "CREATE TRIGGER evil AFTER UPDATE ON record BEGIN"
                           " DELETE FROM record; END"));
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_put(store, "b", "changed", 2, &error));
    CHECK(test_holds(store, "b", "changed") && test_holds(store, "a", "new"));
}

static void a_newer_schema_is_refused(void)
{
    const char *path = test_store_path("newer");
    REQUIRE(make(path));
    REQUIRE(test_sql(path, "PRAGMA user_version = 2"));
    CHECK_NUMBER(read_all(path), ERROR_UNSUPPORTED);
    REQUIRE(test_sql(path, "PRAGMA user_version = 1"));
    CHECK_NUMBER(read_all(path), ERROR_NONE);
}

static void another_key_opens_nothing(void)
{
    const char *path = test_store_path("key");
    REQUIRE(make(path));
    sealing.fail_at = sealing.calls + 1;
    CHECK_NUMBER(read_all(path), ERROR_UNAVAILABLE);
    CHECK_NUMBER(read_all(path), ERROR_NONE);
}

static void flipped_pages_never_give_wrong_answers(void)
{
    const char *path = test_store_path("flip");
    struct error error = { 0 };
    REQUIRE(make(path));
    AUTO_BUFFER struct buffer good;
    buffer_init(&good, 64 << 20);
    REQUIRE(file_read(&good, path, &error));
    uint64_t seed = 3;
    unsigned refused = 0;
    for (unsigned i = 0; i < 60; i++) {
        /* the first pages hold schema, head and records */
        size_t at = test_random(&seed) % MIN(good.size, (size_t)(24 << 10));
        good.data[at] ^= (uint8_t)(1u << (test_random(&seed) % 8));
        REQUIRE(file_replace(path, buffer_view(&good), 0600, &error));
        AUTO(store) struct store *store = NULL;
        if (open_at(&store, path, &error)) {
            AUTO_BUFFER struct buffer value;
            buffer_init(&value, STORE_VALUE_SIZE_MAX);
            uint64_t revision;
            if (store_get(store, (struct store_key){ "app", "a" }, &value, &revision, &error))
                CHECK(bytes_equal_string(buffer_view(&value), "new"));
            else
                refused++;
        } else {
            refused++;
        }
        store_close(TAKE(store));
        REQUIRE(make(path));
        REQUIRE(file_read(&good, path, &error));
    }
    CHECK(refused > 0);
}

static void other_files_are_refused(void)
{
    const char *path = test_store_path("other");
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 20);
    for (unsigned i = 0; i < 3000; i++)
        buffer_append_string(&text, "this is not a database. ");
    REQUIRE(file_replace(path, buffer_view(&text), 0600, &error));
    CHECK_NUMBER(read_all(path), ERROR_CORRUPT);
    unlink(path);
    REQUIRE(test_sql(path, "CREATE TABLE somebody_elses(x)"));
    CHECK_NUMBER(read_all(path), ERROR_CORRUPT);
    CHECK_NUMBER(read_all("/nonexistent/folder/x.db"), ERROR_NOT_FOUND);
}

static const struct test tests[] = {
    TEST(every_edit_by_sql_is_noticed),
    TEST(an_unchanged_copy_stays_good),
    TEST(a_newer_schema_is_refused),
    TEST(another_key_opens_nothing),
    TEST(flipped_pages_never_give_wrong_answers),
    TEST(other_files_are_refused),
};
TEST_MAIN(tests)
