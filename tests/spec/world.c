/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/world.h"

#include "base/file.h"
#include "wasm/module.h"

#include <stdlib.h>
#include <string.h>

#define HOST_NAME "spectest"

enum {
    IMAGE_ROOM = 256 << 20
};

static const struct settings limits = { .timeout_ms = INSTANCE_TIMEOUT_MS };

bool tier_find(const struct tier **tier, const char *name, struct error *error)
{
    if (name == NULL)
        name = tiers[0].name;
    for (size_t i = 0; i < tier_count; i++) {
        if (strcmp(tiers[i].name, name) == 0) {
            *tier = &tiers[i];
            return true;
        }
    }
    return error_set(error, ERROR_UNSUPPORTED, "no tier \"%s\" in this build; there is: %s",
                     error_quote(bytes_of_string(name)).text, tiers[0].name);
}

bool world_open(struct world *world, struct engine *engine, const struct tier *tier,
                struct error *error)
{
    *world = (struct world){ .engine = engine, .tier = tier };
    buffer_init(&world->image, IMAGE_ROOM);
    return wasm_signatures_new(&world->signatures, error);
}

void world_close(struct world *world)
{
    shell_close(world->shell);
    instance_mailbox_done(world->mailbox);
    wasm_signatures_free(world->signatures);
    buffer_done(&world->image);
    *world = (struct world){ 0 };
}

static const struct instance_of_suite *find_registered(const struct world *world, struct bytes name)
{
    for (size_t i = world->registered_count; i > 0; i--) {
        if (bytes_equal(world->registered[i - 1].name, name))
            return &world->registered[i - 1].instance;
    }
    return NULL;
}

bool world_must_link(const struct world *world, struct bytes source)
{
    bool found = false;
    AUTO(arena) struct arena *arena = arena_new((size_t)64 << 20);
    struct module module;
    struct error error;
    if (arena == NULL || !module_decode(&module, arena, source, &error))
        return false;
    for (uint32_t i = 0; i < module.import_count && !found; i++) {
        const struct import *import = &module.imports[i];
        bool is_host = bytes_equal_string(import->module, HOST_NAME);
        bool is_shared = import->kind == EXTERNAL_TABLE || import->kind == EXTERNAL_MEMORY;
        found = is_host ? is_shared : find_registered(world, import->module) != NULL;
    }
    return found;
}

/* Which export of which instance a name stands for; false: none. */
static bool find_export(const struct world *world, struct bytes module, struct bytes field,
                        struct linked_export *found)
{
    const struct instance_of_suite *instance = find_registered(world, module);
    if (instance == NULL)
        return false;
    const struct image *image = linked_image(instance->linked);
    for (size_t i = 0; i < image_count(image, IMAGE_EXPORTS); i++) {
        struct image_export export = image_export_at(image, i);
        if (!bytes_equal(image_string(image, export.name_offset, export.name_size), field))
            continue;
        *found = (struct linked_export){ .instance = instance->linked, .index = (uint32_t)i };
        return true;
    }
    return false;
}

/* struct wasm_link's: the export as it is now. */
static bool describe(void *context, struct bytes module, struct bytes field,
                     struct wasm_external *external)
{
    const struct world *world = context;
    struct linked_export found;
    struct error error;
    if (!find_export(world, module, field, &found))
        return false;
    const struct image *image = linked_image(found.instance);
    struct image_export export = image_export_at(image, found.index);
    *external = (struct wasm_external){ .kind = (enum image_export_kind) export.kind,
                                        .types = image_string(image, export.types_offset,
                                                              export.types_size),
                                        .parameter_count = export.parameter_count };
    switch (external->kind) {
    case IMAGE_EXPORT_FUNCTION:
        return true;
    case IMAGE_EXPORT_TABLE:
    case IMAGE_EXPORT_MEMORY:
        external->size = linked_size(found.instance, &export);
        return true;
    case IMAGE_EXPORT_GLOBAL:
        break;
    }
    bool is_function = external->types.data[0] == VALUE_FUNCREF;
    return linked_global(found.instance, &export, external->value, &error) &&
           (!is_function || external->value[0] == 0 ||
            linked_function(found.instance, external->value[0], &external->function, &error));
}

static bool compile(struct world *world, struct bytes module, struct wasm_options *options,
                    bool is_linked, struct error *error)
{
    const struct wasm_link link = { .placement = world->placement + 1,
                                    .signatures = world->signatures,
                                    .find = describe,
                                    .context = world };
    options->link = is_linked ? &link : NULL;
    return world->tier->compile(&world->image, module, options, error);
}

/* Instantiates world->image in the micro-VM of all linked instances. */
static bool link_image(struct world *world, struct instance_of_suite *made, struct outcome *outcome,
                       struct error *error)
{
    AUTO_CLOSE int descriptor = -1;
    AUTO(program) struct program *program = NULL;
    struct linked *linked = NULL;
    if (!file_sealed(&descriptor, "spectest", buffer_view(&world->image), error) ||
        !program_open(&program, descriptor, error))
        return false;
    const struct image *image = program_image(program);
    size_t count = image_count(image, IMAGE_IMPORTS);
    struct linked_export *sources = calloc(count + 1, sizeof(*sources));
    if (sources == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for %zu imports", count);
    for (size_t i = 0; i < count; i++) {
        struct image_import import = image_import_at(image, i);
        /* What is not found stays NULL, which shell_link refuses. */
        (void)find_export(world, image_string(image, import.module_offset, import.module_size),
                          image_string(image, import.field_offset, import.field_size), &sources[i]);
    }
    world->placement++;
    bool ok = shell_link(world->shell, program, sources, count, &limits, &linked, outcome, error);
    free(sources);
    /* The shell keeps what it holds: the program lives as long as it. */
    *made = (struct instance_of_suite){ .program = program, .linked = linked };
    return ok;
}

/* The micro-VM of linked instances, with the host module in it. */
static bool open_linked(struct world *world, struct error *error)
{
    struct instance_of_suite host;
    struct outcome outcome;
    struct wasm_options options = { .allow_spectest = true };
    if (world->shell != NULL)
        return true;
    return instance_mailbox(&world->mailbox, error) &&
           shell_open(&world->shell, world->engine, world->mailbox, INSTANCE_MAILBOX_SIZE, error) &&
           compile(world, host_module(), &options, true, error) &&
           link_image(world, &host, &outcome, error) &&
           world_register(world, BYTES_LITERAL(HOST_NAME), &host, error);
}

bool world_compile(struct world *world, struct bytes module, bool is_linked, struct error *error)
{
    struct wasm_options options = { .allow_spectest = !is_linked };
    return (!is_linked || open_linked(world, error)) &&
           compile(world, module, &options, is_linked, error);
}

bool world_instantiate(struct world *world, struct bytes module, bool is_linked,
                       struct instance_of_suite *instance, struct outcome *outcome,
                       struct error *error)
{
    *instance = (struct instance_of_suite){ 0 };
    if (!world_compile(world, module, is_linked, error))
        return false;
    if (is_linked)
        return link_image(world, instance, outcome, error);
    return instance_open(instance, world->engine, buffer_view(&world->image), outcome, error);
}

bool world_register(struct world *world, struct bytes name,
                    const struct instance_of_suite *instance, struct error *error)
{
    if (instance->linked == NULL)
        return error_set(error, ERROR_INTERNAL, "the instance can't be linked with others");
    if (world->registered_count == WORLD_REGISTERED_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d registered instances",
                         WORLD_REGISTERED_MAX);
    world->registered[world->registered_count++] = (struct registration){ name, *instance };
    return true;
}
