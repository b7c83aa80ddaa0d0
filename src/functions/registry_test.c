/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/registry.h"
#include "functions/test_manifest.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seals by adding nothing: what the store does with sealed bytes is its own test. */
static bool pass(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    (void)context, (void)space, (void)associated, (void)error;
    buffer_append(out, in);
    return true;
}
static const struct sealer plain = { NULL, pass, pass };

static const char *store_path(void)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/store.db", test_folder());
    return path;
}

static struct digest32 owner_of(uint8_t byte)
{
    struct digest32 owner;
    memset(owner.bytes, byte, sizeof(owner.bytes));
    return owner;
}

/* A canonical manifest with one function whose module is `code`. */
static void manifest_of(struct buffer *text, const char *name, struct bytes code)
{
    struct digest32 digest = sha256_of(code);
    test_manifest(text, name, &digest, "");
}

static struct function_image image_of(const char *content)
{
    return (struct function_image){ .image = sha256_of(bytes_of_string(content)),
                                    .image_size = strlen(content),
                                    .code_size = 3,
                                    .compile_us = 5 };
}

static bool put(struct registry *registry, const char *name, const char *code, uint8_t owner,
                bool *replaced, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    manifest_of(&text, name, bytes_of_string(code));
    struct function_image image = image_of(code);
    struct registry_version version = { buffer_view(&text), owner_of(owner), &image, 1700000000 };
    struct application *application = NULL;
    return registry_put(registry, &version, &application, replaced, error);
}

/* The same application, with an archive of files beside its module. */
static bool put_with_files(struct registry *registry, const char *name,
                           const struct digest32 *archive, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer with_files;
    AUTO(manifest) struct manifest *manifest = NULL;
    struct function_image image = image_of("code");
    struct application *application = NULL;
    bool replaced;
    manifest_of(&text, name, BYTES_LITERAL("code"));
    buffer_init(&with_files, MANIFEST_SIZE_MAX);
    if (!manifest_parse(&manifest, buffer_view(&text), error))
        return false;
    manifest->functions[0].has_archive = true;
    manifest->functions[0].archive = *archive;
    if (!manifest_canonical(&with_files, manifest, error))
        return false;
    struct registry_version version = { buffer_view(&with_files), owner_of(1), &image, 1700000000 };
    return registry_put(registry, &version, &application, &replaced, error);
}

struct world {
    struct store *store;
    struct registry *registry;
};

static bool world_open(struct world *world)
{
    struct error error = { 0 };
    bool opened = store_open_sqlite(&world->store, store_path(), &plain, &error) &&
                  registry_open(&world->registry, world->store, &error);
    CHECK_NOTE(opened, "%s", error.text);
    return opened;
}

static void world_close(struct world *world)
{
    registry_free(world->registry);
    store_close(world->store);
    *world = (struct world){ 0 };
}

static void keeps_what_was_acknowledged(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    bool replaced = true;
    REQUIRE(world_open(&world));
    CHECK_NOTE(put(world.registry, "beta", "one", 1, &replaced, &error), "%s", error.text);
    CHECK(!replaced);
    CHECK(put(world.registry, "alpha", "two", 2, &replaced, &error));
    CHECK(put(world.registry, "beta", "three", 1, &replaced, &error));
    CHECK(replaced);
    world_close(&world);

    REQUIRE(world_open(&world));
    CHECK_NUMBER(registry_count(world.registry), 2);
    CHECK_STRING(registry_at(world.registry, 0)->manifest->application, "alpha");
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
    world_close(&world);
}

static void same_deployment_changes_nothing(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(world_open(&world));
    CHECK(put(world.registry, "same", "code", 1, &replaced, &error));
    CHECK(put(world.registry, "same", "code", 1, &replaced, &error));
    CHECK_NUMBER(registry_find(world.registry, "same")->version_number, 1);
    world_close(&world);
}

static void names_belong_to_their_owner(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(world_open(&world));
    CHECK(put(world.registry, "mine", "code", 1, &replaced, &error));
    CHECK(!put(world.registry, "mine", "other", 2, &replaced, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    struct digest32 other = owner_of(2), self = owner_of(1);
    CHECK(!registry_delete(world.registry, "mine", &other, &error));
    CHECK_NUMBER(error.code, ERROR_DENIED);
    CHECK(registry_delete(world.registry, "mine", &self, &error));
    CHECK(!registry_delete(world.registry, "mine", &self, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    world_close(&world);
}

static void deletion_frees_unused_blobs_and_the_name(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    uint64_t size;
    struct digest32 owner = owner_of(1);
    struct digest32 shared = sha256_of(BYTES_LITERAL("shared"));
    REQUIRE(world_open(&world));
    CHECK(store_blob_put(world.store, &shared, BYTES_LITERAL("shared"), &error));
    CHECK(put(world.registry, "first", "shared", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "shared", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "newer", 1, &replaced, &error));
    CHECK(put(world.registry, "second", "shared", 1, &replaced, &error));
    CHECK(registry_delete(world.registry, "second", &owner, &error));
    CHECK(store_blob_size(world.store, &shared, &size, &error));
    CHECK(registry_delete(world.registry, "first", &owner, &error));
    CHECK(!store_blob_size(world.store, &shared, &size, &error));
    /* The same for what goes with a module. */
    struct digest32 files = sha256_of(BYTES_LITERAL("files"));
    CHECK(store_blob_put(world.store, &files, BYTES_LITERAL("files"), &error));
    CHECK(put_with_files(world.registry, "first", &files, &error));
    CHECK(put_with_files(world.registry, "second", &files, &error));
    CHECK(registry_delete(world.registry, "second", &owner, &error));
    CHECK(store_blob_size(world.store, &files, &size, &error));
    CHECK(registry_delete(world.registry, "first", &owner, &error));
    CHECK(!store_blob_size(world.store, &files, &size, &error));
    CHECK_NOTE(put(world.registry, "second", "again", 2, &replaced, &error), "%s", error.text);
    CHECK(!replaced);
    world_close(&world);
}

static void a_held_version_outlives_its_successor(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    bool replaced;
    REQUIRE(world_open(&world));
    CHECK(put(world.registry, "held", "one", 1, &replaced, &error));
    AUTO(application)
    struct application *old = application_hold(registry_find(world.registry, "held"));
    CHECK(put(world.registry, "held", "two", 1, &replaced, &error));
    CHECK_NUMBER(old->version_number, 1);
    CHECK_STRING(old->manifest->application, "held");
    CHECK_NUMBER(registry_find(world.registry, "held")->version_number, 2);
    world_close(&world);
}

static void images_are_cached_by_module_and_compiler(void)
{
    struct world world = { 0 };
    struct error error = { 0 };
    struct digest32 code = sha256_of(BYTES_LITERAL("module"));
    struct function_image image = image_of("image"), found;
    REQUIRE(world_open(&world));
    CHECK(!registry_image_get(world.registry, &code, "baseline-1", &found, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK(store_blob_put(world.store, &image.image, BYTES_LITERAL("image"), &error));
    CHECK(registry_image_put(world.registry, &code, "baseline-1", &image, &error));
    CHECK(registry_image_put(world.registry, &code, "baseline-1", &image, &error));
    CHECK(registry_image_get(world.registry, &code, "baseline-1", &found, &error));
    CHECK(memcmp(&image, &found, sizeof(image)) == 0);
    CHECK(!registry_image_get(world.registry, &code, "baseline-2", &found, &error));
    CHECK(store_blob_delete(world.store, &image.image, &error));
    CHECK(!registry_image_get(world.registry, &code, "baseline-1", &found, &error));
    world_close(&world);
}

static const struct test tests[] = {
    TEST(keeps_what_was_acknowledged),           TEST(same_deployment_changes_nothing),
    TEST(names_belong_to_their_owner),           TEST(deletion_frees_unused_blobs_and_the_name),
    TEST(a_held_version_outlives_its_successor), TEST(images_are_cached_by_module_and_compiler),
};

TEST_MAIN(tests)
