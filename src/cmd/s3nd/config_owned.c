/* SPDX-License-Identifier: Apache-2.0 */
/* [quotas], [policy], [versions]: what owners may have here. */
#include "base/json.h"
#include "cmd/s3nd/config.h"

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

bool config_owned_read(struct config *config, const json_t *root, struct error *error)
{
    return quotas_read(config, root, error) && versions_read(config, root, error);
}
