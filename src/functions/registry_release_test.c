/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures under versions, their images, and the log of changes. */
#include "crypto/hash.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- releases that need several people --- */

struct signing {
    struct ecdsa_key *keys[3];
    struct buffer canonical;
    struct digest32 version;
};

static bool signing_make(struct signing *signing, unsigned threshold, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO(manifest) struct manifest *manifest = NULL;
    static struct ecdsa_public signers[2];
    buffer_init(&signing->canonical, MANIFEST_SIZE_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(signing->keys); i++)
        if (!ecdsa_key_generate(&signing->keys[i], error))
            return false;
    manifest_of(&text, "app", BYTES_LITERAL("code"));
    if (!manifest_parse(&manifest, buffer_view(&text), error))
        return false;
    struct digest32 ids[2];
    for (size_t i = 0; i < 2; i++) {
        signers[i] = *ecdsa_key_public(signing->keys[i]);
        ids[i] = ecdsa_public_id(&signers[i]);
    }
    if (memcmp(ids[0].bytes, ids[1].bytes, 32) > 0) {
        struct ecdsa_public first = signers[0];
        signers[0] = signers[1];
        signers[1] = first;
    }
    manifest->release = (struct manifest_release){ signers, 2, threshold };
    AUTO(manifest) struct manifest *again = NULL;
    if (!manifest_canonical(&signing->canonical, manifest, error) ||
        !manifest_parse(&again, buffer_view(&signing->canonical), error))
        return false;
    struct digest32 digest = sha256_of(buffer_view(&signing->canonical));
    return manifest_version_digest(&signing->version, again, &digest, error);
}

static void signing_done(struct signing *signing)
{
    for (size_t i = 0; i < ARRAY_COUNT(signing->keys); i++)
        ecdsa_key_free(signing->keys[i]);
    buffer_done(&signing->canonical);
}

static struct version_signer signer_of(const struct signing *signing, size_t key)
{
    AUTO_BUFFER struct buffer text;
    struct version_signer signer = { .key = *ecdsa_key_public(signing->keys[key]) };
    struct error error;
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    CHECK(release_sign(&text, &signing->version, signing->keys[key], &error));
    memcpy(signer.text, text.data, text.size);
    return signer;
}

static void a_version_waits_for_its_signatures(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct signing signing = { 0 };
    struct change change = change_of(1);
    struct function_image image = image_of("code");
    struct registry_outcome outcome = { 0 };
    bool complete = true;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    REQUIRE(signing_make(&signing, 2, &error));
    struct version_signer first = signer_of(&signing, 0), second = signer_of(&signing, 1);
    struct version_signer stranger = signer_of(&signing, 2);
    struct registry_version version = { .canonical = buffer_view(&signing.canonical),
                                        .owner = change.owner,
                                        .author = change.actor,
                                        .images = &image,
                                        .signers = &first,
                                        .signer_count = 1,
                                        .weight = 100,
                                        .now_s = now_s };
    CHECK_NOTE(registry_put(world.registry, &version, &change, &outcome, &error), "%s", error.text);
    CHECK(!outcome.is_served);
    CHECK(!application_verify(outcome.application, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    application_release(outcome.application);
    CHECK(!registry_rollout(world.registry, "app", 1, 100, &change, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK(!registry_sign(world.registry, "app", 1, &stranger, &change, &complete, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(!registry_sign(world.registry, "app", 1, &first, &change, &complete, &error));
    CHECK_NUMBER(error.code, ERROR_EXISTS);
    struct version_signer wrong = second;
    memcpy(wrong.text, first.text, sizeof(wrong.text));
    CHECK(!registry_sign(world.registry, "app", 1, &wrong, &change, &complete, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world)); /* it waits across a restart */
    CHECK(registry_find(world.registry, "app") == NULL);
    CHECK_NOTE(registry_sign(world.registry, "app", 1, &second, &change, &complete, &error), "%s",
               error.text);
    CHECK(complete);
    REQUIRE(registry_find(world.registry, "app") != NULL);
    CHECK(application_verify(registry_find(world.registry, "app"), &error));
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world));
    CHECK_NUMBER(registry_find(world.registry, "app")->signer_count, 2);
    CHECK(application_verify(registry_find(world.registry, "app"), &error));
    /* A signature that was exchanged in the store is noticed when it is loaded. */
    struct application *application = registry_find(world.registry, "app");
    application->is_verified = false;
    memcpy(application->signers[0].text, application->signers[1].text,
           sizeof(application->signers[0].text));
    CHECK(!application_verify(application, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    registry_world_close(&world);
    signing_done(&signing);
}

/* --- images --- */

static void other_images_make_no_other_version(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct application *changed = NULL;
    bool replaced;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    AUTO(application)
    struct application *before = application_hold(registry_find(world.registry, "app"));
    struct function_image image = image_of("optimised");
    CHECK_NOTE(registry_images_set(world.registry, before, &image, now_s, &changed, &error), "%s",
               error.text);
    CHECK(changed != before && registry_find(world.registry, "app") == changed);
    CHECK_NUMBER(changed->version_number, 1);
    application_release(changed);
    CHECK(!registry_images_set(world.registry, before, &image, now_s, &changed, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world));
    CHECK(digest32_equal(&registry_find(world.registry, "app")->images[0].image, &image.image));
    registry_world_close(&world);
}

/* --- the audit log --- */

static void every_change_is_in_the_chain(void)
{
    static const char *const actions[] = { "deploy", "deploy",        "rollback",
                                           "delete", "version-purge", "version-purge" };
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 owner = owner_of(1), other = owner_of(2);
    struct change change = change_of(1);
    struct audit_head head = { 0 };
    AUTO_JSON json_t *entries = NULL;
    bool replaced, more;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    CHECK(put(world.registry, "app", "two", 1, &replaced, &error));
    CHECK(!put(world.registry, "app", "three", 2, &replaced, &error));
    CHECK(registry_rollback(world.registry, "app", 0, &change, &error));
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world));
    CHECK(application_delete(world.registry, "app", 1, &error));
    REQUIRE(audit_read(world.audit, &owner, 1, 100, &entries, &more, &error));
    CHECK(!more);
    CHECK_NUMBER(json_array_size(entries), ARRAY_COUNT(actions));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *text = json_string_value(json_array_get(entries, i));
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "{\"action\":\"%s\"", actions[i]);
        CHECK_NOTE(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
        CHECK_NOTE(audit_check(&head, bytes_of_string(text), &error), "%s", error.text);
    }
    struct audit_head end;
    CHECK(audit_head(world.audit, &owner, &end, &error));
    CHECK(end.number == head.number && digest32_equal(&end.digest, &head.digest));
    CHECK(audit_head(world.audit, &other, &end, &error));
    CHECK_NUMBER(end.number, 0);
    registry_world_close(&world);
}

static void a_chain_that_was_touched_does_not_hold(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 owner = owner_of(1);
    AUTO_JSON json_t *entries = NULL;
    bool replaced, more;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    CHECK(put(world.registry, "app", "two", 1, &replaced, &error));
    REQUIRE(audit_read(world.audit, &owner, 1, 100, &entries, &more, &error));
    const char *first = json_string_value(json_array_get(entries, 0));
    const char *second = json_string_value(json_array_get(entries, 1));
    struct audit_head head = { 0 };
    CHECK(!audit_check(&head, bytes_of_string(second), &error)); /* one is missing */
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    char edited[AUDIT_ENTRY_SIZE_MAX];
    for (size_t i = 0; i < strlen(first); i++) {
        struct audit_head at = { 0 };
        snprintf(edited, sizeof(edited), "%s", first);
        edited[i] ^= 1;
        bool holds = audit_check(&at, bytes_of_string(edited), &error) &&
                     audit_check(&at, bytes_of_string(second), &error);
        CHECK_NOTE(!holds, "byte %zu", i);
    }
    for (size_t i = 0; i < strlen(first); i++) {
        struct audit_head at = { 0 };
        CHECK(!audit_check(&at, bytes_of(first, i), &error));
    }
    registry_world_close(&world);
}

static const struct test tests[] = {
    TEST(a_version_waits_for_its_signatures),
    TEST(other_images_make_no_other_version),
    TEST(every_change_is_in_the_chain),
    TEST(a_chain_that_was_touched_does_not_hold),
};

TEST_MAIN(tests)
