/* SPDX-License-Identifier: Apache-2.0 */
/* [outbound]: where functions' requests may lead besides public addresses, and how. */
#include "base/json.h"
#include "cmd/s3nd/config.h"
#include "outbound/resolver.h"

#include <stdio.h>
#include <string.h>

/* A list of strings, checked one by one, to one text with commas between. */
static bool list_read(char *target, size_t size, const json_t *table, const char *key,
                      bool (*check)(struct bytes item, struct error *error), struct error *error)
{
    json_t *list;
    size_t used = 0;
    if (json_object_get(table, key) == NULL)
        return true;
    if (!json_get_array(table, key, &list, error))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL)
            return error_set(error, ERROR_INVALID, "%s: must be a list of texts", key);
        if (!check(bytes_of_string(text), error))
            return error_within(error, "%s", key);
        int more = snprintf(target + used, size - used, "%s%s", i == 0 ? "" : ",", text);
        if (more < 0 || (size_t)more >= size - used)
            return error_set(error, ERROR_LIMIT, "%s: too many", key);
        used += (size_t)more;
    }
    return true;
}

static bool network_check(struct bytes item, struct error *error)
{
    struct prefix prefix;
    return prefix_parse(&prefix, item, error);
}

static bool server_check(struct bytes item, struct error *error)
{
    struct name_server server;
    return name_server_parse(&server, item, error);
}

static bool table_read(struct config_outbound *outbound, const json_t *table, struct error *error)
{
    static const char *const keys[] = { "allow_private", "name_servers", "roots", "concurrency",
                                        NULL };
    const char *roots = "";
    int64_t number = outbound->concurrency;
    json_t *networks = json_object_get(table, keys[0]);
    if (!json_check_keys(table, keys, "outbound", error))
        return false;
    if (json_array_size(networks) > PREFIX_COUNT_MAX ||
        json_array_size(json_object_get(table, keys[1])) > NAME_SERVER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d networks and %d name servers",
                         PREFIX_COUNT_MAX, NAME_SERVER_COUNT_MAX);
    if (!list_read(outbound->allowed, sizeof(outbound->allowed), table, keys[0], network_check,
                   error) ||
        !list_read(outbound->servers, sizeof(outbound->servers), table, keys[1], server_check,
                   error) ||
        (json_object_get(table, keys[2]) != NULL &&
         !json_get_string(table, keys[2], &roots, error)) ||
        (json_object_get(table, keys[3]) != NULL &&
         !json_get_integer(table, keys[3], 1, JOURNEY_COUNT_MAX, &number, error)))
        return false;
    if (strlen(roots) >= sizeof(outbound->roots) || (roots[0] != '\0' && roots[0] != '/'))
        return error_set(error, ERROR_INVALID, "roots: must be the path of a file, from /");
    snprintf(outbound->roots, sizeof(outbound->roots), "%s", roots);
    outbound->concurrency = (uint32_t)number;
    return true;
}

bool config_outbound_read(struct config *config, const json_t *root, struct error *error)
{
    json_t *table;
    if (json_object_get(root, "outbound") == NULL)
        return true;
    return json_get_object(root, "outbound", &table, error) &&
           (table_read(&config->outbound, table, error) || error_within(error, "outbound"));
}
