/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/audit_head.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static void vouches_for_one_end(void)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO(ecdsa_key) struct ecdsa_key *other = NULL;
    struct error error = { 0 };
    REQUIRE(ecdsa_key_generate(&key, &error) && ecdsa_key_generate(&other, &error));
    struct audit_endorsement made = { .account = owner_of(1),
                                      .head = { 7, owner_of(9) },
                                      .keyset = owner_of(3),
                                      .time_s = 1800000000 };
    struct audit_endorsement read;
    REQUIRE(audit_head_sign(&made, key, &error));
    AUTO_JSON json_t *tree = audit_endorsement_tree(&made);
    REQUIRE(audit_endorsement_read(&read, tree, &error));
    CHECK(audit_head_verify(&read, ecdsa_key_public(key), &error));
    CHECK(!audit_head_verify(&read, ecdsa_key_public(other), &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    /* every byte that is signed */
    struct audit_endorsement wrong = read;
    wrong.head.number = 6;
    CHECK(!audit_head_verify(&wrong, ecdsa_key_public(key), &error));
    wrong = read;
    wrong.time_s++;
    CHECK(!audit_head_verify(&wrong, ecdsa_key_public(key), &error));
    for (size_t i = 0; i < 32; i++) {
        uint8_t *const bytes[] = { &wrong.account.bytes[i], &wrong.head.digest.bytes[i],
                                   &wrong.keyset.bytes[i] };
        for (size_t j = 0; j < ARRAY_COUNT(bytes); j++) {
            wrong = read;
            *bytes[j] ^= 1;
            CHECK(!audit_head_verify(&wrong, ecdsa_key_public(key), &error));
        }
    }
    json_object_set_new(tree, "more", json_true());
    CHECK(!audit_endorsement_read(&read, tree, &error));
    json_object_del(tree, "more");
    json_object_del(tree, "time_s");
    CHECK(!audit_endorsement_read(&read, tree, &error));
}

/* Cut, edited, in another order, missing: each with the number of the entry. */
static void checks_copies(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 one = owner_of(1);
    AUTO_JSON json_t *entries = NULL;
    bool more = false;
    store_name = "audit-copies";
    REQUIRE(registry_world_open(&world));
    for (int i = 0; i < 5; i++) {
        struct change change = change_of(1);
        struct audit_event event = { "test", "object", "detail" };
        CHECK(audit_write(world.audit, &change, &event, &error));
    }
    REQUIRE(audit_read(world.audit, &one, 1, 3, &entries, &more, &error));
    CHECK(more && json_array_size(entries) == 3);
    json_decref(entries);
    entries = NULL;
    REQUIRE(audit_read(world.audit, &one, 1, 10, &entries, &more, &error) && !more);
    const char *texts[5];
    for (size_t i = 0; i < 5; i++)
        texts[i] = json_string_value(json_array_get(entries, i));
    struct audit_head head = { 0 };
    for (size_t i = 0; i < 5; i++)
        CHECK(audit_check(&head, bytes_of_string(texts[i]), &error));
    struct audit_head known;
    REQUIRE(audit_head(world.audit, &one, &known, &error));
    CHECK(head.number == known.number && digest32_equal(&head.digest, &known.digest));

    head = (struct audit_head){ 0 };
    CHECK(audit_check(&head, bytes_of_string(texts[0]), &error));
    struct audit_head after = head;
    CHECK(!audit_check(&head, bytes_of_string(texts[2]), &error)); /* the second is missing */
    CHECK(error.code == ERROR_UNVERIFIED && strstr(error.text, "entry 2 is not there") != NULL);
    CHECK(!audit_check(&head, bytes_of_string(texts[0]), &error)); /* twice */
    CHECK(strstr(error.text, "entry 2") != NULL);
    size_t size = strlen(texts[1]);
    char *copy = strdup(texts[1]);
    for (size_t i = 0; i < size; i++) { /* every change shows here, or at the next entry */
        copy[i] ^= 1;
        head = after;
        CHECK(!audit_check(&head, bytes_of_string(copy), &error) ||
              !audit_check(&head, bytes_of_string(texts[2]), &error));
        CHECK(strstr(error.text, "entry 2") != NULL || strstr(error.text, "entry 3") != NULL);
        copy[i] ^= 1;
        head = after;
        CHECK(!audit_check(&head, bytes_of(copy, i), &error)); /* cut */
    }
    free(copy);
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(vouches_for_one_end),
    TEST(checks_copies),
};

TEST_MAIN(tests)
