/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/owners.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool pass(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    (void)context, (void)space, (void)associated, (void)error;
    buffer_append(out, in);
    return true;
}
static const struct sealer plain = { NULL, pass, pass };

static uint64_t fake_now_ns = 1000000000000;
static uint64_t fake_ns(const struct clock *clock)
{
    (void)clock;
    return fake_now_ns;
}
static const struct clock fake_clock = { fake_ns, fake_ns };

static struct store *store_at(const char *name)
{
    char path[4096];
    struct store *store = NULL;
    struct error error = { 0 };
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    CHECK_NOTE(store_open_sqlite(&store, path, &plain, &error), "%s", error.text);
    return store;
}

static struct ecdsa_public new_public(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    struct error error = { 0 };
    struct ecdsa_public none = { 0 };
    CHECK_NOTE(ecdsa_key_generate(&key, &error), "%s", error.text);
    return key == NULL ? none : *ecdsa_key_public(key);
}

static void claims_once_and_remembers(void)
{
    AUTO(store) struct store *store = store_at("claim");
    REQUIRE(store != NULL);
    AUTO(owners) struct owners *owners = NULL;
    struct error error = { 0 };
    char code[CLAIM_CODE_SIZE + 1];
    struct ecdsa_public first = new_public(), second = new_public(), found;
    struct digest32 id = ecdsa_public_id(&first);
    REQUIRE(owners_open(&owners, store, NULL, 0, &error));
    CHECK(!claim_is_open(owners));
    CHECK(!claim_present(owners, BYTES_LITERAL(""), &first, &fake_clock, &error));
    claim_open(owners, code);
    CHECK_NUMBER(strlen(code), CLAIM_CODE_SIZE);
    CHECK_NOTE(claim_present(owners, bytes_of_string(code), &first, &fake_clock, &error), "%s",
               error.text);
    CHECK(owners_find(owners, &id, &found));
    CHECK(!claim_present(owners, bytes_of_string(code), &second, &fake_clock, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);

    AUTO(owners) struct owners *again = NULL;
    REQUIRE(owners_open(&again, store, &second, 1, &error));
    CHECK_NUMBER(owners_count(again), 2);
    CHECK(owners_find(again, &id, &found));
    CHECK(ecdsa_public_equal(&found, &first));
}

static void limits_guessing(void)
{
    AUTO(store) struct store *store = store_at("guess");
    REQUIRE(store != NULL);
    AUTO(owners) struct owners *owners = NULL;
    struct error error = { 0 };
    char code[CLAIM_CODE_SIZE + 1];
    struct ecdsa_public key = new_public();
    REQUIRE(owners_open(&owners, store, NULL, 0, &error));
    claim_open(owners, code);
    for (size_t size = 0; size < CLAIM_ATTEMPT_COUNT_MAX; size++) {
        CHECK(!claim_present(owners, bytes_of(code, size), &key, &fake_clock, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
    }
    CHECK(!claim_present(owners, bytes_of_string(code), &key, &fake_clock, &error));
    CHECK_NUMBER(error.code, ERROR_BUSY);
    fake_now_ns += (uint64_t)CLAIM_WINDOW_MS * 1000000u;
    CHECK(claim_present(owners, bytes_of_string(code), &key, &fake_clock, &error));
    CHECK_NUMBER(owners_count(owners), 1);
}

static const struct test tests[] = {
    TEST(claims_once_and_remembers),
    TEST(limits_guessing),
};

TEST_MAIN(tests)
