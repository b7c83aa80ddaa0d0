/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest.h"
#include "core/hex.h"
#include "functions/manifest_access.h"
#include "functions/manifest_function.h"
#include "functions/manifest_release.h"
#include "functions/manifest_state.h"
#include "functions/manifest_tree.h"

#include <stdlib.h>
#include <string.h>

enum {
    ARENA_SIZE_MAX = 4 * MANIFEST_SIZE_MAX + (256 << 10),
    ARENA_SIZE_LEAST = 2048 /* manifests of idle functions stay in memory */
};

bool name_is_valid(const char *name)
{
    size_t size = 0;
    for (; name[size] != '\0'; size++) {
        char at = name[size];
        if (size == NAME_SIZE_MAX ||
            !((at >= 'a' && at <= 'z') || (at >= '0' && at <= '9') || at == '-'))
            return false;
    }
    return size > 0 && name[0] != '-' && name[size - 1] != '-';
}

const char *manifest_method_name(enum manifest_method method)
{
    static const char *const names[] = {
#define METHOD_NAME(method) #method,
        MANIFEST_METHODS(METHOD_NAME)
#undef METHOD_NAME
    };
    ASSERT(method < METHOD_COUNT);
    return names[method];
}

enum manifest_method manifest_method_of(struct bytes name)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        if (bytes_equal_string(name, manifest_method_name((enum manifest_method)i)))
            return (enum manifest_method)i;
    }
    return METHOD_COUNT;
}

const struct manifest_function *manifest_function_find(const struct manifest *manifest,
                                                       const char *name)
{
    for (size_t i = 0; i < manifest->function_count; i++) {
        if (strcmp(manifest->functions[i].name, name) == 0)
            return &manifest->functions[i];
    }
    return NULL;
}

void manifest_free(struct manifest *manifest)
{
    if (manifest == NULL)
        return;
    arena_free(manifest->arena);
    free(manifest);
}

static bool manifest_of_tree(struct manifest **manifest, const json_t *root,
                             const struct manifest_source *source, struct error *error)
{
    AUTO(manifest) struct manifest *made = calloc(1, sizeof(*made));
    if (made == NULL || (made->arena = arena_new_small(ARENA_SIZE_MAX, ARENA_SIZE_LEAST)) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    if (!manifest_read_tree(made, root, source, error))
        return false;
    *manifest = TAKE(made);
    return true;
}

bool manifest_parse_toml(struct manifest **manifest, const char *file_name, struct bytes text,
                         struct error *error)
{
    if (text.size > MANIFEST_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "%s has %zu bytes, at most %d are allowed", file_name,
                         text.size, MANIFEST_SIZE_MAX);
    AUTO_TOML struct toml_document document = { 0 };
    if (!toml_parse(&document, file_name, text, error))
        return false;
    struct manifest_source source = { file_name, &document };
    return manifest_of_tree(manifest, document.root, &source, error);
}

bool manifest_parse(struct manifest **manifest, struct bytes canonical, struct error *error)
{
    if (canonical.size > MANIFEST_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the manifest has %zu bytes, at most %d are allowed",
                         canonical.size, MANIFEST_SIZE_MAX);
    AUTO_JSON json_t *root = NULL;
    if (!json_parse(&root, canonical, error))
        return error_within(error, "manifest");
    struct manifest_source source = { 0 };
    AUTO(manifest) struct manifest *parsed = NULL;
    if (!manifest_of_tree(&parsed, root, &source, error))
        return false;
    AUTO_BUFFER struct buffer again;
    buffer_init(&again, 2 * MANIFEST_SIZE_MAX);
    if (!manifest_canonical(&again, parsed, error))
        return false;
    if (!bytes_equal(buffer_view(&again), canonical))
        return error_set(error, ERROR_INVALID,
                         "the manifest is not in its canonical form (RFC 8785, defaults written "
                         "out, functions in order)");
    *manifest = TAKE(parsed);
    return true;
}

static json_t *route_tree(const struct manifest_route *route)
{
    json_t *methods = json_array();
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        if ((route->methods & (1u << i)) != 0)
            json_array_append_new(methods,
                                  json_string(manifest_method_name((enum manifest_method)i)));
    }
    json_t *tree = json_pack("{s:s, s:s, s:o}", "route", route->route, "function", route->function,
                             "methods", methods);
    /* the usual is not written, so manifests from before keep their digests */
    if (route->is_sealed_only)
        json_object_set_new(tree, "sealed", json_string("required"));
    if (route->folder != NULL)
        json_object_set_new(tree, "static", json_string(route->folder));
    if (route->auth != ROUTE_AUTH_PUBLIC)
        json_object_set_new(tree, "auth", json_string(manifest_auth_name(route->auth)));
    return tree;
}

bool manifest_canonical(struct buffer *text, const struct manifest *manifest, struct error *error)
{
    json_t *functions = json_object(), *routes = json_array();
    AUTO_JSON json_t *root =
        json_pack("{s:i, s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "s3n_manifest_version",
                  MANIFEST_VERSION, "compatibility_date", manifest->compatibility_date,
                  "application", "name", manifest->application, "version", manifest->version,
                  "function", functions, "trigger", "http", routes);
    if (root == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    bool complete = true;
    for (size_t i = 0; i < manifest->function_count; i++) {
        const struct manifest_function *function = &manifest->functions[i];
        if (!function->has_code)
            return error_set(error, ERROR_INVALID, "function %s has no code yet", function->name);
        complete &=
            json_object_set_new(functions, function->name, manifest_function_tree(function)) == 0;
    }
    for (size_t i = 0; i < manifest->route_count; i++)
        complete &= json_array_append_new(routes, route_tree(&manifest->routes[i])) == 0;
    if (manifest->release.signer_count > 0)
        complete &=
            json_object_set_new(root, "release", manifest_release_tree(&manifest->release)) == 0;
    json_t *middleware = manifest_middleware_tree(&manifest->middleware);
    if (middleware != NULL)
        complete &= json_object_set_new(root, "middleware", middleware) == 0;
    if (manifest->jwt.issuer != NULL)
        complete &= json_object_set_new(root, "jwt", manifest_jwt_tree(&manifest->jwt)) == 0;
    json_t *state = manifest_state_tree(&manifest->state);
    if (state != NULL)
        complete &= json_object_set_new(root, "state", state) == 0;
    if (!complete)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    return json_canonical(text, root, error);
}
