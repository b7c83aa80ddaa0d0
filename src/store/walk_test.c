/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over all there is meets every record and blob, and whatever was done to one of them is
 * found, named, and hides nothing else. */
#include "crypto/hash.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

struct seen {
    struct store_walk walk;
    unsigned bad;
    char first[sizeof(((struct error *)0)->text)];
};

static void walk(struct store *store, struct seen *seen)
{
    *seen = (struct seen){ 0 };
    for (bool more = true; more;) {
        struct error error = { 0 };
        if (store_walk_next(store, &seen->walk, &more, &error))
            continue;
        CHECK_NUMBER(error.code, ERROR_CORRUPT);
        if (seen->bad++ == 0)
            snprintf(seen->first, sizeof(seen->first), "%s", error.text);
    }
}

static struct digest32 blob_put(struct store *store, size_t size)
{
    static uint8_t content[3 << 20];
    struct error error;
    memset(content, (int)size & 0xff, size);
    struct digest32 digest = sha256_of(bytes_of(content, size));
    CHECK(store_blob_put(store, &digest, bytes_of(content, size), &error));
    return digest;
}

/* Two hundred records in three spaces, three blobs. */
static struct store *filled(const char *path, struct test_sealer *context)
{
    struct sealer sealer = test_sealer_of(context);
    struct store *store = NULL;
    struct error error;
    static const char *const spaces[] = { "a", "b", "node" };
    if (!store_open_sqlite(&store, path, &sealer, &error))
        return NULL;
    static char keys[200][32];
    static struct store_write writes[200];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(keys[i], sizeof(keys[i]), "record/%u", i);
        writes[i] = (struct store_write){
            STORE_WRITE_PUT, { spaces[i % 3], keys[i] }, bytes_of_string(keys[i]), 0, 0
        };
    }
    CHECK(store_apply(store, writes, ARRAY_COUNT(writes), &error));
    blob_put(store, 0);
    blob_put(store, 5);
    blob_put(store, (2 << 20) + 77);
    return store;
}

static void meets_everything(void)
{
    struct test_sealer context = { 0 };
    struct store *store = filled(test_store_path("all"), &context);
    struct seen seen;
    REQUIRE(store != NULL);
    walk(store, &seen);
    CHECK_NUMBER(seen.bad, 0);
    CHECK_NUMBER(seen.walk.records, 200);
    CHECK_NUMBER(seen.walk.records_all, 200);
    CHECK_NUMBER(seen.walk.blobs, 3);
    CHECK_NUMBER(seen.walk.blobs_all, 3);
    CHECK(seen.walk.bytes > (2 << 20) + 77 + 5);
    store_close(store);
}

static void an_empty_store_is_good(void)
{
    struct test_sealer context = { 0 };
    struct sealer sealer = test_sealer_of(&context);
    struct store *store = NULL;
    struct error error;
    struct seen seen;
    REQUIRE(store_open_sqlite(&store, test_store_path("empty"), &sealer, &error));
    walk(store, &seen);
    CHECK_NUMBER(seen.bad, 0);
    store_close(store);
}

/* The keys are read when the store is opened, so what concerns them is found then; the rest by the
 * walk, each by its name and nothing beside it. */
static void finds_what_was_changed(void)
{
    static const struct {
        const char *name, *sql, *said;
        unsigned bad;
    } cases[] = {
        { "value",
          "UPDATE record SET value = CAST(x'00' || substr(value, 2) AS BLOB)"
          " WHERE key = 'record/7'",
          "record/7", 1 },
        { "swapped",
          "UPDATE record SET value = (SELECT value FROM record WHERE key = 'record/10') WHERE key ="
          " 'record/13'",
          "record/13", 1 },
        { "two", "UPDATE record SET value = x'00' WHERE key IN ('record/3', 'record/150')",
          "record/150", 2 },
        { "cut", "UPDATE record SET value = substr(value, 1, 5) WHERE key = 'record/99'",
          "record/99", 1 },
        { "chunk",
          "UPDATE chunk SET content = CAST(substr(content, 1, 99) || x'ff' || substr(content, 101)"
          " AS BLOB)"
          " WHERE blob = 3 AND position = 1",
          "sha256:", 1 },
        { "missing", "DELETE FROM chunk WHERE blob = 3 AND position = 2", "missing", 1 },
        { "stray", "INSERT INTO chunk SELECT 77, 0, content FROM chunk LIMIT 1", "no blob", 1 },
        { "longer", "INSERT INTO chunk SELECT blob, 9, content FROM chunk WHERE blob = 2 LIMIT 1",
          "no blob", 1 },
        { "digest", "UPDATE blob SET digest = x'00' WHERE id = 2", "no digest", 1 },
        { "size", "UPDATE blob SET size = 6 WHERE id = 2", "sha256:", 1 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct test_sealer context = { 0 };
        struct sealer sealer = test_sealer_of(&context);
        const char *path = test_store_path(cases[i].name);
        struct error error;
        struct seen seen;
        store_close(filled(path, &context));
        CHECK(test_sql(path, cases[i].sql));
        struct store *store = NULL;
        REQUIRE(store_open_sqlite(&store, path, &sealer, &error));
        walk(store, &seen);
        CHECK_NOTE(seen.bad == cases[i].bad && strstr(seen.first, cases[i].said) != NULL,
                   "%s: %u, %s", cases[i].name, seen.bad, seen.first);
        CHECK_NUMBER(seen.walk.records, 200);
        CHECK_NUMBER(seen.walk.blobs, 3);
        store_close(store);
    }
}

static void goes_on_beside_writers(void)
{
    struct test_sealer context = { 0 };
    struct store *store = filled(test_store_path("beside"), &context);
    struct store_walk walk = { 0 };
    struct error error = { 0 };
    unsigned calls = 0, bad = 0;
    REQUIRE(store != NULL);
    for (bool more = true; more; calls++) {
        if (!store_walk_next(store, &walk, &more, &error))
            bad++;
        if (calls % 16 != 0)
            continue;
        struct store_write writes[] = {
            { STORE_WRITE_PUT, { "a", "new" }, bytes_of_string("x"), STORE_REVISION_ANY, 0 },
            { STORE_WRITE_DELETE, { "node", "record/197" }, { 0 }, STORE_REVISION_ANY, 0 },
        };
        CHECK(store_apply(store, writes, ARRAY_COUNT(writes), &error));
    }
    CHECK_NOTE(bad == 0, "%s", error.text);
    CHECK(calls > 200);
    store_close(store);
}

static const struct test tests[] = { TEST(meets_everything), TEST(an_empty_store_is_good),
                                     TEST(finds_what_was_changed), TEST(goes_on_beside_writers) };
TEST_MAIN(tests)
