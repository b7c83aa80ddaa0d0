/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/test_registry.h"
#include "functions/tokens.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

enum {
    NOW_S = 1800000000
};

/* The API makes none like it any more; those that are there are read. */
#define NAME_OF_OLD "c\xc2\x9bi"

static struct api_token wanted_of(uint8_t account, const char *name)
{
    struct api_token wanted = { .account = owner_of(account),
                                .creator = owner_of(account),
                                .scopes = 1u << ACCESS_SCOPE_READ | 1u << ACCESS_SCOPE_DEPLOY,
                                .expires_s = NOW_S + 100 };
    snprintf(wanted.name, sizeof(wanted.name), "%s", name);
    snprintf(wanted.application, sizeof(wanted.application), "app");
    return wanted;
}

static bool make(struct tokens *tokens, uint8_t account, char text[TOKEN_TEXT_SIZE + 1],
                 struct token_id *id)
{
    struct api_token wanted = wanted_of(account, NAME_OF_OLD);
    const struct api_token *made = NULL;
    struct change change = change_of(account);
    struct error error = { 0 };
    change.now_s = NOW_S;
    bool done = tokens_create(tokens, &wanted, &change, text, &made, &error);
    CHECK_NOTE(done, "%s", error.text);
    if (done)
        *id = made->id;
    return done;
}

static bool is_used(struct tokens *tokens, const char *text, int64_t now, const char *reason)
{
    const struct api_token *found = NULL;
    struct error error = { 0 };
    if (tokens_use(tokens, bytes_of_string(text), now, &found, &error))
        return true;
    CHECK_NUMBER(error.code, ERROR_UNAUTHENTICATED);
    CHECK_NOTE(reason != NULL && strstr(error.text, reason) != NULL, "%s", error.text);
    return false;
}

static void knows_its_own(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1], other[TOKEN_TEXT_SIZE + 1], cut[TOKEN_TEXT_SIZE + 1];
    struct token_id id, unused;
    struct error error = { 0 };
    store_name = "tokens";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error) && make(tokens, 1, text, &id) &&
            make(tokens, 2, other, &unused));
    CHECK(is_used(tokens, text, NOW_S, NULL));
    CHECK(is_used(tokens, text, NOW_S + 99, NULL));
    CHECK(!is_used(tokens, text, NOW_S + 100, "expired"));
    memcpy(cut, text, sizeof(cut));
    cut[TOKEN_TEXT_SIZE - 1] = '\0';
    CHECK(!is_used(tokens, cut, NOW_S, "cut or mistyped"));
    CHECK(!is_used(tokens, "s3n_", NOW_S, "cut or mistyped"));
    CHECK(!is_used(tokens, "ghp_abc", NOW_S, "no API token"));

    /* after a restart too, with the account, scopes and application that it was made for */
    AUTO(tokens) struct tokens *again = NULL;
    const struct api_token *found = NULL;
    REQUIRE(tokens_open(&again, world.store, world.audit, &error));
    CHECK_NUMBER(tokens_count(again), 2);
    REQUIRE(tokens_use(again, bytes_of_string(text), NOW_S, &found, &error));
    struct api_token wanted = wanted_of(1, NAME_OF_OLD);
    CHECK(found->scopes == wanted.scopes && strcmp(found->application, "app") == 0 &&
          strcmp(found->name, NAME_OF_OLD) == 0 &&
          digest32_equal(&found->account, &wanted.account) &&
          found->expires_s == wanted.expires_s && found->created_s == NOW_S);

    /* nobody else's, and once */
    struct digest32 one = owner_of(1), two = owner_of(2);
    struct change change = change_of(1);
    CHECK(tokens_find(again, &two, &id) == NULL);
    CHECK(!tokens_revoke(again, &two, &id, &change, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(tokens_revoke(again, &one, &id, &change, &error));
    CHECK(!is_used(again, text, NOW_S, "revoked"));
    CHECK(is_used(again, other, NOW_S, NULL));
    CHECK(!tokens_revoke(again, &one, &id, &change, &error));
    registry_world_close(&world);
}

static void stores_no_text(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1], record[64];
    struct token_id id;
    struct error error = { 0 };
    uint64_t revision;
    store_name = "tokens-hash";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, 1 << 16);
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error) && make(tokens, 1, text, &id));
    snprintf(record, sizeof(record), "tokens/%s", token_id_text(&id).text);
    REQUIRE(store_get(world.store, (struct store_key){ STORE_SPACE_NODE, record }, &value,
                      &revision, &error));
    buffer_append(&value, bytes_of("", 1));
    CHECK(strstr((const char *)value.data, "\"hash\":\"") != NULL);
    CHECK(strstr((const char *)value.data, text + TOKEN_PREFIX_SIZE) == NULL);
    registry_world_close(&world);
}

static void refuses_those_of_another_node(void)
{
    struct registry_world world = { 0 }, other = { 0 };
    char text[TOKEN_TEXT_SIZE + 1];
    struct token_id id;
    struct error error = { 0 };
    store_name = "tokens-here";
    REQUIRE(registry_world_open(&world));
    store_name = "tokens-there";
    REQUIRE(registry_world_open(&other));
    AUTO(tokens) struct tokens *here = NULL;
    AUTO(tokens) struct tokens *there = NULL;
    REQUIRE(tokens_open(&here, world.store, world.audit, &error) &&
            tokens_open(&there, other.store, other.audit, &error) && make(there, 1, text, &id));
    CHECK(is_used(there, text, NOW_S, NULL));
    CHECK(!is_used(here, text, NOW_S, "of another node"));
    registry_world_close(&world);
    registry_world_close(&other);
}

static void remembers_uses_and_forgets_the_expired(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1];
    struct token_id id;
    struct error error = { 0 };
    struct digest32 one = owner_of(1);
    store_name = "tokens-sweep";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error) && make(tokens, 1, text, &id));
    CHECK(is_used(tokens, text, NOW_S + 50, NULL));
    CHECK(tokens_sweep(tokens, NOW_S + 50, &error));
    AUTO(tokens) struct tokens *again = NULL;
    REQUIRE(tokens_open(&again, world.store, world.audit, &error));
    const struct api_token *found = tokens_find(again, &one, &id);
    REQUIRE(found != NULL);
    CHECK_NUMBER(found->last_used_s, NOW_S + 50);
    uint64_t revision = found->revision;
    /* soon again: not written for that */
    CHECK(is_used(again, text, NOW_S + 51, NULL));
    CHECK(tokens_sweep(again, NOW_S + 51, &error));
    CHECK(tokens_find(again, &one, &id)->revision == revision);
    /* but at the end */
    CHECK(tokens_keep(again, &error));
    CHECK(tokens_find(again, &one, &id)->revision > revision);
    revision = tokens_find(again, &one, &id)->revision;
    CHECK(tokens_keep(again, &error)); /* once */
    CHECK(tokens_find(again, &one, &id)->revision == revision);
    CHECK(tokens_sweep(again, NOW_S + 100 + TOKEN_KEPT_S - 1, &error));
    CHECK_NUMBER(tokens_count(again), 1);
    CHECK(tokens_sweep(again, NOW_S + 100 + TOKEN_KEPT_S, &error));
    CHECK_NUMBER(tokens_count(again), 0);
    AUTO_JSON json_t *entries = NULL;
    bool more;
    REQUIRE(audit_read(world.audit, &one, 1, 10, &entries, &more, &error));
    CHECK_NUMBER(json_array_size(entries), 2);
    CHECK(strstr(json_string_value(json_array_get(entries, 0)), "deploy of app") != NULL);
    CHECK(strstr(json_string_value(json_array_get(entries, 1)), "token-expire") != NULL);
    registry_world_close(&world);
}

/* More tokens than one batch or one sweep takes, all used. */
static void remembers_the_uses_of_many(void)
{
    enum {
        ACCOUNTS = 2
    };
    static char texts[ACCOUNTS * TOKEN_OF_ACCOUNT_MAX][TOKEN_TEXT_SIZE + 1];
    struct registry_world world = { 0 };
    struct token_id id;
    struct error error = { 0 };
    size_t stored = 0;
    store_name = "tokens-many";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        REQUIRE(make(tokens, 1 + (unsigned char)(i % ACCOUNTS), texts[i], &id));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        REQUIRE(is_used(tokens, texts[i], NOW_S + 5, NULL));
    CHECK(tokens_sweep(tokens, NOW_S + 5, &error));
    CHECK(tokens_sweep(tokens, NOW_S + 5, &error)); /* the others, not the same again */
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        stored += tokens_at(tokens, i)->stored_used_s == NOW_S + 5;
    CHECK_NUMBER(stored, ARRAY_COUNT(texts));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        REQUIRE(is_used(tokens, texts[i], NOW_S + 6, NULL));
    CHECK(tokens_keep(tokens, &error));
    AUTO(tokens) struct tokens *again = NULL;
    REQUIRE(tokens_open(&again, world.store, world.audit, &error));
    for (size_t i = 0; i < tokens_count(again); i++)
        stored += tokens_at(again, i)->last_used_s == NOW_S + 6;
    CHECK_NUMBER(stored, 2 * ARRAY_COUNT(texts));
    registry_world_close(&world);
}

static void limits_an_account(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1];
    struct token_id id;
    struct error error = { 0 };
    struct change change = change_of(1);
    const struct api_token *made;
    store_name = "tokens-limit";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error));
    for (size_t i = 0; i < TOKEN_OF_ACCOUNT_MAX; i++)
        CHECK(make(tokens, 1, text, &id));
    struct api_token wanted = wanted_of(1, "over");
    CHECK(!tokens_create(tokens, &wanted, &change, text, &made, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(make(tokens, 2, text, &id));
    registry_world_close(&world);
}

static struct registry_world judged;

static bool opens(struct error *error)
{
    AUTO(tokens) struct tokens *tokens = NULL;
    return tokens_open(&tokens, judged.store, judged.audit, error);
}

static void a_record_that_is_not_whole_is_none(void)
{
    char text[TOKEN_TEXT_SIZE + 1], record[64];
    struct token_id id;
    struct error error = { 0 };
    store_name = "tokens-judged";
    REQUIRE(registry_world_open(&judged));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, judged.store, judged.audit, &error) && make(tokens, 1, text, &id));
    snprintf(record, sizeof(record), "tokens/%s", token_id_text(&id).text);
    check_record_is_judged(judged.store, record, NULL, opens);
    registry_world_close(&judged);
}

/* Lists show ids, and every token shows the node's tag: neither opens anything. */
static void its_name_alone_opens_nothing(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1], record[64];
    struct token_id id;
    struct error error = { 0 };
    uint64_t revision;
    store_name = "tokens-forged";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, STORE_VALUE_SIZE_MAX);
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error) && make(tokens, 1, text, &id));
    CHECK(is_used(tokens, text, NOW_S, NULL));
    /* The same token, as if another text had been given out under its name. */
    snprintf(record, sizeof(record), "tokens/%s", token_id_text(&id).text);
    struct store_key key = { STORE_SPACE_NODE, record };
    REQUIRE(store_get(world.store, key, &value, &revision, &error));
    buffer_append(&value, bytes_of("", 1));
    char *hash = strstr((char *)value.data, "\"hash\":\"");
    REQUIRE(hash != NULL);
    hash[8] = hash[8] == '0' ? '1' : '0';
    REQUIRE(store_put(world.store, key, bytes_of(value.data, value.size - 1), revision, &revision,
                      &error));
    AUTO(tokens) struct tokens *again = NULL;
    REQUIRE(tokens_open(&again, world.store, world.audit, &error));
    CHECK(!is_used(again, text, NOW_S, "unknown here"));
    registry_world_close(&world);
}

static void what_cannot_be_written_is_not_so(void)
{
    struct registry_world world = { 0 };
    char text[TOKEN_TEXT_SIZE + 1], none[TOKEN_TEXT_SIZE + 1];
    struct token_id id;
    struct error error = { 0 };
    struct api_token wanted = wanted_of(1, "more");
    struct change change = change_of(1);
    struct digest32 one = owner_of(1);
    const struct api_token *made = NULL;
    store_name = "tokens-full";
    REQUIRE(registry_world_open(&world));
    AUTO(tokens) struct tokens *tokens = NULL;
    REQUIRE(tokens_open(&tokens, world.store, world.audit, &error) && make(tokens, 1, text, &id));
    CHECK(is_used(tokens, text, NOW_S + 70, NULL));
    store_is_full = true;
    CHECK(!tokens_create(tokens, &wanted, &change, none, &made, &error));
    CHECK_NUMBER(error.code, ERROR_NO_SPACE);
    CHECK(!tokens_revoke(tokens, &one, &id, &change, &error));
    CHECK(!tokens_sweep(tokens, NOW_S + 70, &error) && !tokens_keep(tokens, &error));
    store_is_full = false;
    CHECK_NUMBER(tokens_count(tokens), 1);
    CHECK(is_used(tokens, text, NOW_S + 71, NULL));
    CHECK(tokens_sweep(tokens, NOW_S + 71, &error)); /* what was used is still to be stored */
    CHECK_NUMBER(tokens_find(tokens, &one, &id)->stored_used_s, NOW_S + 71);
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(a_record_that_is_not_whole_is_none),
    TEST(its_name_alone_opens_nothing),
    TEST(what_cannot_be_written_is_not_so),
    TEST(knows_its_own),
    TEST(stores_no_text),
    TEST(refuses_those_of_another_node),
    TEST(remembers_uses_and_forgets_the_expired),
    TEST(remembers_the_uses_of_many),
    TEST(limits_an_account),
};

TEST_MAIN(tests)
