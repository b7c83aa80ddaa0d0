/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_access.h"
#include "access/jwks.h"
#include "core/sort.h"

#include <string.h>

static const char *const auth_names[] = { "public", "token", "owner", "jwt", NULL };
_Static_assert(ARRAY_COUNT(auth_names) == ROUTE_AUTH_COUNT + 1, "a name each");

const char *manifest_auth_name(enum route_auth auth)
{
    return auth_names[auth];
}

bool manifest_read_auth(enum route_auth *auth, const struct manifest_table *route,
                        struct error *error)
{
    unsigned choice = *auth;
    if (!manifest_read_choice(route, "auth", auth_names, &choice, error))
        return false;
    *auth = (enum route_auth)choice;
    return true;
}

/* Printable, without what would make two URLs of one. */
static bool is_url(const char *text)
{
    if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"#<>\\^`{|}@", *at) != NULL)
            return false;
    }
    return strstr(text, "://")[3] != '\0';
}

static bool read_url(const struct manifest_table *table, const char *key, const char **url,
                     struct error *error)
{
    if (!manifest_read_string(table, key, JWKS_URL_SIZE_MAX - 64, url, error))
        return false;
    if (*url == NULL || is_url(*url))
        return true;
    error_set(error, ERROR_INVALID, "must be a URL, https://...");
    return manifest_fail_key(table, key, error);
}

static int text_order(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* One text or several. */
static bool read_audiences(struct manifest_jwt *jwt, const struct manifest_table *table,
                           struct error *error)
{
    const json_t *value = json_object_get(table->json, "audience");
    bool is_one = json_is_string(value);
    size_t count = is_one ? 1 : json_array_size(value);
    bool valid = count >= 1 && count <= JWT_AUDIENCE_COUNT_MAX;
    jwt->audiences = valid ? arena_array(table->arena, count, sizeof(*jwt->audiences)) : NULL;
    if (valid && jwt->audiences == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; valid && i < count; i++) {
        const char *text = json_string_value(is_one ? value : json_array_get(value, i));
        valid = text != NULL && text[0] != '\0' && strlen(text) <= JWT_AUDIENCE_SIZE_MAX;
        if (valid &&
            (jwt->audiences[i] = arena_string(table->arena, bytes_of_string(text))) == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    }
    if (valid)
        sort_items(jwt->audiences, count, sizeof(*jwt->audiences), text_order);
    for (size_t i = 1; valid && i < count; i++)
        valid = strcmp(jwt->audiences[i - 1], jwt->audiences[i]) != 0;
    jwt->audience_count = count;
    if (valid)
        return true;
    error_set(error, ERROR_INVALID,
              "must be a text or up to %d different ones: whom tokens are for (their `aud`)",
              JWT_AUDIENCE_COUNT_MAX);
    return manifest_fail_key(table, "audience", error);
}

static bool read_algorithms(struct manifest_jwt *jwt, const struct manifest_table *table,
                            struct error *error)
{
    const json_t *list = json_object_get(table->json, "algorithms");
    size_t count = json_array_size(list);
    bool valid = count > 0;
    for (size_t i = 0; valid && i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum jwt_algorithm algorithm =
            name == NULL ? JWT_ALGORITHM_COUNT : jwt_algorithm_of(bytes_of_string(name));
        valid = algorithm != JWT_ALGORITHM_COUNT && (jwt->algorithms >> algorithm & 1) == 0;
        if (valid)
            jwt->algorithms |= 1u << algorithm;
    }
    if (valid)
        return true;
    error_set(error, ERROR_INVALID, "must list some of \"ES256\", \"RS256\", \"EdDSA\", once each");
    return manifest_fail_key(table, "algorithms", error);
}

static bool route_check(const struct manifest *manifest, const struct manifest_table *root,
                        struct error *error)
{
    for (size_t i = 0; i < manifest->route_count; i++) {
        if (manifest->routes[i].auth != ROUTE_AUTH_JWT)
            continue;
        error_set(error, ERROR_INVALID,
                  "the route %s has auth = \"jwt\": the table [jwt] must say whose tokens, with "
                  "issuer, audience and algorithms",
                  manifest->routes[i].route);
        return manifest_fail(root, error);
    }
    return true;
}

bool manifest_read_jwt(struct manifest *manifest, const struct manifest_table *root,
                       struct error *error)
{
    static const char *const keys[] = { "issuer",     "jwks_url", "audience",
                                        "algorithms", "leeway_s", NULL };
    struct manifest_jwt *jwt = &manifest->jwt;
    struct manifest_table table;
    uint64_t leeway_s = JWT_LEEWAY_S_DEFAULT;
    *jwt = (struct manifest_jwt){ 0 };
    if (!manifest_get_table(root, "jwt", &table, error))
        return false;
    if (table.json == NULL)
        return route_check(manifest, root, error);
    if (!manifest_check_keys(&table, keys, error) ||
        !read_url(&table, "issuer", &jwt->issuer, error) ||
        !read_url(&table, "jwks_url", &jwt->jwks_url, error) ||
        !read_audiences(jwt, &table, error) || !read_algorithms(jwt, &table, error) ||
        !manifest_read_number(&table, "leeway_s", JWT_LEEWAY_S_MAX, &leeway_s, error))
        return false;
    jwt->leeway_s = (uint32_t)leeway_s;
    if (jwt->issuer != NULL)
        return true;
    error_set(error, ERROR_INVALID, "is missing: the `iss` of the tokens, a URL");
    return manifest_fail_key(&table, "issuer", error);
}

json_t *manifest_jwt_tree(const struct manifest_jwt *jwt)
{
    json_t *audiences = json_array(), *algorithms = json_array();
    for (size_t i = 0; i < jwt->audience_count; i++)
        json_array_append_new(audiences, json_string(jwt->audiences[i]));
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        if ((jwt->algorithms >> i & 1) != 0)
            json_array_append_new(algorithms,
                                  json_string(jwt_algorithm_name((enum jwt_algorithm)i)));
    }
    return json_pack("{s:s, s:s*, s:o, s:o, s:i}", "issuer", jwt->issuer, "jwks_url", jwt->jwks_url,
                     "audience", audiences, "algorithms", algorithms, "leeway_s",
                     (int)jwt->leeway_s);
}
