/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of every version that was released open, with all that is in them; a change of the form is
 * whole or nothing; what a newer S3N wrote is refused and left alone.
 *
 * tests/data/kept/store-v1.db is a store as version 1 wrote it, under the tests' key; never made
 * anew once that version was released (tests/data/kept/make.bash). */
#include "base/file.h"
#include "crypto/hash.h"
#include "store/migrations.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RECORD_COUNT = 40,
    BLOB_SIZE = 5000
};

static struct bytes blob_content(void)
{
    static uint8_t content[BLOB_SIZE];
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * 3);
    return BYTES_OF(content);
}

/* What a kept store holds. */
static bool fill(struct store *store, struct error *error)
{
    static char keys[RECORD_COUNT][32];
    struct store_write writes[RECORD_COUNT];
    for (unsigned i = 0; i < RECORD_COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "record/%02u", i);
        writes[i] = (struct store_write){
            STORE_WRITE_PUT, { i % 2 == 0 ? "a" : "node", keys[i] }, bytes_of_string(keys[i]), 0, 0
        };
    }
    struct digest32 digest = sha256_of(blob_content());
    return store_apply(store, writes, RECORD_COUNT, error) &&
           store_delete(store, (struct store_key){ "a", "record/10" }, STORE_REVISION_ANY, error) &&
           store_blob_put(store, &digest, blob_content(), error);
}

static bool is_whole(struct store *store)
{
    struct store_walk walk = { 0 };
    struct error error;
    AUTO_BUFFER struct buffer content;
    struct digest32 digest = sha256_of(blob_content());
    buffer_init(&content, 1 << 20);
    for (bool more = true; more;) {
        if (!store_walk_next(store, &walk, &more, &error))
            return false;
    }
    bool good = walk.records == RECORD_COUNT - 1 && walk.blobs == 1 &&
                store_blob_get(store, &digest, &content, &error) &&
                bytes_equal(buffer_view(&content), blob_content());
    for (unsigned i = 0; good && i < RECORD_COUNT; i++) {
        char key[32];
        uint64_t revision;
        AUTO_BUFFER struct buffer value;
        buffer_init(&value, 64);
        snprintf(key, sizeof(key), "record/%02u", i);
        bool is_there = store_get(store, (struct store_key){ i % 2 == 0 ? "a" : "node", key },
                                  &value, &revision, &error);
        good = is_there == (i != 10) &&
               (!is_there || (bytes_equal_string(buffer_view(&value), key) && revision == i + 1));
    }
    return good;
}

/* A copy of the kept store to work on. */
static const char *kept(const char *name)
{
    const char *path = test_store_path(name);
    struct error error;
    CHECK(file_replace(path, test_file("tests/data/kept/store-v1.db"), 0600, &error));
    return path;
}

static struct test_sealer context;

static bool opens(const char *path, const struct schema *schema, struct error *error)
{
    struct sealer sealer = test_sealer_of(&context);
    AUTO(store) struct store *store = NULL;
    return store_open_schema(&store, path, &sealer, NULL, schema, error) && is_whole(store);
}

static long version_of(const char *path)
{
    long version = -1;
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_open(path, &database) == SQLITE_OK &&
        sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = (long)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return version;
}

/* What versions 2 and 3 could be. */
static bool fill_column(struct sqlite_store *sqlite, struct error *error)
{
    return sqlite3_exec(sqlite->database, "UPDATE blob SET used = size * 2", NULL, NULL, NULL) ==
               SQLITE_OK ||
           sqlite_fail(sqlite, "fill", error);
}
static const struct migration to_three[] = {
    { "ALTER TABLE blob ADD COLUMN used INTEGER NOT NULL DEFAULT 0", fill_column },
    { "CREATE TABLE lease(name TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID",
      NULL },
};
static const struct schema three = { 3, to_three };

static void every_released_version_opens(void)
{
    struct error error = { 0 };
    CHECK_NOTE(opens(kept("v1"), &store_schema, &error), "%s", error.text);
}

static void steps_are_taken_in_order_and_once(void)
{
    const char *path = kept("steps");
    struct error error = { 0 };
    CHECK_NOTE(opens(path, &three, &error), "%s", error.text);
    CHECK_NUMBER(version_of(path), 3);
    CHECK(test_sql(path, "INSERT INTO lease VALUES('x', 1)"));
    CHECK(test_sql(path, "CREATE TABLE proof(good INTEGER CHECK(good = 1));"
                         "INSERT INTO proof SELECT used = 2 * size FROM blob; DROP TABLE proof"));
    CHECK_NOTE(opens(path, &three, &error), "%s", error.text);
}

static void a_newer_one_is_refused_and_not_touched(void)
{
    const char *path = kept("newer");
    struct error error = { 0 };
    CHECK(opens(path, &three, &error));
    CHECK(!opens(path, &store_schema, &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
    CHECK(strstr(error.text, "newer") != NULL);
    CHECK_NUMBER(version_of(path), 3);
    CHECK_NOTE(opens(path, &three, &error), "%s", error.text);
}

static bool fail_here(struct sqlite_store *sqlite UNUSED, struct error *error)
{
    return error_set(error, ERROR_NO_SPACE, "the disk is full");
}
static bool die_here(struct sqlite_store *sqlite UNUSED, struct error *error UNUSED)
{
    _exit(9);
}
static bool lose_here(struct sqlite_store *sqlite, struct error *error)
{
    return sqlite3_exec(sqlite->database, "DELETE FROM record WHERE key = 'record/03'", NULL, NULL,
                        NULL) == SQLITE_OK ||
           sqlite_fail(sqlite, "lose", error);
}

static void a_step_that_fails_changes_nothing(void)
{
    static const struct {
        struct migration second;
        const char *said;
    } cases[] = {
        { { "CREATE TABLE record(a)", NULL }, "from schema 2 to 3" },
        { { NULL, fail_here }, "the disk is full" },
        { { NULL, lose_here }, "not those that were written last" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct migration steps[] = { to_three[0], cases[i].second };
        struct schema schema = { 3, steps };
        struct error error = { 0 };
        char name[16];
        snprintf(name, sizeof(name), "fails%zu", i);
        const char *path = kept(name);
        CHECK(!opens(path, &schema, &error));
        CHECK_NOTE(strstr(error.text, cases[i].said) != NULL, "%s", error.text);
        CHECK_NUMBER(version_of(path), 1);
        CHECK_NOTE(opens(path, &store_schema, &error), "%s", error.text);
        CHECK_NOTE(opens(path, &three, &error), "%s", error.text);
    }
}

static void a_crash_in_the_middle_changes_nothing(void)
{
    for (size_t at = 0; at < 2; at++) {
        struct migration steps[] = { to_three[0], to_three[1] };
        struct schema schema = { 3, steps };
        struct error error = { 0 };
        int status = 0;
        const char *path = kept(at == 0 ? "dies0" : "dies1");
        steps[at].run = die_here;
        pid_t child = fork();
        if (child == 0)
            _exit(opens(path, &schema, &error) ? 0 : 1);
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 9);
        CHECK_NOTE(opens(path, &store_schema, &error), "%s", error.text);
        CHECK_NUMBER(version_of(path), 1);
        CHECK_NOTE(opens(path, &three, &error), "%s", error.text);
    }
}

static void new_stores_have_the_present_version(void)
{
    struct error error = { 0 };
    struct sealer sealer = test_sealer_of(&context);
    struct store *store = NULL;
    const char *path = test_store_path("fresh");
    REQUIRE(store_open_sqlite(&store, path, &sealer, &error));
    store_close(store);
    CHECK_NUMBER(version_of(path), STORE_SCHEMA_VERSION);
}

static const struct test tests[] = {
    TEST(every_released_version_opens),           TEST(steps_are_taken_in_order_and_once),
    TEST(a_newer_one_is_refused_and_not_touched), TEST(a_step_that_fails_changes_nothing),
    TEST(a_crash_in_the_middle_changes_nothing),  TEST(new_stores_have_the_present_version)
};

static int keep(const char *path)
{
    struct error error = { 0 };
    struct sealer sealer = test_sealer_of(&context);
    struct store *store = NULL;
    bool done = store_open_sqlite(&store, path, &sealer, &error) && fill(store, &error);
    store_close(store);
    if (!done)
        fprintf(stderr, "%s\n", error.text);
    return done ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--keep") == 0)
        return keep(argv[2]);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
