/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/test_registry.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same application, with an archive of files beside its module. */
static bool put_with_files(struct registry *registry, const char *name,
                           const struct digest32 *archive, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer with_files;
    AUTO(manifest) struct manifest *manifest = NULL;
    struct function_image image = image_of("code");
    struct change change = change_of(1);
    struct registry_outcome outcome = { 0 };
    manifest_of(&text, name, BYTES_LITERAL("code"));
    buffer_init(&with_files, MANIFEST_SIZE_MAX);
    if (!manifest_parse(&manifest, buffer_view(&text), error))
        return false;
    manifest->functions[0].has_archive = true;
    manifest->functions[0].archive = *archive;
    if (!manifest_canonical(&with_files, manifest, error))
        return false;
    struct version_signer signer = test_signer(buffer_view(&with_files));
    struct registry_version version = { .canonical = buffer_view(&with_files),
                                        .owner = change.owner,
                                        .author = change.actor,
                                        .images = &image,
                                        .signers = &signer,
                                        .signer_count = 1,
                                        .weight = 100,
                                        .now_s = now_s };
    if (!registry_put(registry, &version, &change, &outcome, error))
        return false;
    application_release(outcome.application);
    return true;
}

static void keeps_what_was_acknowledged(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced = true;
    REQUIRE(registry_world_open(&world));
    CHECK_NOTE(put(world.registry, "beta", "one", 1, &replaced, &error), "%s", error.text);
    CHECK(!replaced);
    CHECK(put(world.registry, "alpha", "two", 2, &replaced, &error));
    CHECK(put(world.registry, "beta", "three", 1, &replaced, &error));
    CHECK(replaced);
    registry_world_close(&world);

    REQUIRE(registry_world_open(&world));
    CHECK_NUMBER(registry_count(world.registry), 2);
    CHECK_STRING(registry_at(world.registry, 0)->name, "alpha");
    struct application *beta = registry_find(world.registry, "beta");
    CHECK(beta != NULL);
    if (beta != NULL) {
        struct digest32 code = sha256_of(BYTES_LITERAL("three"));
        struct digest32 owner = owner_of(1);
        CHECK_NUMBER(beta->version_number, 2);
        CHECK(digest32_equal(&beta->manifest->functions[0].code, &code));
        CHECK(digest32_equal(&beta->owner, &owner));
        CHECK_NUMBER(beta->images[0].compile_us, 5);
        CHECK_NUMBER(beta->deployed_s, 1700000000);
    }
    CHECK(registry_find(world.registry, "gamma") == NULL);
    registry_world_close(&world);
}

static void same_deployment_changes_nothing(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "same", "code", 1, &replaced, &error));
    CHECK(put(world.registry, "same", "code", 1, &replaced, &error));
    CHECK_NUMBER(registry_find(world.registry, "same")->version_number, 1);
    registry_world_close(&world);
}

static void names_belong_to_their_owner(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "mine", "code", 1, &replaced, &error));
    CHECK(!put(world.registry, "mine", "other", 2, &replaced, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(!application_delete(world.registry, "mine", 2, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(application_delete(world.registry, "mine", 1, &error));
    CHECK(!application_delete(world.registry, "mine", 1, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    registry_world_close(&world);
}

static void deletion_frees_unused_blobs_and_the_name(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    uint64_t size;
    struct digest32 shared = sha256_of(BYTES_LITERAL("shared"));
    REQUIRE(registry_world_open(&world));
    CHECK(store_blob_put(world.store, &shared, BYTES_LITERAL("shared"), &error));
    CHECK(put(world.registry, "first", "shared", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "shared", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "newer", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "shared", 1, &replaced, &error));
    CHECK(application_delete(world.registry, "second", 1, &error));
    CHECK(store_blob_size(world.store, &shared, &size, &error));
    CHECK(application_delete(world.registry, "first", 1, &error));
    CHECK(!store_blob_size(world.store, &shared, &size, &error));
    /* The same for what goes with a module. */
    struct digest32 files = sha256_of(BYTES_LITERAL("files"));
    CHECK(store_blob_put(world.store, &files, BYTES_LITERAL("files"), &error));
    CHECK(put_with_files(world.registry, "first", &files, &error));
    CHECK(put_with_files(world.registry, "second", &files, &error));
    CHECK(application_delete(world.registry, "second", 1, &error));
    CHECK(store_blob_size(world.store, &files, &size, &error));
    CHECK(application_delete(world.registry, "first", 1, &error));
    CHECK(!store_blob_size(world.store, &files, &size, &error));
    CHECK_NOTE(put(world.registry, "second", "again", 2, &replaced, &error), "%s", error.text);
    CHECK(!replaced);
    registry_world_close(&world);
}

static void a_held_version_outlives_its_successor(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "held", "one", 1, &replaced, &error));
    AUTO(application)
    struct application *old = application_hold(registry_find(world.registry, "held"));
    CHECK(put(world.registry, "held", "two", 1, &replaced, &error));
    CHECK_NUMBER(old->version_number, 1);
    CHECK_STRING(old->manifest->application, "held");
    CHECK_NUMBER(registry_find(world.registry, "held")->version_number, 2);
    registry_world_close(&world);
}

static void images_are_cached_by_module_and_compiler(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 code = sha256_of(BYTES_LITERAL("module"));
    struct function_image image = image_of("image"), found;
    REQUIRE(registry_world_open(&world));
    CHECK(!registry_image_get(world.registry, &code, "baseline-1", &found, NULL, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(store_blob_put(world.store, &image.image, BYTES_LITERAL("image"), &error));
    CHECK(registry_image_put(world.registry, &code, "baseline-1", &image, NULL, &error));
    CHECK(registry_image_put(world.registry, &code, "baseline-1", &image, NULL, &error));
    CHECK(registry_image_get(world.registry, &code, "baseline-1", &found, NULL, &error));
    CHECK(memcmp(&image, &found, sizeof(image)) == 0);
    CHECK(!registry_image_get(world.registry, &code, "baseline-2", &found, NULL, &error));
    CHECK(store_blob_delete(world.store, &image.image, &error));
    CHECK(!registry_image_get(world.registry, &code, "baseline-1", &found, NULL, &error));
    registry_world_close(&world);
}

/* --- versions --- */

static const struct registry_entry *entry_of(const struct registry_world *world)
{
    return registry_entry_find(world->registry, "app");
}

static void versions_are_rolled_out_and_back(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct registry_outcome outcome;
    struct change change = change_of(1), stranger = change_of(2);
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put_weight(world.registry, "app", "one", 1, 100, &outcome, &error));
    CHECK(outcome.is_served && !outcome.replaced);
    CHECK_NOTE(put_weight(world.registry, "app", "two", 1, 10, &outcome, &error), "%s", error.text);
    CHECK(outcome.is_served && outcome.replaced);
    CHECK_NUMBER(registry_weight(entry_of(&world), 1), 90);
    CHECK_NUMBER(registry_weight(entry_of(&world), 2), 10);
    CHECK(put_weight(world.registry, "app", "three", 1, 0, &outcome, &error));
    CHECK(!outcome.is_served);
    /* The canary ends first, then the version before comes back. */
    CHECK(registry_rollback(world.registry, "app", 0, &change, &error));
    CHECK_NUMBER(registry_weight(entry_of(&world), 1), 100);
    CHECK(registry_rollout(world.registry, "app", 3, 100, &change, &error));
    CHECK(registry_rollback(world.registry, "app", 0, &change, &error));
    CHECK_NUMBER(registry_find(world.registry, "app")->version_number, 1);
    CHECK(!registry_rollout(world.registry, "app", 1, 50, &change, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK(!registry_rollout(world.registry, "app", 9, 50, &change, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(!registry_rollout(world.registry, "app", 2, 50, &stranger, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(registry_rollout(world.registry, "app", 2, 50, &change, &error));
    registry_world_close(&world);
    REQUIRE(registry_world_open(&world)); /* all of it survives */
    CHECK_NUMBER(registry_weight(entry_of(&world), 1), 50);
    CHECK_NUMBER(registry_weight(entry_of(&world), 2), 50);
    CHECK_NUMBER(entry_of(&world)->version_count, 3);
    CHECK(registry_rollout(world.registry, "app", 2, 0, &change, &error));
    CHECK_NUMBER(registry_weight(entry_of(&world), 1), 100);
    registry_world_close(&world);
}

static void the_same_content_is_the_same_version(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    struct digest32 first = registry_find(world.registry, "app")->version_digest;
    CHECK(put(world.registry, "app", "two", 1, &replaced, &error));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    CHECK_NUMBER(entry_of(&world)->version_count, 2);
    CHECK_NUMBER(registry_find(world.registry, "app")->version_number, 1);
    CHECK(digest32_equal(&registry_find(world.registry, "app")->version_digest, &first));
    registry_world_close(&world);
}

static void deleted_versions_come_back_within_the_retention_time(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct change change = change_of(1);
    struct digest32 code = sha256_of(BYTES_LITERAL("one"));
    uint64_t size;
    bool replaced;
    registry_world_options.retention_s = 100;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(store_blob_put(world.store, &code, BYTES_LITERAL("one"), &error));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    CHECK(!registry_version_delete(world.registry, "app", 1, &change, &error));
    CHECK_NUMBER(error.code, ERROR_CONFLICT);
    CHECK(put(world.registry, "app", "two", 1, &replaced, &error));
    CHECK(registry_version_delete(world.registry, "app", 1, &change, &error));
    CHECK(!registry_rollout(world.registry, "app", 1, 100, &change, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(registry_sweep(world.registry, now_s + 99, &error));
    CHECK(registry_version_restore(world.registry, "app", 1, &change, &error));
    CHECK(registry_rollout(world.registry, "app", 1, 100, &change, &error));
    CHECK(registry_rollout(world.registry, "app", 2, 100, &change, &error));
    CHECK(registry_version_delete(world.registry, "app", 1, &change, &error));
    CHECK(store_blob_size(world.store, &code, &size, &error));
    CHECK(registry_sweep(world.registry, now_s + 100, &error));
    CHECK(!registry_version_restore(world.registry, "app", 1, &change, &error));
    CHECK(!store_blob_size(world.store, &code, &size, &error)); /* nobody names it */
    CHECK_NUMBER(entry_of(&world)->version_count, 1);
    /* The same for applications; the name stays its owner's until then. */
    CHECK(application_delete(world.registry, "app", 1, &error));
    CHECK(registry_find(world.registry, "app") == NULL);
    CHECK(!put(world.registry, "app", "theirs", 2, &replaced, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(registry_restore(world.registry, "app", &change, &error));
    CHECK_NUMBER(registry_find(world.registry, "app")->version_number, 2);
    CHECK(application_delete(world.registry, "app", 1, &error));
    CHECK(registry_sweep(world.registry, now_s + 100, &error));
    CHECK(entry_of(&world) == NULL);
    CHECK(put(world.registry, "app", "theirs", 2, &replaced, &error));
    registry_world_options.retention_s = 0;
    registry_world_close(&world);
}

static struct {
    unsigned count;
    bool fails;
    char name[NAME_SIZE_MAX + 1];
    struct digest32 owner;
} forgotten;

static bool forget(void *context, const char *application, const struct digest32 *owner,
                   struct error *error)
{
    CHECK(context == &forgotten);
    forgotten.count++;
    snprintf(forgotten.name, sizeof(forgotten.name), "%s", application);
    forgotten.owner = *owner;
    return !forgotten.fails || error_set(error, ERROR_UNAVAILABLE, "not now");
}

/* When the retention time is over, once, and before its name is free. */
static void what_an_application_has_elsewhere_goes_with_it(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 owner = owner_of(1);
    bool replaced;
    forgotten.count = 0;
    forgotten.fails = true;
    registry_world_options.retention_s = 100;
    registry_world_options.forget = forget;
    registry_world_options.context = &forgotten;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "app", "one", 1, &replaced, &error));
    CHECK(put(world.registry, "app", "two", 1, &replaced, &error));
    CHECK(put(world.registry, "other", "one", 1, &replaced, &error));
    CHECK(application_delete(world.registry, "app", 1, &error));
    CHECK(registry_sweep(world.registry, now_s + 99, &error));
    CHECK_NUMBER(forgotten.count, 0);
    CHECK(!registry_sweep(world.registry, now_s + 100, &error));
    CHECK_NUMBER(forgotten.count, 1);
    CHECK(entry_of(&world) != NULL);
    forgotten.fails = false;
    CHECK(registry_sweep(world.registry, now_s + 101, &error));
    CHECK_NUMBER(forgotten.count, 2);
    CHECK_STRING(forgotten.name, "app");
    CHECK(digest32_equal(&forgotten.owner, &owner));
    CHECK(entry_of(&world) == NULL);
    CHECK(registry_sweep(world.registry, now_s + 200, &error));
    CHECK_NUMBER(forgotten.count, 2);
    registry_world_options.retention_s = 0;
    registry_world_options.forget = NULL;
    registry_world_close(&world);
}

static void uploads_that_nobody_names_go(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct digest32 owner = owner_of(1), used = sha256_of(BYTES_LITERAL("used"));
    struct digest32 unused = sha256_of(BYTES_LITERAL("unused"));
    uint64_t size;
    bool replaced;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(store_blob_put(world.store, &used, BYTES_LITERAL("used"), &error));
    CHECK(store_blob_put(world.store, &unused, BYTES_LITERAL("unused"), &error));
    CHECK(registry_upload(world.registry, &used, 4, &owner, now_s, &error));
    CHECK(registry_upload(world.registry, &unused, 6, &owner, now_s, &error));
    CHECK(registry_upload(world.registry, &unused, 6, &owner, now_s, &error));
    CHECK(put(world.registry, "app", "used", 1, &replaced, &error));
    CHECK(registry_sweep(world.registry, now_s + UPLOAD_AGE_S - 1, &error));
    CHECK(store_blob_size(world.store, &unused, &size, &error));
    CHECK(registry_sweep(world.registry, now_s + UPLOAD_AGE_S, &error));
    CHECK(!store_blob_size(world.store, &unused, &size, &error));
    CHECK(store_blob_size(world.store, &used, &size, &error));
    registry_world_close(&world);
}

static void quotas_are_of_each_owner(void)
{
    struct registry_world world = { 0 };
    struct error error = { 0 };
    struct quota_limits limits = { .applications = 2, .versions = 3, .mib = 1 };
    bool replaced;
    AUTO(quotas) struct quotas *quotas = NULL;
    REQUIRE(quotas_new(&quotas, &limits, &error));
    registry_world_options.quotas = quotas;
    store_name = __func__;
    REQUIRE(registry_world_open(&world));
    CHECK(put(world.registry, "a", "one", 1, &replaced, &error));
    CHECK(put(world.registry, "b", "one", 1, &replaced, &error));
    CHECK(!put(world.registry, "c", "one", 1, &replaced, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK_NOTE(strstr(error.text, "quotas.applications") != NULL, "%s", error.text);
    CHECK(put(world.registry, "c", "one", 2, &replaced, &error));
    CHECK(put(world.registry, "b", "two", 1, &replaced, &error));
    CHECK(!put(world.registry, "b", "three", 1, &replaced, &error));
    CHECK_NOTE(strstr(error.text, "quotas.versions") != NULL, "%s", error.text);
    CHECK(put(world.registry, "b", "one", 1, &replaced, &error)); /* it is there */
    struct digest32 owner = owner_of(1);
    CHECK(!registry_upload(world.registry, &owner, 2 << 20, &owner, now_s, &error));
    CHECK_NOTE(strstr(error.text, "quotas.mib") != NULL, "%s", error.text);
    registry_world_close(&world);
    registry_world_options.quotas = NULL;
}

static const struct test tests[] = {
    TEST(keeps_what_was_acknowledged),
    TEST(same_deployment_changes_nothing),
    TEST(names_belong_to_their_owner),
    TEST(deletion_frees_unused_blobs_and_the_name),
    TEST(a_held_version_outlives_its_successor),
    TEST(images_are_cached_by_module_and_compiler),
    TEST(versions_are_rolled_out_and_back),
    TEST(the_same_content_is_the_same_version),
    TEST(deleted_versions_come_back_within_the_retention_time),
    TEST(what_an_application_has_elsewhere_goes_with_it),
    TEST(uploads_that_nobody_names_go),
    TEST(quotas_are_of_each_owner),
};

TEST_MAIN(tests)
