/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/test_registry.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <stdio.h>
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

const char *store_name = "store";
static const char *store_path(void)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/%s.db", test_folder(), store_name);
    return path;
}

int64_t now_s = 1700000000;

struct digest32 owner_of(uint8_t byte)
{
    struct digest32 owner;
    memset(owner.bytes, byte, sizeof(owner.bytes));
    return owner;
}

void manifest_of(struct buffer *text, const char *name, struct bytes code)
{
    struct digest32 digest = sha256_of(code);
    test_manifest(text, name, &digest, "");
}

struct function_image image_of(const char *content)
{
    return (struct function_image){ .image = sha256_of(bytes_of_string(content)),
                                    .image_size = strlen(content),
                                    .code_size = 3,
                                    .compile_us = 5 };
}

struct change change_of(uint8_t owner)
{
    return (struct change){ owner_of(owner), "key:test", now_s };
}

bool put_weight(struct registry *registry, const char *name, const char *code, uint8_t owner,
                unsigned weight, struct registry_outcome *outcome, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    manifest_of(&text, name, bytes_of_string(code));
    struct function_image image = image_of(code);
    struct change change = change_of(owner);
    struct version_signer signer = test_signer(buffer_view(&text));
    struct registry_version version = { .canonical = buffer_view(&text),
                                        .owner = change.owner,
                                        .author = change.actor,
                                        .images = &image,
                                        .signers = &signer,
                                        .signer_count = 1,
                                        .weight = weight,
                                        .size = strlen(code),
                                        .now_s = now_s };
    struct registry_outcome own = { 0 };
    if (!registry_put(registry, &version, &change, &own, error))
        return false;
    application_release(own.application);
    *outcome = own;
    return true;
}

bool put(struct registry *registry, const char *name, const char *code, uint8_t owner,
         bool *replaced, struct error *error)
{
    struct registry_outcome outcome = { 0 };
    bool done = put_weight(registry, name, code, owner, 100, &outcome, error);
    *replaced = outcome.replaced;
    return done;
}

bool application_delete(struct registry *registry, const char *name, uint8_t owner,
                        struct error *error)
{
    struct change change = change_of(owner);
    return registry_delete(registry, name, false, &change, error);
}

struct registry_options registry_world_options;

bool registry_world_open(struct registry_world *world)
{
    struct error error = { 0 };
    bool opened = store_open_sqlite(&world->store, store_path(), &plain, &error) &&
                  audit_open(&world->audit, world->store, &error);
    registry_world_options.store = world->store;
    registry_world_options.audit = world->audit;
    opened = opened && registry_open(&world->registry, &registry_world_options, &error);
    CHECK_NOTE(opened, "%s", error.text);
    return opened;
}

void registry_world_close(struct registry_world *world)
{
    registry_free(world->registry);
    audit_free(world->audit);
    store_close(world->store);
    *world = (struct registry_world){ 0 };
}
