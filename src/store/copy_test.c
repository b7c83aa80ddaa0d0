/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that is made while the store is written opens as the store was when it was finished. */
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool fill(struct store *store, unsigned from, unsigned count, struct error *error)
{
    static uint8_t value[9000];
    static char keys[100][32];
    struct store_write writes[100];
    memset(value, (int)from, sizeof(value));
    for (unsigned i = 0; i < count; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%u", from + i);
        writes[i] = (struct store_write){
            STORE_WRITE_PUT, { "a", keys[i] }, BYTES_OF(value), STORE_REVISION_ANY, 0
        };
    }
    return store_apply(store, writes, count, error);
}

static void is_of_one_moment(void)
{
    struct test_sealer context = { 0 };
    struct sealer sealer = test_sealer_of(&context);
    AUTO(store) struct store *store = NULL;
    AUTO(store_copy) struct store_copy *copy = NULL;
    struct error error;
    uint64_t left = 1, all = 0;
    unsigned steps = 0;
    char path[512];
    snprintf(path, sizeof(path), "%s", test_store_path("copy"));
    REQUIRE(store_open_sqlite(&store, test_store_path("from"), &sealer, &error));
    CHECK(fill(store, 0, 100, &error));
    REQUIRE(store_copy_new(&copy, store, path, &error));
    /* Between the steps old records change, new ones come, some go. */
    for (; left > 0; steps++) {
        REQUIRE(store_copy_step(copy, 16, &left, &all, &error));
        if (steps % 4 != 0 || left == 0)
            continue;
        CHECK(fill(store, steps, 3, &error));
        CHECK(test_put(store, "last", "before", STORE_REVISION_ANY, &error));
    }
    CHECK(steps > 10);
    CHECK(test_put(store, "late", "not in it", 0, &error));
    store_copy_free(TAKE(copy));
    CHECK(test_put(store, "later", "not in it", 0, &error));
    AUTO(store) struct store *copied = NULL;
    REQUIRE(store_open_sqlite(&copied, path, &sealer, &error));
    CHECK(test_holds(copied, "last", "before"));
    CHECK(!test_holds(copied, "late", "not in it"));
    struct store_walk walk = { 0 };
    for (bool more = true; more;)
        CHECK_NOTE(store_walk_next(copied, &walk, &more, &error), "%s", error.text);
    CHECK_NUMBER(walk.records, 101);
    unlink(path);
}

static void a_path_that_can_not_be_is_an_error(void)
{
    struct test_sealer context = { 0 };
    struct sealer sealer = test_sealer_of(&context);
    AUTO(store) struct store *store = NULL;
    struct store_copy *copy = NULL;
    struct error error;
    REQUIRE(store_open_sqlite(&store, test_store_path("from2"), &sealer, &error));
    CHECK(!store_copy_new(&copy, store, "/nowhere/at/all", &error));
    CHECK(test_put(store, "k", "v", 0, &error));
}

static const struct test tests[] = { TEST(is_of_one_moment),
                                     TEST(a_path_that_can_not_be_is_an_error) };
TEST_MAIN(tests)
