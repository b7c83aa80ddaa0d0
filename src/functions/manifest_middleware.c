/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_middleware.h"

#include "base/origin.h"
#include "functions/limits.h"
#include "functions/manifest_static.h"

#include <string.h>

/* --- values --- */

static bool read_u32(const struct manifest_table *table, const char *key, uint32_t max,
                     uint32_t *target, struct error *error)
{
    uint64_t number = *target;
    if (!manifest_read_number(table, key, max, &number, error))
        return false;
    *target = (uint32_t)number;
    return true;
}

/* { per_minute = 60, burst = 10 } */
static bool read_rate(const struct manifest_table *parent, const char *key,
                      struct manifest_rate *rate, struct error *error)
{
    static const char *const keys[] = { "per_minute", "burst", NULL };
    struct manifest_table table;
    if (!manifest_get_table(parent, key, &table, error))
        return false;
    if (table.json == NULL)
        return true;
    if (!manifest_check_keys(&table, keys, error) ||
        !read_u32(&table, keys[0], RATE_PER_MINUTE_MAX, &rate->per_minute, error))
        return false;
    if (rate->per_minute == 0) {
        error_set(error, ERROR_INVALID, "is written { per_minute = 60, burst = 10 }");
        return manifest_fail(&table, error);
    }
    rate->burst = MAX(rate->per_minute / RATE_BURST_SHARE, 1u);
    return read_u32(&table, keys[1], RATE_PER_MINUTE_MAX, &rate->burst, error);
}

typedef bool is_item(struct bytes text);

static bool is_field_name(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_word = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_word && byte != '-' && byte != '_')
            return false;
    }
    return text.size > 0 && text.size <= MIDDLEWARE_ITEM_SIZE_MAX;
}

static bool is_origin_or_star(struct bytes text)
{
    return bytes_equal_string(text, "*") || origin_is_valid(text);
}

/* A list of texts, none twice; `what` says what they are. */
static bool read_strings(const struct manifest_table *table, const char *key, is_item *fits,
                         const char *what, struct manifest_strings *strings, struct error *error)
{
    const json_t *list = json_object_get(table->json, key);
    size_t count = json_array_size(list);
    if (list == NULL)
        return true;
    bool valid = json_is_array(list) && count >= 1 && count <= MIDDLEWARE_ITEM_COUNT_MAX;
    strings->items = valid ? arena_array(table->arena, count, sizeof(*strings->items)) : NULL;
    if (valid && strings->items == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; valid && i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct bytes text = { 0 };
        if (json_is_string(item))
            text = bytes_of(json_string_value(item), json_string_length(item));
        valid = text.data != NULL && fits(text);
        strings->items[i] = valid ? arena_string(table->arena, text) : NULL;
        for (size_t j = 0; valid && j < i; j++)
            valid = strcmp(strings->items[i], strings->items[j]) != 0;
    }
    strings->count = count;
    if (valid)
        return true;
    error_set(error, ERROR_INVALID, "must be a list of 1 to %d %s, each once",
              MIDDLEWARE_ITEM_COUNT_MAX, what);
    return manifest_fail_key(table, key, error);
}

static json_t *strings_tree(const struct manifest_strings *strings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(list, json_string(strings->items[i]));
    return list;
}

static void set_number(json_t *tree, const char *key, uint32_t number)
{
    if (number != 0)
        json_object_set_new(tree, key, json_integer(number));
}

/* --- [middleware.limits] --- */

static bool read_limits(struct manifest_middleware *middleware, const struct manifest_table *table,
                        struct error *error)
{
    static const char *const keys[] = {
        "body_kib", "rate_per_address", "rate_per_key", "concurrency", "queue", "queue_ms", NULL
    };
    struct manifest_middleware_limits *limits = &middleware->limits;
    limits->is_given = true;
    if (!manifest_check_keys(table, keys, error) ||
        !read_u32(table, keys[0], MIDDLEWARE_BODY_KIB_MAX, &limits->body_kib, error) ||
        !read_rate(table, keys[1], &limits->per_address, error) ||
        !read_rate(table, keys[2], &limits->per_key, error) ||
        !read_u32(table, keys[3], MIDDLEWARE_CONCURRENCY_MAX, &limits->concurrency, error) ||
        !read_u32(table, keys[4], MIDDLEWARE_QUEUE_MAX, &limits->queue, error))
        return false;
    if (limits->queue > 0)
        limits->queue_ms = MIDDLEWARE_QUEUE_MS_DEFAULT;
    if (!read_u32(table, keys[5], MIDDLEWARE_QUEUE_MS_MAX, &limits->queue_ms, error))
        return false;
    if (limits->queue > 0 && limits->concurrency == 0) {
        error_set(error, ERROR_INVALID, "waits for `concurrency`, which is not given");
        return manifest_fail_key(table, keys[4], error);
    }
    if (limits->queue_ms > 0 && limits->queue == 0) {
        error_set(error, ERROR_INVALID, "is the time in a `queue`, which is not given");
        return manifest_fail_key(table, keys[5], error);
    }
    return true;
}

static void set_rate(json_t *tree, const char *key, const struct manifest_rate *rate)
{
    if (rate->per_minute != 0)
        json_object_set_new(tree, key,
                            json_pack("{s:i, s:i}", "per_minute", (int)rate->per_minute, "burst",
                                      (int)rate->burst));
}

static json_t *limits_tree(const struct manifest_middleware *middleware)
{
    const struct manifest_middleware_limits *limits = &middleware->limits;
    if (!limits->is_given)
        return NULL;
    json_t *tree = json_object();
    set_number(tree, "body_kib", limits->body_kib);
    set_rate(tree, "rate_per_address", &limits->per_address);
    set_rate(tree, "rate_per_key", &limits->per_key);
    set_number(tree, "concurrency", limits->concurrency);
    set_number(tree, "queue", limits->queue);
    set_number(tree, "queue_ms", limits->queue_ms);
    return tree;
}

/* --- [middleware.cors] --- */

static bool read_cors(struct manifest_middleware *middleware, const struct manifest_table *table,
                      struct error *error)
{
    static const char *const keys[] = { "origins",     "headers",   "expose",
                                        "credentials", "max_age_s", NULL };
    struct manifest_middleware_cors *cors = &middleware->cors;
    *cors =
        (struct manifest_middleware_cors){ .is_given = true, .max_age_s = CORS_MAX_AGE_S_DEFAULT };
    if (!manifest_check_keys(table, keys, error) ||
        !read_strings(table, keys[0], is_origin_or_star,
                      "origins like \"https://app.example.com\", or \"*\"", &cors->origins,
                      error) ||
        !read_strings(table, keys[1], is_field_name, "field names in lower case", &cors->headers,
                      error) ||
        !read_strings(table, keys[2], is_field_name, "field names in lower case", &cors->expose,
                      error) ||
        !manifest_read_bool(table, keys[3], &cors->has_credentials, error) ||
        !read_u32(table, keys[4], CORS_MAX_AGE_S_MAX, &cors->max_age_s, error))
        return false;
    bool has_star = false;
    for (size_t i = 0; i < cors->origins.count; i++)
        has_star = has_star || strcmp(cors->origins.items[i], "*") == 0;
    if (cors->origins.count == 0 || (has_star && cors->origins.count > 1)) {
        error_set(error, ERROR_INVALID, "must list the pages' origins, or be [\"*\"] alone");
        return manifest_fail_key(table, keys[0], error);
    }
    if (has_star && cors->has_credentials) {
        error_set(error, ERROR_INVALID,
                  "cookies and keys of callers are not for pages of everywhere: list the origins");
        return manifest_fail_key(table, keys[3], error);
    }
    return true;
}

static json_t *cors_tree(const struct manifest_middleware *middleware)
{
    const struct manifest_middleware_cors *cors = &middleware->cors;
    if (!cors->is_given)
        return NULL;
    json_t *tree =
        json_pack("{s:o, s:b, s:i}", "origins", strings_tree(&cors->origins), "credentials",
                  cors->has_credentials, "max_age_s", (int)cors->max_age_s);
    if (cors->headers.count > 0)
        json_object_set_new(tree, "headers", strings_tree(&cors->headers));
    if (cors->expose.count > 0)
        json_object_set_new(tree, "expose", strings_tree(&cors->expose));
    return tree;
}

/* --- [middleware.idempotency] --- */

static const char *const concurrent_names[] = { "wait", "refuse", NULL };

static bool read_idempotency(struct manifest_middleware *middleware,
                             const struct manifest_table *table, struct error *error)
{
    static const char *const keys[] = { "retention_s", "required", "concurrent", NULL };
    struct manifest_middleware_idempotency *idempotency = &middleware->idempotency;
    unsigned choice = 0;
    *idempotency =
        (struct manifest_middleware_idempotency){ .is_given = true,
                                                  .retention_s = RESULT_RETENTION_S_DEFAULT };
    if (!manifest_check_keys(table, keys, error) ||
        !read_u32(table, keys[0], RESULT_RETENTION_S_MAX, &idempotency->retention_s, error) ||
        !manifest_read_bool(table, keys[1], &idempotency->is_required, error) ||
        !manifest_read_choice(table, keys[2], concurrent_names, &choice, error))
        return false;
    idempotency->refuses_concurrent = choice == 1;
    return true;
}

static json_t *idempotency_tree(const struct manifest_middleware *middleware)
{
    const struct manifest_middleware_idempotency *idempotency = &middleware->idempotency;
    if (!idempotency->is_given)
        return NULL;
    return json_pack("{s:i, s:b, s:s}", "retention_s", (int)idempotency->retention_s, "required",
                     idempotency->is_required, "concurrent",
                     concurrent_names[idempotency->refuses_concurrent]);
}

/* --- all of them --- */

static const struct unit {
    const char *name;
    bool (*read)(struct manifest_middleware *middleware, const struct manifest_table *table,
                 struct error *error);
    json_t *(*tree)(const struct manifest_middleware *middleware); /* NULL: not given */
} units[] = {
    { "limits", read_limits, limits_tree },
    { "cors", read_cors, cors_tree },
    { "idempotency", read_idempotency, idempotency_tree },
    { "assets", manifest_read_assets, manifest_assets_tree },
    { "errors", manifest_read_errors, manifest_errors_tree },
};

bool manifest_read_middleware(struct manifest_middleware *middleware,
                              const struct manifest_table *root, struct error *error)
{
    const char *keys[ARRAY_COUNT(units) + 1] = { NULL };
    struct manifest_table all, table;
    *middleware = (struct manifest_middleware){ 0 };
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        keys[i] = units[i].name;
    if (!manifest_get_table(root, "middleware", &all, error))
        return false;
    if (all.json == NULL)
        return true;
    if (!manifest_check_keys(&all, keys, error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (!manifest_get_table(&all, units[i].name, &table, error) ||
            (table.json != NULL && !units[i].read(middleware, &table, error)))
            return false;
    }
    return true;
}

json_t *manifest_middleware_tree(const struct manifest_middleware *middleware)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        json_t *tree = units[i].tree(middleware);
        if (tree != NULL)
            json_object_set_new(all, units[i].name, tree);
    }
    if (json_object_size(all) > 0)
        return all;
    json_decref(all);
    return NULL;
}
