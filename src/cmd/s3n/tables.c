/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/tables.h"

#include <stdio.h>

enum {
    DURATION_S_MAX = 10 * 366 * 86400
};

const char *text_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "-" : text;
}

long long number_member(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

struct time_text time_text_of(const json_t *object, const char *key)
{
    struct time_text when;
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        snprintf(when.text, sizeof(when.text), "never");
    else if (!time_format(when.text, json_integer_value(value)))
        snprintf(when.text, sizeof(when.text), "?");
    return when;
}

bool duration_parse(int64_t *seconds, const char *text, struct error *error)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
    int64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && number <= DURATION_S_MAX; at++)
        number = number * 10 + (*at - '0');
    for (size_t i = 0; i < ARRAY_COUNT(units) && at > text; i++) {
        if (at[0] != units[i].unit || at[1] != '\0')
            continue;
        if (number < 1 || number > DURATION_S_MAX / units[i].seconds)
            return error_set(error, ERROR_USAGE, "from 1s to ten years");
        *seconds = number * units[i].seconds;
        return true;
    }
    return error_set(error, ERROR_USAGE, "is written like 30d, 12h, 15m or 90s");
}
