/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/api_trees.h"
#include "core/hex.h"

#include <stdio.h>

struct name_text name_of(struct bytes name)
{
    struct name_text copy;
    snprintf(copy.text, sizeof(copy.text), "%.*s", (int)name.size, (const char *)name.data);
    return copy;
}

struct actor_text actor_of(const struct gateway_call *call)
{
    struct actor_text actor;
    snprintf(actor.text, sizeof(actor.text), "%s", call->caller.actor);
    return actor;
}

static json_t *function_tree(const struct application *application, size_t index)
{
    const struct manifest_function *function = &application->manifest->functions[index];
    const struct function_image *image = &application->images[index];
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "name", function->name, "tier",
                     (image->flags & FUNCTION_IMAGE_OPTIMISED) != 0 ? "optimised" : "baseline",
                     "code_digest", hex_of_digest(&function->code).text, "image_digest",
                     hex_of_digest(&image->image).text, "compile_ms",
                     (json_int_t)((image->compile_us + 999) / 1000), "compile_us",
                     (json_int_t)image->compile_us, "code_size", (json_int_t)image->code_size,
                     "image_size", (json_int_t)image->image_size);
}

static const char *state_of(const struct registry_entry *entry, const struct version_row *row)
{
    if (row->deleted_s != 0 || entry->deleted_s != 0)
        return "deleted";
    if (!row->is_released)
        return "pending";
    if (entry->canary != NULL && entry->canary->version_number == row->number)
        return "canary";
    return registry_weight(entry, row->number) > 0 ? "serving" : "released";
}

json_t *version_row_tree(const struct registry_entry *entry, const struct version_row *row)
{
    json_t *tree =
        json_pack("{s:I, s:s, s:s, s:s, s:i, s:I, s:I}", "version_number", (json_int_t)row->number,
                  "version", row->version, "version_digest", hex_of_digest(&row->digest).text,
                  "state", state_of(entry, row), "weight", (int)registry_weight(entry, row->number),
                  "deployed_s", (json_int_t)row->created_s, "size", (json_int_t)row->size);
    if (tree != NULL && row->deleted_s != 0)
        json_object_set_new(tree, "deleted_s", json_integer(row->deleted_s));
    return tree;
}

static json_t *signers_tree(const struct application *application)
{
    json_t *list = json_array();
    for (size_t i = 0; i < application->signer_count; i++) {
        struct digest32 id = ecdsa_public_id(&application->signers[i].key);
        json_array_append_new(list, json_pack("{s:s, s:s}", "signer", hex_of_digest(&id).text,
                                              "signature", application->signers[i].text));
    }
    return list;
}

static void manifest_add(json_t *tree, const struct application *application)
{
    AUTO_BUFFER struct buffer text;
    json_t *manifest = NULL;
    struct error error;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    if (manifest_canonical(&text, application->manifest, &error) &&
        json_parse(&manifest, buffer_view(&text), &error))
        json_object_set_new(tree, "manifest", manifest);
}

json_t *version_tree(const struct registry_entry *entry, const struct application *application,
                     const json_t *reports)
{
    const struct manifest *manifest = application->manifest;
    const struct version_row *row = registry_row(entry, application->version_number);
    json_t *functions = json_array(), *routes = json_array();
    for (size_t i = 0; i < manifest->function_count; i++)
        json_array_append_new(functions, function_tree(application, i));
    for (size_t i = 0; i < manifest->route_count; i++)
        json_array_append_new(routes, json_pack("{s:s, s:s}", "route", manifest->routes[i].route,
                                                "function", manifest->routes[i].function));
    json_t *tree = version_row_tree(entry, row);
    AUTO_JSON json_t *more =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:o, s:o}", "application", manifest->application,
                  "manifest_digest", hex_of_digest(&application->manifest_digest).text, "owner",
                  hex_of_digest(&application->owner).text, "author", application->author, "signers",
                  signers_tree(application), "threshold", (int)application_threshold(application),
                  "functions", functions, "routes", routes);
    json_object_update(tree, more);
    if (reports != NULL) {
        json_object_set(tree, "reports", (json_t *)(uintptr_t)reports);
        manifest_add(tree, application);
    }
    return tree;
}

json_t *entry_tree(const struct registry_entry *entry)
{
    json_t *serving = json_array();
    const struct application *served[] = { entry->served, entry->canary };
    for (size_t i = 0; i < ARRAY_COUNT(served); i++) {
        if (served[i] != NULL)
            json_array_append_new(
                serving,
                json_pack("{s:I, s:i}", "version_number", (json_int_t)served[i]->version_number,
                          "weight", (int)registry_weight(entry, served[i]->version_number)));
    }
    json_t *tree = entry->served != NULL
                       ? version_tree(entry, entry->served, NULL)
                       : json_pack("{s:s, s:s, s:[], s:[]}", "application", entry->name, "owner",
                                   hex_of_digest(&entry->owner).text, "functions", "routes");
    json_object_set_new(tree, "serving", serving);
    json_object_set_new(tree, "version_count", json_integer((json_int_t)entry->version_count));
    json_object_set_new(tree, "last_version", json_integer((json_int_t)entry->last));
    if (entry->deleted_s != 0)
        json_object_set_new(tree, "deleted_s", json_integer(entry->deleted_s));
    return tree;
}
