/* SPDX-License-Identifier: Apache-2.0 */
/* What every backend must do, tried on sqlite. */
#include "store/store.h"

#include "base/file.h"
#include "crypto/hash.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_sealer sealing;
static const struct store_key greeting = { "app", "greeting" };

static bool open_at(struct store **store, const char *path, struct error *error)
{
    sealing = (struct test_sealer){ 0 };
    struct sealer sealer = test_sealer_of(&sealing);
    return store_open_sqlite(store, path, &sealer, error);
}

static void keeps_what_was_put(void)
{
    const char *path = test_store_path("keeps");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, path, &error));
    uint64_t first = 0, second = 0;
    REQUIRE(store_put(store, greeting, BYTES_LITERAL("hello"), 0, &first, &error));
    CHECK(first > 0);
    CHECK(test_holds(store, "greeting", "hello"));
    REQUIRE(store_put(store, greeting, BYTES_LITERAL("hello again"), first, &second, &error));
    CHECK(second > first);
    struct stat status;
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_holds(store, "greeting", "hello again"));
    REQUIRE(store_delete(store, greeting, second, &error));
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, 100);
    CHECK(!store_get(store, greeting, &value, &first, &error) && error.code == ERROR_NOT_FOUND);
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    CHECK(!store_get(store, greeting, &value, &first, &error) && error.code == ERROR_NOT_FOUND);
    REQUIRE(store_put(store, greeting, BYTES_LITERAL(""), 0, &first, &error));
    CHECK(first > second); /* never a revision twice */
    CHECK(test_holds(store, "greeting", ""));
}

static void compares_and_swaps(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, test_store_path("cas"), &error));
    uint64_t revision = 0, untouched = 77;
    CHECK(!store_put(store, greeting, BYTES_LITERAL("x"), 5, &untouched, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK_NUMBER(untouched, 77);
    REQUIRE(store_put(store, greeting, BYTES_LITERAL("x"), 0, &revision, &error));
    CHECK(!store_put(store, greeting, BYTES_LITERAL("y"), 0, &untouched, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK(!store_put(store, greeting, BYTES_LITERAL("y"), revision + 1, &untouched, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK(!store_delete(store, greeting, revision + 1, &error) && error.code == ERROR_CONFLICT);
    CHECK(!store_delete(store, (struct store_key){ "app", "other" }, 0, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(test_holds(store, "greeting", "x"));
    /* The same key in another space is another record. */
    CHECK(store_put(store, (struct store_key){ "app2", "greeting" }, BYTES_LITERAL("z"), 0,
                    &untouched, &error));
    CHECK(test_holds(store, "greeting", "x"));
}

static void applies_batches_whole_or_not(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, test_store_path("batch"), &error));
    struct store_write writes[] = {
        { .kind = STORE_WRITE_PUT, .key = { "app", "a" }, .value = BYTES_LITERAL("1") },
        { .kind = STORE_WRITE_PUT, .key = { "app", "b" }, .value = BYTES_LITERAL("2") },
        { .kind = STORE_WRITE_PUT, .key = { "node", "c" }, .value = BYTES_LITERAL("3") },
    };
    REQUIRE(store_apply(store, writes, ARRAY_COUNT(writes), &error));
    CHECK(writes[0].revision < writes[1].revision && writes[1].revision < writes[2].revision);
    struct store_write mixed[] = {
        { .kind = STORE_WRITE_DELETE, .key = { "app", "a" }, .if_revision = writes[0].revision },
        { .kind = STORE_WRITE_PUT, .key = { "app", "b" }, .value = BYTES_LITERAL("22") },
    };
    CHECK(!store_apply(store, mixed, 2, &error) && error.code == ERROR_CONFLICT);
    CHECK(test_holds(store, "a", "1") && test_holds(store, "b", "2"));
    mixed[1].if_revision = writes[1].revision;
    REQUIRE(store_apply(store, mixed, 2, &error));
    CHECK(test_holds(store, "b", "22"));
    struct store_write twice[] = { mixed[1], mixed[1] };
    CHECK(!store_apply(store, twice, 2, &error) && error.code == ERROR_INVALID);
    struct store_write many[STORE_WRITES_MAX + 1] = { 0 };
    CHECK(!store_apply(store, many, ARRAY_COUNT(many), &error) && error.code == ERROR_LIMIT);
    CHECK(store_apply(store, many, 0, &error));
}

static void sealer_failure_changes_nothing(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, test_store_path("sealer"), &error));
    CHECK(test_put(store, "a", "1", 0, &error));
    sealing.calls = 0;
    sealing.fail_at = 2;
    struct store_write writes[] = {
        { .kind = STORE_WRITE_PUT, .key = { "app", "b" }, .value = BYTES_LITERAL("2") },
        { .kind = STORE_WRITE_PUT, .key = { "app", "c" }, .value = BYTES_LITERAL("3") },
    };
    CHECK(!store_apply(store, writes, 2, &error) && error.code == ERROR_UNAVAILABLE);
    sealing.fail_at = 0;
    CHECK(test_holds(store, "a", "1"));
    CHECK(test_put(store, "b", "2", 0, &error));
}

static void refuses_bad_names_and_sizes(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, test_store_path("names"), &error));
    char space_long[STORE_SPACE_SIZE_MAX + 2], key_long[STORE_KEY_SIZE_MAX + 2];
    memset(space_long, 'a', sizeof(space_long));
    space_long[sizeof(space_long) - 1] = '\0';
    memset(key_long, 'a', sizeof(key_long));
    key_long[sizeof(key_long) - 1] = '\0';
    const struct store_key wrong[] = {
        { "", "k" },       { "a", "" },         { "a\n", "k" },
        { "a", "k\x1f" },  { "a", "\xff\xfe" }, { STORE_SPACE_BLOBS, "k" },
        { "a", key_long }, { space_long, "k" }, { STORE_SPACE_HEAD, "k" },
    };
    uint64_t revision;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK(!store_put(store, wrong[i], BYTES_LITERAL("v"), 0, &revision, &error) &&
              error.code == ERROR_INVALID);
    key_long[STORE_KEY_SIZE_MAX] = '\0';
    space_long[STORE_SPACE_SIZE_MAX] = '\0';
    struct store_key longest = { space_long, key_long };
    uint8_t *value = calloc(1, STORE_VALUE_SIZE_MAX + 1);
    REQUIRE(value != NULL);
    CHECK(store_put(store, longest, bytes_of(value, STORE_VALUE_SIZE_MAX), 0, &revision, &error));
    AUTO_BUFFER struct buffer back;
    buffer_init(&back, STORE_VALUE_SIZE_MAX);
    CHECK(store_get(store, longest, &back, &revision, &error) && back.size == STORE_VALUE_SIZE_MAX);
    CHECK(!store_put(store, longest, bytes_of(value, STORE_VALUE_SIZE_MAX + 1), revision, &revision,
                     &error) &&
          error.code == ERROR_LIMIT);
    free(value);
}

static void lists_by_prefix_in_pages(void)
{
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, test_store_path("list"), &error));
    static const char *const keys[] = { "app/b", "app/a", "app/c", "apq", "ap", "app/a/x", "z" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        CHECK(test_put(store, keys[i], "v", 0, &error));
    uint64_t revision;
    CHECK(store_put(store, (struct store_key){ "other", "app/o" }, BYTES_LITERAL("v"), 0, &revision,
                    &error));
    AUTO_STORE_PAGE struct store_page page = { 0 };
    REQUIRE(store_list(store, (struct store_key){ "app", "app/" }, NULL, 3, &page, &error));
    CHECK(page.count == 3 && page.more);
    CHECK_STRING(page.entries[0].key, "app/a");
    CHECK_STRING(page.entries[1].key, "app/a/x");
    CHECK_STRING(page.entries[2].key, "app/b");
    CHECK(page.entries[0].revision == 2);
    char after[STORE_KEY_SIZE_MAX + 1];
    memcpy(after, page.entries[2].key, sizeof(after));
    store_page_done(&page);
    REQUIRE(store_list(store, (struct store_key){ "app", "app/" }, after, 3, &page, &error));
    CHECK(page.count == 1 && !page.more);
    CHECK_STRING(page.entries[0].key, "app/c");
    store_page_done(&page);
    REQUIRE(
        store_list(store, (struct store_key){ "app", "" }, NULL, STORE_LIST_MAX, &page, &error));
    CHECK(page.count == ARRAY_COUNT(keys) && !page.more);
    store_page_done(&page);
    REQUIRE(store_list(store, (struct store_key){ "app", "app/" }, NULL, 4, &page, &error));
    CHECK(page.count == 4 && !page.more);
    store_page_done(&page);
    REQUIRE(store_list(store, (struct store_key){ "app", "nothing" }, NULL, 4, &page, &error));
    CHECK(page.count == 0 && !page.more);
    store_page_done(&page);
    CHECK(!store_list(store, (struct store_key){ "app", "" }, NULL, 0, &page, &error));
    CHECK(!store_list(store, (struct store_key){ "app", "" }, NULL, STORE_LIST_MAX + 1, &page,
                      &error));
}

static bool blob_round_trip(struct store *store, struct bytes content)
{
    struct error error = { 0 };
    struct digest32 digest = sha256_of(content);
    AUTO_BUFFER struct buffer back;
    buffer_init(&back, STORE_BLOB_SIZE_MAX);
    uint64_t size = 0;
    AUTO_CLOSE int file = -1;
    struct bytes mapped = { 0 };
    bool same = store_blob_put(store, &digest, content, &error) &&
                store_blob_put(store, &digest, content, &error) &&
                store_blob_size(store, &digest, &size, &error) && size == content.size &&
                store_blob_get(store, &digest, &back, &error) &&
                bytes_equal(buffer_view(&back), content) &&
                store_blob_open(store, &digest, &file, &error);
    if (same && content.size > 0) {
        same = file_map(&mapped, file, &error) && bytes_equal(mapped, content) &&
               write(file, "x", 1) != 1;
        file_unmap(&mapped);
    }
    CHECK_NOTE(same, "%s", error.text);
    return same;
}

static void keeps_blobs_by_digest(void)
{
    const char *path = test_store_path("blobs");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, path, &error));
    static const size_t sizes[] = {
        0, 1, STORE_CHUNK_SIZE - 1, STORE_CHUNK_SIZE, STORE_CHUNK_SIZE + 1, 3 * STORE_CHUNK_SIZE
    };
    uint8_t *data = malloc(3 * STORE_CHUNK_SIZE);
    REQUIRE(data != NULL);
    uint64_t seed = 7;
    for (size_t i = 0; i < 3 * STORE_CHUNK_SIZE; i++)
        data[i] = (uint8_t)test_random(&seed);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
        CHECK(blob_round_trip(store, bytes_of(data, sizes[i])));
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
        CHECK(blob_round_trip(store, bytes_of(data, sizes[i])));
    struct digest32 digest = sha256_of(bytes_of(data, 1));
    CHECK(!store_blob_put(store, &digest, bytes_of(data, 2), &error) &&
          error.code == ERROR_INVALID);
    REQUIRE(store_blob_delete(store, &digest, &error));
    CHECK(!store_blob_delete(store, &digest, &error) && error.code == ERROR_NOT_FOUND);
    uint64_t size;
    CHECK(!store_blob_size(store, &digest, &size, &error) && error.code == ERROR_NOT_FOUND);
    AUTO_BUFFER struct buffer small;
    buffer_init(&small, 100);
    digest = sha256_of(bytes_of(data, STORE_CHUNK_SIZE));
    CHECK(!store_blob_get(store, &digest, &small, &error) && error.code == ERROR_LIMIT);
    free(data);
}

/* SQLite remembers its own process's locks by itself; only another process sees whether the file is
 * locked. */
static void other_processes_see_the_lock(void)
{
    const char *path = test_store_path("locked");
    AUTO(store) struct store *store = NULL;
    struct error error = { 0 };
    REQUIRE(open_at(&store, path, &error));
    pid_t pid = fork();
    if (pid == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int file = open(path, O_RDWR | O_CLOEXEC);
        _exit(file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void second_opener_is_told_busy(void)
{
    const char *path = test_store_path("busy");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    AUTO(store) struct store *second = NULL;
    REQUIRE(open_at(&store, path, &error));
    CHECK(test_put(store, "a", "1", 0, &error));
    CHECK(!open_at(&second, path, &error) && error.code == ERROR_BUSY);
    CHECK(test_holds(store, "a", "1"));
}

static void many_records_come_and_go(void)
{
    const char *path = test_store_path("many");
    struct error error = { 0 };
    AUTO(store) struct store *store = NULL;
    REQUIRE(open_at(&store, path, &error));
    enum {
        COUNT = 400
    };
    static uint64_t revisions[COUNT];
    uint64_t seed = 11;
    for (unsigned step = 0; step < 1500; step++) {
        unsigned which = (unsigned)(test_random(&seed) % COUNT);
        char key[16];
        snprintf(key, sizeof(key), "%u", which);
        struct store_key place = { "app", key };
        bool done;
        if (revisions[which] != 0 && test_random(&seed) % 2 == 0) {
            done = store_delete(store, place, revisions[which], &error);
            revisions[which] = 0;
        } else {
            done = store_put(store, place, bytes_of_string(key), revisions[which],
                             &revisions[which], &error);
        }
        REQUIRE(done);
    }
    store_close(TAKE(store));
    REQUIRE(open_at(&store, path, &error));
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, 64);
    for (unsigned i = 0; i < COUNT; i++) {
        char key[16];
        uint64_t revision = 0;
        snprintf(key, sizeof(key), "%u", i);
        buffer_clear(&value);
        bool found = store_get(store, (struct store_key){ "app", key }, &value, &revision, &error);
        CHECK(found == (revisions[i] != 0) && revision == revisions[i]);
        CHECK(!found || bytes_equal_string(buffer_view(&value), key));
    }
}

static const struct test tests[] = {
    TEST(keeps_what_was_put),           TEST(compares_and_swaps),
    TEST(applies_batches_whole_or_not), TEST(sealer_failure_changes_nothing),
    TEST(refuses_bad_names_and_sizes),  TEST(lists_by_prefix_in_pages),
    TEST(keeps_blobs_by_digest),        TEST(second_opener_is_told_busy),
    TEST(other_processes_see_the_lock), TEST(many_records_come_and_go),
};
TEST_MAIN(tests)
