/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/query.h"

#include "core/time.h"

static bool number_parse(uint64_t *number, struct bytes text)
{
    uint64_t read = 0;
    if (text.size == 0 || text.size > 18)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        read = read * 10 + (uint64_t)(text.data[i] - '0');
    }
    *number = read;
    return true;
}

bool log_query_parse(struct log_query *query, struct bytes text, struct error *error)
{
    static const char *const names[] = { "after", "since_ms", "size_max" };
    uint64_t numbers[ARRAY_COUNT(names)] = { 0 };
    bool seen[ARRAY_COUNT(names)] = { false };
    while (text.size > 0) {
        struct bytes pair = bytes_part(text, 0, bytes_find(text, '&'));
        struct bytes name = bytes_part(pair, 0, bytes_find(pair, '='));
        text = bytes_part(text, pair.size + 1, text.size);
        size_t i = 0;
        while (i < ARRAY_COUNT(names) && !bytes_equal_string(name, names[i]))
            i++;
        if (i == ARRAY_COUNT(names))
            return error_set(error, ERROR_INVALID,
                             "the query has no \"%s\": after, since_ms and size_max are known",
                             error_quote(name).text);
        if (seen[i] || !number_parse(&numbers[i], bytes_part(pair, name.size + 1, pair.size)))
            return error_set(error, ERROR_INVALID, "the query's %s is one number", names[i]);
        seen[i] = true;
    }
    *query = (struct log_query){ numbers[0], (int64_t)numbers[1], numbers[2] };
    return true;
}

bool log_since_parse(int64_t *since_ms, struct bytes text, int64_t now_ms, struct error *error)
{
    static const struct {
        char unit;
        int64_t unit_ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
    uint64_t number;
    int64_t time_s;
    if (text.size > 1 && text.size < 10 &&
        number_parse(&number, bytes_part(text, 0, text.size - 1))) {
        for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
            if (text.data[text.size - 1] != (uint8_t)units[i].unit)
                continue;
            *since_ms = MAX(now_ms - (int64_t)number * units[i].unit_ms, (int64_t)0);
            return true;
        }
    }
    if (time_parse(&time_s, text) && time_s >= 0) {
        *since_ms = time_s * 1000;
        return true;
    }
    return error_set(error, ERROR_USAGE,
                     "--since wants 90s, 10m, 2h, 3d or a time as 2026-01-31T12:00:00Z, not \"%s\"",
                     error_quote(text).text);
}
