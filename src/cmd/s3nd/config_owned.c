/* SPDX-License-Identifier: Apache-2.0 */
/* [access], [quotas], [policy], [versions], [logs]: who is answered, what owners may have here. */
#include "base/json.h"
#include "base/origin.h"
#include "cmd/s3nd/config.h"

#include <stddef.h>
#include <string.h>

/* 0 takes a limit away. */
static bool quotas_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "applications", "versions", "mib", "invocations_per_hour",
                                        NULL };
    struct quota_limits *quotas = &config->quotas;
    uint32_t *const targets[] = { &quotas->applications, &quotas->versions, &quotas->mib,
                                  &quotas->invocations_per_hour };
    json_t *table;
    if (json_object_get(root, "quotas") == NULL)
        return true;
    if (!json_get_object(root, "quotas", &table, error) ||
        !json_check_keys(table, keys, "quotas", error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        int64_t number = 0;
        if (json_object_get(table, keys[i]) != NULL &&
            !json_get_integer(table, keys[i], 0, UINT32_MAX, &number, error))
            return error_within(error, "quotas");
        *targets[i] = (uint32_t)number;
    }
    return true;
}

static bool versions_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "retention_s", NULL };
    json_t *table;
    int64_t number;
    if (json_object_get(root, "policy") != NULL &&
        (!json_get_object(root, "policy", &table, error) ||
         !admission_parse(&config->policy, table, error)))
        return false;
    if (json_object_get(root, "versions") == NULL)
        return true;
    if (!json_get_object(root, "versions", &table, error) ||
        !json_check_keys(table, keys, "versions", error) ||
        !json_get_integer(table, "retention_s", 0, 10 * 366 * 86400, &number, error))
        return error_within(error, "versions");
    config->retention_s = (uint32_t)number;
    return true;
}

/* Texts of at most `size_max` bytes into rows of that size and a NUL. */
static bool texts_read(char *rows, size_t size_max, size_t *count, size_t count_max,
                       const json_t *table, const char *key, struct error *error)
{
    json_t *list;
    if (json_object_get(table, key) == NULL)
        return true;
    if (!json_get_array(table, key, &list, error))
        return false;
    if (json_array_size(list) > count_max)
        return error_set(error, ERROR_LIMIT, "%s: at most %zu", key, count_max);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || text[0] == '\0' || strlen(text) > size_max)
            return error_set(error, ERROR_INVALID, "%s: must be texts of 1 to %zu bytes", key,
                             size_max);
        memcpy(rows + i * (size_max + 1), text, strlen(text) + 1);
    }
    *count = json_array_size(list);
    return true;
}

/* As browsers write them, or "*" alone. */
static bool origins_check(const struct config *config, struct error *error)
{
    for (size_t i = 0; i < config->origin_count; i++) {
        struct bytes origin = bytes_of_string(config->origins[i]);
        bool is_any = bytes_equal_string(origin, "*") && config->origin_count == 1;
        if (!is_any && !origin_is_valid(origin))
            return error_set(error, ERROR_INVALID,
                             "origins: must be like \"https://app.example.com\", or \"*\" alone");
    }
    return true;
}

static bool access_read(struct config *config, const json_t *root, struct error *error)
{
    static const char *const keys[] = { "hosts", "issuers", "origins", NULL };
    json_t *table;
    if (json_object_get(root, "access") == NULL)
        return true;
    bool read = json_get_object(root, "access", &table, error) &&
                json_check_keys(table, keys, "access", error) &&
                texts_read(config->hosts[0], CONFIG_HOST_SIZE_MAX, &config->host_count,
                           CONFIG_HOST_COUNT_MAX, table, "hosts", error) &&
                texts_read(config->issuers[0], CONFIG_URL_SIZE_MAX, &config->issuer_count,
                           CONFIG_ISSUER_COUNT_MAX, table, "issuers", error) &&
                texts_read(config->origins[0], CONFIG_ORIGIN_SIZE_MAX, &config->origin_count,
                           CONFIG_ORIGIN_COUNT_MAX, table, "origins", error) &&
                origins_check(config, error);
    return read || error_within(error, "access");
}

static bool logs_read(struct config *config, const json_t *root, struct error *error)
{
    static const struct {
        const char *key;
        size_t offset;
        int64_t min, max;
    } rows[] = {
        { "retention_s", offsetof(struct config, logs.retention_s), 60, 10 * 366 * 86400 },
        { "mib", offsetof(struct config, logs.mib), 1, 1 << 20 },
        { "total_mib", offsetof(struct config, logs.total_mib), 1, 1 << 20 },
        { "kib_per_s", offsetof(struct config, logs.kib_per_s), 1, 1 << 20 },
        { "burst_kib", offsetof(struct config, logs.burst_kib), 1, 1 << 20 },
    };
    const char *keys[ARRAY_COUNT(rows) + 1] = { NULL };
    json_t *table;
    if (json_object_get(root, "logs") == NULL)
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        keys[i] = rows[i].key;
    if (!json_get_object(root, "logs", &table, error) ||
        !json_check_keys(table, keys, "logs", error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t number;
        if (json_object_get(table, keys[i]) == NULL)
            continue;
        if (!json_get_integer(table, keys[i], rows[i].min, rows[i].max, &number, error))
            return error_within(error, "logs");
        *(uint32_t *)(void *)((uint8_t *)config + rows[i].offset) = (uint32_t)number;
    }
    return true;
}

bool config_owned_read(struct config *config, const json_t *root, struct error *error)
{
    return access_read(config, root, error) && quotas_read(config, root, error) &&
           versions_read(config, root, error) && logs_read(config, root, error);
}
