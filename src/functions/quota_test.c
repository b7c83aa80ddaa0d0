/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/limits.h"
#include "functions/quota.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

enum {
    HOUR_S = 3600
};

static struct digest32 owner_number(unsigned number)
{
    struct digest32 owner = { 0 };
    memcpy(owner.bytes, &number, sizeof(number));
    return owner;
}

/* NULL when it fits, else the quota's name. */
static const char *verdict(const struct quota_limits *limits, struct quota_use used,
                           struct quota_use more)
{
    static char name[64];
    AUTO(quotas) struct quotas *quotas = NULL;
    struct error error;
    CHECK(quotas_new(&quotas, limits, &error));
    CHECK(memcmp(quotas_limits(quotas), limits, sizeof(*limits)) == 0);
    if (quotas_check(quotas, &used, &more, &error))
        return NULL;
    CHECK(error.code == ERROR_LIMIT);
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(error.text, ":"), error.text);
    return name;
}

static void names_the_first_limit_that_breaks(void)
{
    const struct quota_limits limits = { .applications = 2, .versions = 5, .mib = 1 };
    const struct quota_use mib = { .bytes = 1 << 20 };
    CHECK(verdict(&limits, (struct quota_use){ 0 }, (struct quota_use){ 2, 5, 1 << 20 }) == NULL);
    CHECK_STRING(verdict(&limits, (struct quota_use){ 1, 0, 0 }, (struct quota_use){ 2, 9, 0 }),
                 "quotas.applications");
    CHECK_STRING(verdict(&limits, (struct quota_use){ 1, 5, 0 }, (struct quota_use){ 1, 1, 0 }),
                 "quotas.versions");
    CHECK_STRING(verdict(&limits, mib, (struct quota_use){ 0, 0, 1 }), "quotas.mib");
    CHECK_STRING(verdict(&limits, mib, (struct quota_use){ 0, 0, UINT64_MAX }), "quotas.mib");
}

/* An operator who lowers a quota takes nothing away, and less is always accepted. */
static void asks_only_for_what_is_more(void)
{
    const struct quota_limits limits = { .applications = 2, .versions = 5, .mib = 1 };
    const struct quota_use above = { 9, 90, UINT64_MAX };
    CHECK(verdict(&limits, above, (struct quota_use){ 0 }) == NULL);
    CHECK_STRING(verdict(&limits, above, (struct quota_use){ 0, 1, 0 }), "quotas.versions");
}

static void has_no_limits_without_numbers(void)
{
    const struct quota_limits none = { 0 };
    struct error error;
    struct digest32 owner = owner_number(1);
    struct quota_use most = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
    CHECK(verdict(&none, most, most) == NULL);
    CHECK(quotas_check(NULL, &most, &most, &error));
    CHECK(quotas_invoke(NULL, &owner, 0, &error));
    CHECK(quotas_invocations(NULL, &owner, 0) == 0);
}

static void counts_invocations_of_each_owner_by_the_hour(void)
{
    const struct quota_limits limits = { .invocations_per_hour = 3 };
    AUTO(quotas) struct quotas *quotas = NULL;
    struct error error;
    struct digest32 first = owner_number(1), second = owner_number(2);
    int64_t at_s = 1000 * HOUR_S;
    REQUIRE(quotas_new(&quotas, &limits, &error));
    for (int i = 0; i < 3; i++)
        CHECK(quotas_invoke(quotas, &first, at_s + i, &error));
    CHECK(!quotas_invoke(quotas, &first, at_s + HOUR_S - 1, &error));
    CHECK(error.code == ERROR_LIMIT && strstr(error.text, "quotas.invocations_per_hour") != NULL);
    CHECK(quotas_invoke(quotas, &second, at_s, &error));
    CHECK_NUMBER((int64_t)quotas_invocations(quotas, &first, at_s), 3);
    CHECK_NUMBER((int64_t)quotas_invocations(quotas, &second, at_s), 1);
    CHECK_NUMBER((int64_t)quotas_invocations(quotas, &first, at_s + HOUR_S), 0);
    CHECK(quotas_invoke(quotas, &first, at_s + HOUR_S, &error));
    CHECK_NUMBER((int64_t)quotas_invocations(quotas, &first, at_s + HOUR_S), 1);
}

static void counts_at_most_so_many_owners(void)
{
    const struct quota_limits limits = { .invocations_per_hour = 1 };
    AUTO(quotas) struct quotas *quotas = NULL;
    struct error error;
    REQUIRE(quotas_new(&quotas, &limits, &error));
    for (unsigned i = 0; i < OWNER_COUNT_MAX; i++) {
        struct digest32 owner = owner_number(i);
        CHECK(quotas_invoke(quotas, &owner, 0, &error));
    }
    struct digest32 other = owner_number(OWNER_COUNT_MAX);
    CHECK(!quotas_invoke(quotas, &other, 0, &error) && error.code == ERROR_LIMIT);
}

/* A restart gives nobody another hour's worth. */
static void counts_go_on_after_a_restart(void)
{
    const struct quota_limits limits = { .invocations_per_hour = 3 };
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 first = owner_number(1), second = owner_number(2);
    int64_t at_s = 1000 * HOUR_S;
    store_name = "quotas";
    REQUIRE(registry_world_open(&world));
    for (int restart = 0; restart < 3; restart++) {
        AUTO(quotas) struct quotas *quotas = NULL;
        REQUIRE(quotas_new(&quotas, &limits, &error) && quotas_load(quotas, world.store, &error));
        CHECK_NUMBER((int64_t)quotas_invocations(quotas, &first, at_s), restart);
        CHECK(quotas_invoke(quotas, &first, at_s, &error));
        if (restart == 0)
            CHECK(quotas_invoke(quotas, &second, at_s, &error));
        CHECK(quotas_keep(quotas, world.store, &error));
        CHECK(quotas_keep(quotas, world.store, &error)); /* nothing new: not written again */
    }
    AUTO(quotas) struct quotas *last = NULL;
    REQUIRE(quotas_new(&last, &limits, &error) && quotas_load(last, world.store, &error));
    CHECK(!quotas_invoke(last, &first, at_s + HOUR_S - 1, &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK_NUMBER((int64_t)quotas_invocations(last, &second, at_s), 1);
    CHECK(quotas_invoke(last, &first, at_s + HOUR_S, &error));
    CHECK(quotas_keep(NULL, world.store, &error));
    registry_world_close(&world);
}

static void refuses_counts_that_are_none(void)
{
    static const char *const wrong[] = {
        "{",
        "{\"00\":[1,2]}",
        "{\"0000000000000000000000000000000000000000000000000000000000000001\":[1]}",
        "{\"0000000000000000000000000000000000000000000000000000000000000001\":[1,-2]}",
        "{\"zz00000000000000000000000000000000000000000000000000000000000001\":[1,2]}",
    };
    const struct quota_limits limits = { .invocations_per_hour = 3 };
    struct registry_world world = { 0 };
    struct error error = { 0 };
    store_name = "wrong-quotas";
    REQUIRE(registry_world_open(&world));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        AUTO(quotas) struct quotas *quotas = NULL;
        uint64_t revision;
        struct store_key key = { STORE_SPACE_NODE, "quota-invocations" };
        REQUIRE(store_put(world.store, key, bytes_of_string(wrong[i]), STORE_REVISION_ANY,
                          &revision, &error));
        REQUIRE(quotas_new(&quotas, &limits, &error));
        CHECK_NOTE(!quotas_load(quotas, world.store, &error), "%s", wrong[i]);
    }
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(names_the_first_limit_that_breaks), TEST(asks_only_for_what_is_more),
    TEST(has_no_limits_without_numbers),     TEST(counts_invocations_of_each_owner_by_the_hour),
    TEST(counts_at_most_so_many_owners),     TEST(counts_go_on_after_a_restart),
    TEST(refuses_counts_that_are_none),
};
TEST_MAIN(tests)
