/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785 (JSON Canonicalization Scheme). */
#include "base/json.h"
#include "base/limits.h"
#include "core/sort.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number's decimal digits and exponent: 0.d1d2d3... x 10^exponent. */
struct decimal {
    char digits[20];
    int count;
    int exponent;
};

static double decimal_value(const struct decimal *decimal)
{
    char text[40];
    snprintf(text, sizeof(text), "0.%se%d", decimal->digits, decimal->exponent);
    return strtod(text, NULL);
}

/* `number` correctly rounded to `count` digits. */
static void decimal_round(struct decimal *decimal, double number, int count)
{
    char text[40];
    snprintf(text, sizeof(text), "%.*e", count - 1, number);
    decimal->count = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.')
            decimal->digits[decimal->count++] = *at;
    }
    decimal->digits[decimal->count] = '\0';
    decimal->exponent = (int)strtol(at + 1, NULL, 10) + 1;
}

/* One unit more in the last digit. */
static void decimal_next(struct decimal *decimal)
{
    for (int i = decimal->count - 1; i >= 0; i--) {
        if (decimal->digits[i] != '9') {
            decimal->digits[i]++;
            return;
        }
        decimal->digits[i] = '0';
    }
    decimal->digits[0] = '1';
    decimal->exponent++;
}

/* The fewest digits that read back as `number`, the nearest of those.  At a power of two the gap
 * below is half the gap above: there the nearest decimal may miss while the next one above hits. */
static void decimal_shortest(struct decimal *decimal, double number)
{
    /* 15 digits always survive the way there and back, except among the subnormal numbers. */
    for (int count = number < DBL_MIN ? 1 : 15; count <= 17; count++) {
        decimal_round(decimal, number, count);
        if (decimal_value(decimal) == number)
            break;
        decimal_next(decimal);
        if (decimal_value(decimal) == number)
            break;
    }
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
        decimal->digits[--decimal->count] = '\0';
}

void json_format_number(char text[JSON_NUMBER_SIZE], double number)
{
    ASSERT(isfinite(number));
    if (number == 0) {
        snprintf(text, JSON_NUMBER_SIZE, "0");
        return;
    }
    struct decimal decimal;
    decimal_shortest(&decimal, fabs(number));
    const char *sign = number < 0 ? "-" : "", *digits = decimal.digits;
    int count = decimal.count, point = decimal.exponent;
    static const char zeros[] = "00000000000000000000000";
    if (count <= point && point <= 21)
        snprintf(text, JSON_NUMBER_SIZE, "%s%s%.*s", sign, digits, point - count, zeros);
    else if (0 < point && point <= 21)
        snprintf(text, JSON_NUMBER_SIZE, "%s%.*s.%s", sign, point, digits, digits + point);
    else if (-6 < point && point <= 0)
        snprintf(text, JSON_NUMBER_SIZE, "%s0.%.*s%s", sign, -point, zeros, digits);
    else
        snprintf(text, JSON_NUMBER_SIZE, "%s%c%s%se%+d", sign, digits[0], count > 1 ? "." : "",
                 digits + 1, point - 1);
}

/* Canonical JSON knows doubles only.  An integer that is no double is refused rather than changed,
 * unless it is how the canonical form writes a double: then it was one. */
static bool write_integer(struct buffer *text, json_int_t number, struct error *error)
{
    char digits[JSON_NUMBER_SIZE], exact[JSON_NUMBER_SIZE];
    double rounded = (double)number;
    json_format_number(digits, rounded);
    snprintf(exact, sizeof(exact), "%lld", (long long)number);
    /* 2^63 is a double that no json_int_t holds. */
    bool is_double = rounded < 0x1p63 && (json_int_t)rounded == number;
    if (!is_double && strcmp(digits, exact) != 0)
        return error_set(error, ERROR_INVALID,
                         "integer %s has no exact double, which canonical JSON needs", exact);
    buffer_append_string(text, digits);
    return true;
}

static bool write_string(struct buffer *text, const char *string, size_t size, struct error *error)
{
    struct bytes bytes = bytes_of(string, size);
    if (!bytes_is_utf8(bytes))
        return error_set(error, ERROR_INVALID, "string is not UTF-8");
    static const char short_escapes[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    buffer_append_string(text, "\"");
    size_t plain = 0; /* start of the run not written yet */
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buffer_append(text, bytes_part(bytes, plain, i - plain));
        plain = i + 1;
        if (byte >= 0x20)
            buffer_format(text, "\\%c", byte);
        else if (short_escapes[byte] != 0)
            buffer_format(text, "\\%c", short_escapes[byte]);
        else
            buffer_format(text, "\\u%04x", byte);
    }
    buffer_append(text, bytes_part(bytes, plain, size - plain));
    buffer_append_string(text, "\"");
    return true;
}

struct member {
    const char *key;
    size_t size;
    json_t *value;
};

/* Order of UTF-16 code units, seen from UTF-8: as the bytes, but characters above U+FFFF (which are
 * surrogates in UTF-16) come before U+E000 to U+FFFF (first byte 0xee or 0xef). */
static int compare_members(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    size_t common = MIN(a->size, b->size);
    for (size_t i = 0; i < common; i++) {
        uint8_t x = (uint8_t)a->key[i], y = (uint8_t)b->key[i];
        if (x == y)
            continue;
        if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
            return x >= 0xf0 ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return (a->size > b->size) - (a->size < b->size);
}

static bool write_value(struct buffer *text, const json_t *json, unsigned depth,
                        struct error *error);

static bool write_members(struct buffer *text, const struct member *members, size_t count,
                          unsigned depth, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_string(text, ",");
        if (!write_string(text, members[i].key, members[i].size, error))
            return false;
        buffer_append_string(text, ":");
        if (!write_value(text, members[i].value, depth + 1, error))
            return false;
    }
    return true;
}

static bool write_object(struct buffer *text, const json_t *json, unsigned depth,
                         struct error *error)
{
    json_t *walked = (json_t *)(uintptr_t)json;
    size_t count = json_object_size(json), filled = 0;
    if (count > JSON_CANONICAL_KEYS_MAX)
        return error_set(error, ERROR_LIMIT, "object of %zu keys, at most %d", count,
                         JSON_CANONICAL_KEYS_MAX);
    struct member *members = calloc(MAX(count, (size_t)1), sizeof(*members));
    if (members == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for %zu keys", count);
    for (void *at = json_object_iter(walked); at != NULL; at = json_object_iter_next(walked, at)) {
        const char *key = json_object_iter_key(at);
        members[filled++] = (struct member){ key, strlen(key), json_object_iter_value(at) };
    }
    sort_items(members, filled, sizeof(*members), compare_members);
    buffer_append_string(text, "{");
    bool written = write_members(text, members, filled, depth, error);
    buffer_append_string(text, "}");
    free(members);
    return written;
}

static bool write_array(struct buffer *text, const json_t *json, unsigned depth,
                        struct error *error)
{
    buffer_append_string(text, "[");
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i > 0)
            buffer_append_string(text, ",");
        if (!write_value(text, json_array_get(json, i), depth + 1, error))
            return false;
    }
    buffer_append_string(text, "]");
    return true;
}

static bool write_value(struct buffer *text, const json_t *json, unsigned depth,
                        struct error *error)
{
    if (depth > JSON_DEPTH_MAX)
        return error_set(error, ERROR_LIMIT, "JSON nested deeper than %d", JSON_DEPTH_MAX);
    char number[JSON_NUMBER_SIZE];
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return write_object(text, json, depth, error);
    case JSON_ARRAY:
        return write_array(text, json, depth, error);
    case JSON_STRING:
        return write_string(text, json_string_value(json), json_string_length(json), error);
    case JSON_INTEGER:
        return write_integer(text, json_integer_value(json), error);
    case JSON_REAL:
        json_format_number(number, json_real_value(json));
        buffer_append_string(text, number);
        return true;
    case JSON_TRUE:
        buffer_append_string(text, "true");
        return true;
    case JSON_FALSE:
        buffer_append_string(text, "false");
        return true;
    case JSON_NULL:
        buffer_append_string(text, "null");
        return true;
    }
    return error_set(error, ERROR_INTERNAL, "JSON value of no known kind");
}

bool json_canonical(struct buffer *text, const json_t *json, struct error *error)
{
    if (!write_value(text, json, 0, error))
        return false;
    if (text->failed)
        return error_set(error, ERROR_LIMIT, "canonical JSON is longer than %zu bytes",
                         text->size_max);
    return true;
}
