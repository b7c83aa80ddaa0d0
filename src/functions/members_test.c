/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/members.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct ecdsa_public new_public(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    struct error error = { 0 };
    struct ecdsa_public none = { 0 };
    CHECK_NOTE(ecdsa_key_generate(&key, &error), "%s", error.text);
    return key == NULL ? none : *ecdsa_key_public(key);
}

static struct member member_of(uint8_t account, enum access_role role, const char *application)
{
    struct member member = { .account = owner_of(account), .key = new_public(), .role = role };
    snprintf(member.application, sizeof(member.application), "%s", application);
    snprintf(member.name, sizeof(member.name), "someone");
    member.id = ecdsa_public_id(&member.key);
    return member;
}

static void keeps_roles(void)
{
    struct registry_world world = { 0 };
    store_name = "members";
    REQUIRE(registry_world_open(&world));
    AUTO(members) struct members *members = NULL;
    struct error error = { 0 };
    struct change change = change_of(1);
    struct digest32 one = owner_of(1), two = owner_of(2);
    REQUIRE(members_open(&members, world.store, world.audit, &error));
    struct member first = member_of(1, ACCESS_ROLE_READER, "");
    struct member second = member_of(1, ACCESS_ROLE_DEPLOYER, "app");
    CHECK(members_put(members, &first, &change, &error));
    CHECK(members_put(members, &second, &change, &error));
    CHECK(members_find(members, &two, &first.id) == NULL);
    CHECK(members_first(members, &first.id) == members_find(members, &one, &first.id));
    first.role = ACCESS_ROLE_OWNER; /* the same key again: another role */
    CHECK(members_put(members, &first, &change, &error));
    CHECK_NUMBER(members_count(members), 2);

    AUTO(members) struct members *again = NULL;
    REQUIRE(members_open(&again, world.store, world.audit, &error));
    const struct member *found = members_find(again, &one, &first.id);
    REQUIRE(found != NULL && members_count(again) == 2);
    CHECK(found->role == ACCESS_ROLE_OWNER && found->application[0] == '\0' &&
          strcmp(found->name, "someone") == 0 && ecdsa_public_equal(&found->key, &first.key));
    found = members_find(again, &one, &second.id);
    CHECK(found != NULL && strcmp(found->application, "app") == 0);

    CHECK(!members_remove(again, &two, &first.id, &change, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(members_remove(again, &one, &first.id, &change, &error));
    CHECK(members_find(again, &one, &first.id) == NULL && members_count(again) == 1);
    CHECK(!members_remove(again, &one, &first.id, &change, &error));

    /* each is in the log, in order */
    static const char *const actions[] = { "member-add", "member-add", "member-change",
                                           "member-remove" };
    AUTO_JSON json_t *entries = NULL;
    bool more;
    REQUIRE(audit_read(world.audit, &one, 1, 10, &entries, &more, &error));
    CHECK_NUMBER(json_array_size(entries), ARRAY_COUNT(actions));
    for (size_t i = 0; i < json_array_size(entries); i++)
        CHECK(strstr(json_string_value(json_array_get(entries, i)), actions[i]) != NULL);
    registry_world_close(&world);
}

static void limits_an_account(void)
{
    struct registry_world world = { 0 };
    store_name = "members-limit";
    REQUIRE(registry_world_open(&world));
    AUTO(members) struct members *members = NULL;
    struct error error = { 0 };
    struct change change = change_of(1);
    REQUIRE(members_open(&members, world.store, world.audit, &error));
    struct member member = member_of(1, ACCESS_ROLE_READER, "");
    for (size_t i = 0; i < MEMBER_OF_ACCOUNT_MAX; i++) {
        member = member_of(1, ACCESS_ROLE_READER, "");
        CHECK(members_put(members, &member, &change, &error));
    }
    CHECK(members_put(members, &member, &change, &error));
    struct member over = member_of(1, ACCESS_ROLE_READER, "");
    CHECK(!members_put(members, &over, &change, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    over.account = owner_of(2);
    CHECK(members_put(members, &over, &change, &error));
    registry_world_close(&world);
}

static struct registry_world judged;

static bool opens(struct error *error)
{
    AUTO(members) struct members *members = NULL;
    return members_open(&members, judged.store, judged.audit, error);
}

static void a_record_that_is_not_whole_is_none(void)
{
    struct error error = { 0 };
    struct change change = change_of(1);
    AUTO_STORE_PAGE struct store_page page = { 0 };
    store_name = "members-judged";
    REQUIRE(registry_world_open(&judged));
    AUTO(members) struct members *members = NULL;
    REQUIRE(members_open(&members, judged.store, judged.audit, &error));
    struct member member = member_of(1, ACCESS_ROLE_READER, "");
    REQUIRE(members_put(members, &member, &change, &error));
    REQUIRE(store_list(judged.store, (struct store_key){ STORE_SPACE_NODE, "members/" }, NULL, 2,
                       &page, &error) &&
            page.count == 1);
    check_record_is_judged(judged.store, page.entries[0].key, "logs", opens);
    registry_world_close(&judged);
}

static void what_cannot_be_written_is_not_so(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct change change = change_of(1);
    struct digest32 one = owner_of(1);
    store_name = "members-full";
    REQUIRE(registry_world_open(&world));
    AUTO(members) struct members *members = NULL;
    REQUIRE(members_open(&members, world.store, world.audit, &error));
    struct member there = member_of(1, ACCESS_ROLE_READER, "");
    struct member new = member_of(1, ACCESS_ROLE_OWNER, "");
    REQUIRE(members_put(members, &there, &change, &error));
    store_is_full = true;
    CHECK(!members_put(members, &new, &change, &error) && error.code == ERROR_NO_SPACE);
    CHECK(members_find(members, &one, &new.id) == NULL);
    there.role = ACCESS_ROLE_OWNER;
    CHECK(!members_put(members, &there, &change, &error));
    CHECK(!members_remove(members, &one, &there.id, &change, &error));
    store_is_full = false;
    const struct member *found = members_find(members, &one, &there.id);
    CHECK(found != NULL && found->role == ACCESS_ROLE_READER);
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(a_record_that_is_not_whole_is_none),
    TEST(what_cannot_be_written_is_not_so),
    TEST(keeps_roles),
    TEST(limits_an_account),
};

TEST_MAIN(tests)
