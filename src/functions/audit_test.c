/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log and the batches that it is written with. */
#include "functions/audit.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const struct audit_event event = { "deploy", "shop@1", "why" };

static bool write_events(struct audit *audit, uint8_t owner, unsigned count)
{
    struct change change = change_of(owner);
    struct error error;
    bool done = true;
    for (unsigned i = 0; i < count; i++)
        done = done && audit_write(audit, &change, &event, &error);
    return done;
}

/* All of an owner's texts, checked as one chain. */
static bool check_all(struct audit *audit, uint8_t owner, uint64_t count)
{
    struct digest32 id = owner_of(owner);
    struct audit_head head = { 0 }, told;
    struct error error;
    AUTO_JSON json_t *entries = NULL;
    bool more;
    if (!audit_read(audit, &id, 1, 100, &entries, &more, &error) || more ||
        json_array_size(entries) != count)
        return false;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *text = json_string_value(json_array_get(entries, i));
        if (!audit_check(&head, bytes_of_string(text), &error))
            return false;
    }
    return audit_head(audit, &id, &told, &error) && told.number == head.number &&
           digest32_equal(&told.digest, &head.digest);
}

static void keeps_a_chain_for_each_owner(void)
{
    struct registry_world world = { 0 };
    store_name = "chains";
    REQUIRE(registry_world_open(&world));
    CHECK(write_events(world.audit, 1, 3) && write_events(world.audit, 2, 1) &&
          write_events(world.audit, 1, 2));
    CHECK(check_all(world.audit, 1, 5) && check_all(world.audit, 2, 1));
    CHECK(check_all(world.audit, 3, 0));
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world)); /* it goes on after a restart */
    CHECK(write_events(world.audit, 1, 1));
    CHECK(check_all(world.audit, 1, 6) && check_all(world.audit, 2, 1));
    registry_world_close(&world);
}

static void reads_page_by_page(void)
{
    struct registry_world world = { 0 };
    struct digest32 id = owner_of(1);
    struct error error;
    bool more;
    store_name = "pages";
    REQUIRE(registry_world_open(&world));
    CHECK(write_events(world.audit, 1, 5));
    for (uint64_t first = 0; first < 8; first++) {
        AUTO_JSON json_t *entries = NULL;
        REQUIRE(audit_read(world.audit, &id, first, 2, &entries, &more, &error));
        uint64_t from = first == 0 ? 1 : first;
        size_t count = from > 5 ? 0 : MIN((size_t)2, (size_t)(6 - from));
        CHECK_NUMBER((int64_t)json_array_size(entries), (int64_t)count);
        CHECK(more == (from + count <= 5));
    }
    registry_world_close(&world);
}

static void notices_what_is_not_the_chain(void)
{
    struct registry_world world = { 0 };
    struct digest32 id = owner_of(1);
    struct error error;
    AUTO_JSON json_t *entries = NULL;
    bool more;
    store_name = "changed";
    REQUIRE(registry_world_open(&world));
    CHECK(write_events(world.audit, 1, 3));
    REQUIRE(audit_read(world.audit, &id, 1, 10, &entries, &more, &error));
    struct bytes texts[3];
    for (size_t i = 0; i < 3; i++)
        texts[i] = bytes_of_string(json_string_value(json_array_get(entries, i)));
    struct audit_head head = { 0 };
    CHECK(!audit_check(&head, texts[1], &error) && error.code == ERROR_UNVERIFIED); /* cut */
    CHECK(audit_check(&head, texts[0], &error));
    CHECK(!audit_check(&head, texts[0], &error)); /* twice */
    CHECK(!audit_check(&head, texts[2], &error)); /* a gap */
    struct audit_head second = head;
    CHECK(audit_check(&second, texts[1], &error) && audit_check(&second, texts[2], &error));
    /* An edited entry is no longer what the next one names. */
    char edited[1024];
    REQUIRE(texts[1].size < sizeof(edited));
    memcpy(edited, texts[1].data, texts[1].size);
    edited[texts[1].size] = '\0';
    memcpy(strstr(edited, "deploy"), "delete", 6);
    CHECK(audit_check(&head, bytes_of(edited, texts[1].size), &error));
    CHECK(!audit_check(&head, texts[2], &error));
    CHECK(!audit_check(&head, BYTES_LITERAL("{}"), &error));
    CHECK(!audit_check(&head, BYTES_LITERAL("["), &error));
    registry_world_close(&world);
}

static bool has_record(struct store *store, const char *key)
{
    AUTO_BUFFER struct buffer value;
    uint64_t revision;
    struct error error;
    buffer_init(&value, 1 << 16);
    return store_get(store, (struct store_key){ STORE_SPACE_NODE, key }, &value, &revision, &error);
}

/* The entry and its change: both or none. */
static void writes_an_entry_with_its_change(void)
{
    struct registry_world world = { 0 };
    struct change change = change_of(1);
    struct error error;
    store_name = "both";
    REQUIRE(registry_world_open(&world));
    {
        AUTO_BATCH struct batch batch;
        batch_init(&batch);
        batch_put(&batch, "thing", BYTES_LITERAL("1"), 0);
        CHECK(audit_apply(world.audit, &batch, world.store, &change, &event, &error));
    }
    CHECK(has_record(world.store, "thing") && check_all(world.audit, 1, 1));
    {
        AUTO_BATCH struct batch batch;
        batch_init(&batch);
        batch_put(&batch, "other", BYTES_LITERAL("1"), 0);
        batch_put(&batch, "thing", BYTES_LITERAL("2"), 77); /* not its revision */
        CHECK(!audit_apply(world.audit, &batch, world.store, &change, &event, &error));
        CHECK(error.code == ERROR_CONFLICT);
    }
    CHECK(!has_record(world.store, "other") && check_all(world.audit, 1, 1));
    CHECK(write_events(world.audit, 1, 1) && check_all(world.audit, 1, 2));
    CHECK(audit_write(NULL, &change, &event, &error)); /* no log */
    registry_world_close(&world);
}

static void a_batch_fails_as_a_whole(void)
{
    struct registry_world world = { 0 };
    struct error error;
    char key[BATCH_KEY_SIZE + 1];
    store_name = "batch";
    REQUIRE(registry_world_open(&world));
    for (int too_much = 0; too_much < 3; too_much++) {
        AUTO_BATCH struct batch batch;
        batch_init(&batch);
        unsigned count = too_much == 0 ? STORE_WRITES_MAX : STORE_WRITES_MAX + 1;
        if (too_much == 2) {
            memset(key, 'k', BATCH_KEY_SIZE);
            key[BATCH_KEY_SIZE] = '\0';
            batch_put(&batch, key, BYTES_LITERAL("v"), 0);
            count = 1;
        }
        for (unsigned i = 0; i < count; i++) {
            snprintf(key, sizeof(key), "batch/%d/%u", too_much, i);
            batch_put(&batch, key, BYTES_LITERAL("v"), 0);
        }
        if (too_much == 0)
            CHECK(batch_room(&batch) == 0);
        CHECK(batch_apply(&batch, world.store, &error) == (too_much == 0));
        snprintf(key, sizeof(key), "batch/%d/0", too_much);
        CHECK(has_record(world.store, key) == (too_much == 0));
    }
    AUTO_BATCH struct batch nothing;
    batch_init(&nothing);
    CHECK(batch_apply(&nothing, world.store, &error));
    batch_delete(&nothing, "batch/0/0", 1234567);
    CHECK(!batch_apply(&nothing, world.store, &error) && error.code == ERROR_CONFLICT);
    CHECK(has_record(world.store, "batch/0/0"));
    registry_world_close(&world);
}

/* What is exported is judged byte by byte: only the text that the node wrote is an entry. */
static void an_entry_has_one_form(void)
{
    struct registry_world world = { 0 };
    struct digest32 id = owner_of(1);
    struct audit_head head = { 0 };
    struct error error;
    AUTO_JSON json_t *entries = NULL;
    bool more;
    store_name = "form";
    REQUIRE(registry_world_open(&world) && write_events(world.audit, 1, 1) &&
            audit_read(world.audit, &id, 1, 10, &entries, &more, &error));
    const char *text = json_string_value(json_array_get(entries, 0));
    AUTO_JSON json_t *tree = NULL;
    REQUIRE(text != NULL && json_parse(&tree, bytes_of_string(text), &error));
    static char changed[2 * AUDIT_ENTRY_SIZE_MAX];
    snprintf(changed, sizeof(changed), "%s ", text);
    CHECK(!audit_check(&head, bytes_of_string(changed), &error));
    snprintf(changed, sizeof(changed), "{ %s", text + 1);
    CHECK(!audit_check(&head, bytes_of_string(changed), &error));
    CHECK(!audit_check(&head, bytes_of(text, strlen(text) - 1), &error));
    CHECK(!audit_check(&head, BYTES_LITERAL("[]"), &error));
    const char *name;
    json_t *member;
    AUTO_JSON json_t *copy = json_deep_copy(tree);
    json_object_foreach(copy, name, member)
    {
        AUTO_BUFFER struct buffer without;
        buffer_init(&without, AUDIT_ENTRY_SIZE_MAX);
        json_object_del(tree, name);
        REQUIRE(json_canonical(&without, tree, &error));
        CHECK_NOTE(!audit_check(&head, buffer_view(&without), &error), "without %s", name);
        json_object_set(tree, name, member);
    }
    AUTO_BUFFER struct buffer with;
    buffer_init(&with, sizeof(changed));
    json_object_set_new(tree, "more", json_true());
    REQUIRE(json_canonical(&with, tree, &error));
    CHECK(!audit_check(&head, buffer_view(&with), &error));
    json_object_del(tree, "more");
    memset(changed, 'x', AUDIT_ENTRY_SIZE_MAX);
    changed[AUDIT_ENTRY_SIZE_MAX] = '\0';
    json_object_set_new(tree, "detail", json_string(changed));
    buffer_clear(&with);
    REQUIRE(json_canonical(&with, tree, &error));
    CHECK(!audit_check(&head, buffer_view(&with), &error));
    CHECK_NUMBER(head.number, 0);
    CHECK(audit_check(&head, bytes_of_string(text), &error) && head.number == 1);
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(an_entry_has_one_form),
    TEST(keeps_a_chain_for_each_owner),
    TEST(reads_page_by_page),
    TEST(notices_what_is_not_the_chain),
    TEST(writes_an_entry_with_its_change),
    TEST(a_batch_fails_as_a_whole),
};
TEST_MAIN(tests)
