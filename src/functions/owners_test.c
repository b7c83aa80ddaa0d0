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

static bool rotate(struct owners *owners, struct audit *audit, const struct ecdsa_public *account,
                   const struct ecdsa_key *from, const struct ecdsa_key *to, uint64_t number,
                   int64_t now_s, int64_t overlap_s, struct error *error)
{
    struct owner_step step = { .from_s = now_s };
    struct digest32 id = ecdsa_public_id(account);
    struct digest32 by = ecdsa_public_id(ecdsa_key_public(from));
    struct change change = { id, "key:x", now_s };
    return owner_step_sign(&step, &id, number, from, to, error) &&
           owners_rotate(owners, audit, &id, &by, &step, overlap_s, &change, error);
}

static bool speaks(const struct owners *owners, const struct ecdsa_key *key, int64_t now_s,
                   const struct ecdsa_public *account)
{
    struct digest32 id = ecdsa_public_id(ecdsa_key_public(key)), found;
    struct digest32 wanted = ecdsa_public_id(account);
    struct ecdsa_public public;
    return owners_account_of(owners, &id, now_s, &found, &public) &&
           digest32_equal(&found, &wanted) && ecdsa_public_equal(&public, ecdsa_key_public(key));
}

static void follows_one_key_after_the_other(void)
{
    AUTO(store) struct store *store = store_at("rotate");
    REQUIRE(store != NULL);
    AUTO(owners) struct owners *owners = NULL;
    AUTO(audit) struct audit *audit = NULL;
    struct ecdsa_key *keys[4] = { NULL };
    struct error error = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        REQUIRE(ecdsa_key_generate(&keys[i], &error));
    struct ecdsa_public first = *ecdsa_key_public(keys[0]);
    REQUIRE(owners_open(&owners, store, &first, 1, &error) && audit_open(&audit, store, &error));
    /* only the present key, only in order, only about now, each key once */
    CHECK(!rotate(owners, audit, &first, keys[2], keys[1], 2, 1000, 50, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(!rotate(owners, audit, &first, keys[0], keys[1], 3, 1000, 50, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(!rotate(owners, audit, &first, keys[0], keys[0], 2, 1000, 50, &error));
    CHECK_NUMBER(error.code, ERROR_EXISTS);
    CHECK(rotate(owners, audit, &first, keys[0], keys[1], 2, 1000, 50, &error));
    CHECK(speaks(owners, keys[0], 1049, &first) && !speaks(owners, keys[0], 1050, &first));
    CHECK(speaks(owners, keys[1], 1049, &first) && speaks(owners, keys[1], 9999, &first));
    CHECK(!rotate(owners, audit, &first, keys[0], keys[2], 3, 1001, 50, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(rotate(owners, audit, &first, keys[1], keys[2], 3, 2000, 0, &error));
    CHECK(!speaks(owners, keys[1], 2000, &first) && speaks(owners, keys[2], 2000, &first));
    CHECK(!rotate(owners, audit, &first, keys[2], keys[0], 4, 2000, 0, &error)); /* not back */
    CHECK_NUMBER(error.code, ERROR_EXISTS);

    /* after a restart, with the first key still configured */
    AUTO(owners) struct owners *again = NULL;
    REQUIRE(owners_open(&again, store, &first, 1, &error));
    CHECK_NUMBER(owners_count(again), 1);
    CHECK(!speaks(again, keys[0], 2000, &first) && speaks(again, keys[2], 2000, &first));
    size_t count;
    struct digest32 account = ecdsa_public_id(&first);
    const struct owner_step *steps = owners_keys(again, &account, &count);
    REQUIRE(count == 3);
    for (size_t i = 1; i < count; i++) {
        struct owner_step wrong = steps[i];
        CHECK(owner_step_verify(&account, i + 1, &steps[i - 1].key, &steps[i], &error));
        wrong.from_s++;
        CHECK(!owner_step_verify(&account, i + 1, &steps[i - 1].key, &wrong, &error));
        wrong = steps[i];
        wrong.proof = wrong.signature;
        CHECK(!owner_step_verify(&account, i + 1, &steps[i - 1].key, &wrong, &error));
    }
    CHECK(rotate(again, audit, &first, keys[2], keys[3], 4, 3000, 10, &error));
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        ecdsa_key_free(keys[i]);
}

static const struct test tests[] = {
    TEST(claims_once_and_remembers),
    TEST(limits_guessing),
    TEST(follows_one_key_after_the_other),
};

TEST_MAIN(tests)
