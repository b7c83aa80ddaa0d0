/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/spectest/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));
    return text == NULL ? "" : text;
}

static bool type_is(const json_t *value, const char *type)
{
    return strcmp(text_of(value, "type"), type) == 0;
}

static bool is_narrow(const json_t *value)
{
    return type_is(value, "i32") || type_is(value, "f32");
}

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

bool value_to_slot(const json_t *value, uint64_t *slot, struct error *error)
{
    const char *text = text_of(value, "value");
    uint64_t number = 0;
    if (type_is(value, "externref") || type_is(value, "funcref")) {
        if (strcmp(text, "null") == 0) {
            *slot = 0;
            return true;
        }
        if (type_is(value, "externref") && read_number(text, &number)) {
            *slot = number + 1;
            return true;
        }
    } else if ((is_narrow(value) || type_is(value, "i64") || type_is(value, "f64")) &&
               read_number(text, &number)) {
        *slot = is_narrow(value) ? (uint32_t)number : number;
        return true;
    }
    return error_set(error, ERROR_UNSUPPORTED, "value of type %s", text_of(value, "type"));
}

/* The quiet bit and, for a canonical NaN, no other bit of the fraction. */
static bool is_nan_pattern(const json_t *expected, uint64_t slot)
{
    bool is_canonical = strcmp(text_of(expected, "value"), "nan:canonical") == 0;
    uint64_t quiet = type_is(expected, "f32") ? 0x7fc00000u : 0x7ff8000000000000u;
    uint64_t sign = type_is(expected, "f32") ? 0x80000000u : 0x8000000000000000u;
    uint64_t magnitude = slot & ~sign;
    return is_canonical ? magnitude == quiet
                        : (magnitude & quiet) == quiet && (slot >> 32 == 0 || !is_narrow(expected));
}

bool value_matches(const json_t *expected, uint64_t slot)
{
    const char *text = text_of(expected, "value");
    uint64_t number;
    struct error error;
    if (strncmp(text, "nan:", 4) == 0)
        return is_nan_pattern(expected, slot);
    if (type_is(expected, "funcref") && strcmp(text, "null") != 0)
        return slot != 0;
    return value_to_slot(expected, &number, &error) && number == slot;
}

void value_text(const json_t *expected, uint64_t slot, char text[VALUE_TEXT_SIZE])
{
    snprintf(text, VALUE_TEXT_SIZE, "%s:0x%llx", text_of(expected, "type"),
             (unsigned long long)slot);
}
