/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/secrets.h"

#include "core/hex.h"
#include "functions/test_registry.h"
#include "store/store.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct registry_world world;
static struct secrets *secrets;

static bool world_open(const char *name)
{
    struct error error = { 0 };
    store_name = name;
    bool done =
        registry_world_open(&world) && secrets_open(&secrets, world.store, world.audit, &error);
    CHECK_NOTE(done, "%s", error.text);
    return done;
}

static void world_close(void)
{
    secrets_free(TAKE(secrets));
    registry_world_close(&world);
}

static struct secret_owner whose(const char *application, uint8_t owner)
{
    return (struct secret_owner){ application, owner_of(owner) };
}

static bool set_at(const char *application, const char *name, uint64_t version, const char *sealed,
                   int64_t overlap_s, struct error *error)
{
    struct secret_put wanted = { .place = { .owner = owner_of(1), .version = version },
                                 .sealed = bytes_of_string(sealed),
                                 .size = strlen(sealed),
                                 .overlap_s = MAX(overlap_s, (int64_t)0),
                                 .is_rotation = overlap_s >= 0 };
    struct change change = change_of(1);
    snprintf(wanted.place.application, sizeof(wanted.place.application), "%s", application);
    snprintf(wanted.place.name, sizeof(wanted.place.name), "%s", name);
    return secrets_put(secrets, &wanted, &change, error);
}

static bool set(const char *name, uint64_t version, const char *sealed)
{
    struct error error = { 0 };
    bool done = set_at("shop", name, version, sealed, -1, &error);
    CHECK_NOTE(done, "%s", error.text);
    return done;
}

static const char *get_of(const char *application, uint8_t owner, const char *name,
                          uint64_t version)
{
    static char text[64];
    struct secret_owner of = whose(application, owner);
    struct secret_found found;
    struct error error = { 0 };
    if (!secrets_find(secrets, &of, bytes_of_string(name), version, now_s, &found, &error))
        return error.code == ERROR_NOT_FOUND ? "none" : "broken";
    snprintf(text, sizeof(text), "%llu:%.*s", (unsigned long long)found.place.version,
             (int)found.sealed.size, (const char *)found.sealed.data);
    return text;
}

static const char *get(const char *name, uint64_t version)
{
    return get_of("shop", 1, name, version);
}

static void versions_count_and_are_never_given_twice(void)
{
    struct error error = { 0 };
    struct change change = change_of(1);
    struct secret_owner of = whose("shop", 1);
    REQUIRE(world_open("secrets-versions"));
    CHECK_STRING(get("KEY", 0), "none");
    CHECK(!set_at("shop", "KEY", 2, "two", -1, &error) && error.code == ERROR_CONFLICT);
    CHECK(set("KEY", 1, "one"));
    CHECK_STRING(get("KEY", 0), "1:one");
    CHECK_STRING(get("KEY", 1), "1:one");
    CHECK(!set_at("shop", "KEY", 1, "again", -1, &error) && error.code == ERROR_CONFLICT);
    CHECK(set("KEY", 2, "two"));
    CHECK_STRING(get("KEY", 0), "2:two");
    CHECK_STRING(get("KEY", 1), "none"); /* set, not rotated */
    CHECK(secrets_remove(secrets, &of, "KEY", &change, &error));
    CHECK_STRING(get("KEY", 0), "none");
    CHECK(!secrets_remove(secrets, &of, "KEY", &change, &error) && error.code == ERROR_NOT_FOUND);
    CHECK(!secrets_remove(secrets, &of, "OTHER", &change, &error) && error.code == ERROR_NOT_FOUND);
    CHECK(!set_at("shop", "KEY", 1, "replayed", -1, &error) && error.code == ERROR_CONFLICT);
    CHECK(!set_at("shop", "KEY", 2, "replayed", -1, &error) && error.code == ERROR_CONFLICT);
    world_close();
    REQUIRE(world_open("secrets-versions"));
    CHECK_STRING(get("KEY", 0), "none");
    CHECK(!set_at("shop", "KEY", 2, "replayed", -1, &error) && error.code == ERROR_CONFLICT);
    CHECK(set("KEY", 3, "three"));
    world_close();
    REQUIRE(world_open("secrets-versions"));
    CHECK_STRING(get("KEY", 0), "3:three");
    CHECK_STRING(get_of("shop", 2, "KEY", 0),
                 "none"); /* another owner's application of that name */
    CHECK_STRING(get_of("shops", 1, "KEY", 0), "none");
    CHECK_STRING(get_of("sho", 1, "KEY", 0), "none");
    CHECK_STRING(get("KE", 0), "none");
    CHECK_STRING(get("KEYS", 0), "none");
    CHECK_STRING(get("", 0), "none");
    world_close();
}

static void the_old_one_stays_readable_as_long_as_was_said(void)
{
    struct error error = { 0 };
    REQUIRE(world_open("secrets-rotation"));
    CHECK(!set_at("shop", "KEY", 1, "one", 60, &error) && error.code == ERROR_NOT_FOUND);
    CHECK(set("KEY", 1, "one"));
    CHECK(!set_at("shop", "KEY", 2, "two", SECRET_OVERLAP_S_MAX + 1, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(set_at("shop", "KEY", 2, "two", 60, &error));
    CHECK_STRING(get("KEY", 0), "2:two");
    CHECK_STRING(get("KEY", 1), "1:one");
    now_s += 30;
    CHECK(set_at("shop", "KEY", 3, "three", 60, &error));
    CHECK_STRING(get("KEY", 1), "1:one");
    CHECK_STRING(get("KEY", 2), "2:two");
    now_s += 29;
    CHECK(secrets_sweep(secrets, now_s, &error));
    CHECK_STRING(get("KEY", 1), "1:one");
    now_s += 1;
    CHECK_STRING(get("KEY", 1), "none"); /* before it is swept, too */
    CHECK(secrets_sweep(secrets, now_s, &error));
    CHECK_STRING(get("KEY", 2), "2:two");
    world_close();
    REQUIRE(world_open("secrets-rotation"));
    CHECK_STRING(get("KEY", 1), "none");
    CHECK_STRING(get("KEY", 2), "2:two");
    CHECK_STRING(get("KEY", 0), "3:three");
    now_s += 31;
    CHECK_STRING(get("KEY", 2), "none");
    CHECK(set("KEY", 4, "four"));
    CHECK_STRING(get("KEY", 3), "none");
    for (uint64_t version = 5; version < 4 + SECRET_VERSION_COUNT_MAX; version++)
        CHECK(set_at("shop", "KEY", version, "more", 1000, &error));
    CHECK(!set_at("shop", "KEY", 4 + SECRET_VERSION_COUNT_MAX, "more", 1000, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(set_at("shop", "KEY", 4 + SECRET_VERSION_COUNT_MAX, "all others end", 0, &error));
    CHECK_STRING(get("KEY", 5), "none");
    world_close();
}

/* Nothing of a value that has gone is in the store any more. */
static void what_ends_is_destroyed(void)
{
    struct error error = { 0 };
    struct store_page page = { 0 };
    struct change change = change_of(1);
    struct secret_owner of = whose("shop", 1);
    struct store_key prefix = { STORE_SPACE_NODE, "secret-values/" };
    REQUIRE(world_open("secrets-gone"));
    CHECK(set("KEY", 1, "one") && set_at("shop", "KEY", 2, "two", 10, &error) && set("B", 1, "b"));
    REQUIRE(store_list(world.store, prefix, NULL, 100, &page, &error));
    CHECK_NUMBER(page.count, 3);
    store_page_done(&page);
    now_s += 10;
    CHECK(secrets_sweep(secrets, now_s, &error));
    REQUIRE(store_list(world.store, prefix, NULL, 100, &page, &error));
    CHECK_NUMBER(page.count, 2);
    store_page_done(&page);
    CHECK(secrets_remove(secrets, &of, "KEY", &change, &error));
    REQUIRE(store_list(world.store, prefix, NULL, 100, &page, &error));
    CHECK_NUMBER(page.count, 1);
    store_page_done(&page);
    CHECK(set_at("shop2", "B", 1, "another application's", -1, &error) && set("C", 1, "c"));
    CHECK(secrets_forget(secrets, &of, now_s, &error));
    CHECK(secrets_forget(secrets, &of, now_s, &error)); /* nothing is left to do */
    CHECK_STRING(get("B", 0), "none");
    CHECK_STRING(get_of("shop2", 1, "B", 0), "1:another application's");
    CHECK(!set_at("shop", "B", 1, "replayed", -1, &error) && error.code == ERROR_CONFLICT);
    REQUIRE(store_list(world.store, prefix, NULL, 100, &page, &error));
    CHECK_NUMBER(page.count, 1);
    store_page_done(&page);
    world_close();
}

static size_t audit_count(const char *part)
{
    struct error error;
    struct digest32 owner = owner_of(1);
    AUTO_JSON json_t *entries = NULL;
    bool more;
    size_t count = 0, index;
    json_t *entry;
    CHECK(audit_read(world.audit, &owner, 1, 1000, &entries, &more, &error));
    json_array_foreach(entries, index, entry) count +=
        strstr(json_string_value(entry), part) != NULL;
    return count;
}

static void every_change_and_release_is_accounted_for(void)
{
    struct error error = { 0 };
    struct change change = change_of(1);
    struct secret_owner of = whose("shop", 1);
    struct secret_receiver first = { "quote", "1.0", { { 1 } } },
                           second = { "quote", "1.1", { { 2 } } };
    REQUIRE(world_open("secrets-audit"));
    CHECK(set("KEY", 1, "one") && set_at("shop", "KEY", 2, "two", 60, &error));
    CHECK_NUMBER(audit_count("\"secret-set\",") + audit_count("\"secret-rotate\","), 2);
    struct secret_place place = {
        .application = "shop", .owner = owner_of(1), .name = "KEY", .version = 2
    };
    for (int i = 0; i < 5; i++)
        CHECK(secrets_release(secrets, &place, &first, now_s, &error));
    CHECK(secrets_release(secrets, &place, &second, now_s, &error));
    CHECK_NUMBER(audit_count("\"secret-release\","), 2);
    CHECK(secrets_sweep(secrets, now_s, &error));
    CHECK_NUMBER(audit_count("4 further releases"), 1);
    CHECK(secrets_sweep(secrets, now_s, &error)); /* nothing new */
    CHECK_NUMBER(audit_count("secret-sweep"), 1);
    world_close();
    REQUIRE(world_open("secrets-audit"));
    json_t *list = NULL;
    REQUIRE(secrets_list(secrets, &of, "KEY", now_s, &list, &error));
    const json_t *row = json_array_get(json_object_get(list, "secrets"), 0);
    CHECK_NUMBER(json_integer_value(json_object_get(row, "next")), 3);
    CHECK_NUMBER(json_array_size(json_object_get(row, "versions")), 2);
    CHECK_NUMBER(json_array_size(json_object_get(row, "history")), 2);
    const json_t *release = json_array_get(json_object_get(row, "releases"), 0);
    CHECK_NUMBER(json_integer_value(json_object_get(release, "count")), 5);
    CHECK_STRING(json_string_value(json_object_get(release, "function")), "quote");
    json_decref(list);
    CHECK(secrets_remove(secrets, &of, "KEY", &change, &error));
    CHECK(!secrets_release(secrets, &place, &first, now_s,
                           &error)); /* gone while it was on its way */
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    REQUIRE(secrets_list(secrets, &of, NULL, now_s, &list, &error));
    row = json_array_get(json_object_get(list, "secrets"), 0);
    CHECK_NUMBER(json_integer_value(json_object_get(row, "next")), 3);
    CHECK_NUMBER(json_array_size(json_object_get(row, "versions")), 0);
    json_decref(list);
    CHECK(!secrets_list(secrets, &of, "NONE", now_s, &list, &error) &&
          error.code == ERROR_NOT_FOUND);
    of = whose("shop", 2);
    REQUIRE(secrets_list(secrets, &of, NULL, now_s, &list, &error));
    CHECK_NUMBER(json_array_size(json_object_get(list, "secrets")), 0);
    json_decref(list);
    world_close();
}

static void an_application_has_limits(void)
{
    struct error error = { 0 };
    char name[16];
    char *large = calloc(1, SECRET_VALUE_SIZE_MAX + 1);
    REQUIRE(large != NULL && world_open("secrets-limits"));
    memset(large, 'x', SECRET_VALUE_SIZE_MAX);
    for (int i = 0; i < SECRETS_SIZE_MAX / SECRET_VALUE_SIZE_MAX; i++) {
        snprintf(name, sizeof(name), "L%d", i);
        CHECK(set(name, 1, large));
    }
    CHECK(!set_at("shop", "MORE", 1, "x", -1, &error) && error.code == ERROR_LIMIT);
    CHECK(set("L0", 2, large)); /* in the place of another one */
    CHECK(set_at("shop2", "MORE", 1, "x", -1, &error));
    for (int i = 0; i < SECRET_COUNT_MAX - 1; i++) {
        snprintf(name, sizeof(name), "S%d", i);
        CHECK(set_at("shop2", name, 1, "x", -1, &error));
    }
    CHECK(!set_at("shop2", "ONE_MORE", 1, "x", -1, &error) && error.code == ERROR_LIMIT);
    CHECK(!set_at("shop2", "a/b", 1, "x", -1, &error) && error.code == ERROR_INVALID);
    free(large);
    world_close();
}

static bool opens(struct error *error)
{
    AUTO(secrets) struct secrets *again = NULL;
    return secrets_open(&again, world.store, world.audit, error);
}

static void a_record_that_is_not_whole_is_none(void)
{
    struct error error = { 0 };
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct secret_place place = {
        .application = "shop", .name = "KEY", .owner = owner_of(1), .version = 1
    };
    struct secret_receiver receiver = { .function = "f", .version = "1" };
    REQUIRE(world_open("secrets-judged"));
    REQUIRE(set("KEY", 1, "one"));
    REQUIRE(secrets_release(secrets, &place, &receiver, now_s, &error));
    REQUIRE(store_list(world.store, (struct store_key){ STORE_SPACE_NODE, "secrets/" }, NULL, 2,
                       &page, &error) &&
            page.count == 1);
    check_record_is_judged(world.store, page.entries[0].key, NULL, opens);
    world_close();
}

static void what_cannot_be_written_is_not_so(void)
{
    struct error error = { 0 };
    struct change change = change_of(1);
    struct secret_owner of = whose("shop", 1);
    struct secret_place place = {
        .application = "shop", .name = "KEY", .owner = owner_of(1), .version = 1
    };
    struct secret_receiver receiver = { .function = "f", .version = "1" };
    REQUIRE(world_open("secrets-full"));
    REQUIRE(set("KEY", 1, "one"));
    store_is_full = true;
    CHECK(!set_at("shop", "KEY", 2, "two", -1, &error) && error.code == ERROR_NO_SPACE);
    CHECK(!set_at("shop", "NEW", 1, "new", -1, &error));
    CHECK(!secrets_remove(secrets, &of, "KEY", &change, &error));
    CHECK(!secrets_release(secrets, &place, &receiver, now_s, &error)); /* nor handed out */
    store_is_full = false;
    CHECK_STRING(get("KEY", 0), "1:one");
    CHECK_STRING(get("NEW", 0), "none");
    CHECK(secrets_release(secrets, &place, &receiver, now_s, &error));
    CHECK(set("KEY", 2, "two"));
    world_close();
}

/* Names that were once used count too, for their numbers are kept. */
static void an_application_has_so_many_names(void)
{
    struct error error = { 0 };
    struct change change = change_of(1);
    struct secret_owner of = whose("shop", 1);
    char name[16];
    REQUIRE(world_open("secrets-names"));
    for (int i = 0; i < SECRET_RECORD_COUNT_MAX; i++) {
        snprintf(name, sizeof(name), "N%d", i);
        REQUIRE(set(name, 1, "x") && secrets_remove(secrets, &of, name, &change, &error));
    }
    CHECK(!set_at("shop", "ONE_MORE", 1, "x", -1, &error) && error.code == ERROR_LIMIT);
    CHECK(set("N0", 2, "x"));
    CHECK(set_at("shop2", "ONE_MORE", 1, "x", -1, &error));
    world_close();
}

static const struct test tests[] = {
    TEST(a_record_that_is_not_whole_is_none),
    TEST(what_cannot_be_written_is_not_so),
    TEST(an_application_has_so_many_names),
    TEST(versions_count_and_are_never_given_twice),
    TEST(the_old_one_stays_readable_as_long_as_was_said),
    TEST(what_ends_is_destroyed),
    TEST(every_change_and_release_is_accounted_for),
    TEST(an_application_has_limits),
};
TEST_MAIN(tests)
