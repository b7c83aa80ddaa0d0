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
bool store_is_full;
static bool seal(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    return store_is_full ? error_set(error, ERROR_NO_SPACE, "the disk is full")
                         : pass(context, space, associated, in, out, error);
}

static const struct sealer plain = { NULL, seal, pass };

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

/* --- records that something is wrong with --- */

struct judged {
    struct store *store;
    const char *record;
    bool (*opens)(struct error *error);
};

static void record_put(const struct judged *judged, struct bytes text)
{
    uint64_t revision;
    struct error error;
    REQUIRE(store_put(judged->store, (struct store_key){ STORE_SPACE_NODE, judged->record }, text,
                      STORE_REVISION_ANY, &revision, &error));
}

static void check_is_refused(const struct judged *judged, const json_t *tree, const char *what)
{
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    REQUIRE(json_canonical(&text, tree, &error));
    record_put(judged, buffer_view(&text));
    CHECK_NOTE(!judged->opens(&error), "%s: %s", judged->record, what);
}

/* `part` is `tree`, or an object in it. */
static void members_judge(const struct judged *judged, json_t *tree, json_t *part,
                          const char *optional)
{
    AUTO_JSON json_t *names = json_deep_copy(part);
    const char *name;
    json_t *ignored;
    json_object_foreach(names, name, ignored)
    {
        AUTO_JSON json_t *member = json_incref(json_object_get(part, name));
        if (optional != NULL && strcmp(name, optional) == 0)
            continue;
        json_object_del(part, name);
        check_is_refused(judged, tree, name);
        json_object_set_new(part, name, json_true());
        check_is_refused(judged, tree, name);
        json_object_set(part, name, member);
        json_t *first = json_array_get(member, 0);
        if (json_is_object(first))
            members_judge(judged, tree, first, optional);
    }
}

void check_record_is_judged(struct store *store, const char *record, const char *optional,
                            bool (*opens)(struct error *error))
{
    const struct judged judged = { store, record, opens };
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    struct error error = { 0 };
    uint64_t revision;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    REQUIRE(store_get(store, (struct store_key){ STORE_SPACE_NODE, record }, &text, &revision,
                      &error) &&
            json_parse(&tree, buffer_view(&text), &error));
    members_judge(&judged, tree, tree, optional);
    record_put(&judged, BYTES_LITERAL("no JSON"));
    CHECK(!opens(&error));
    record_put(&judged, buffer_view(&text));
    CHECK_NOTE(opens(&error), "%s", error.text);
}
