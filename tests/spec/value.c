/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kind of number: of a value of its own, or of a lane. */
struct number_type {
    const char *name;
    unsigned bits;
    bool is_float;
};

static const struct number_type number_types[] = {
    { "i32", 32, false }, { "i64", 64, false }, { "f32", 32, true },
    { "f64", 64, true },  { "i8", 8, false },   { "i16", 16, false },
};

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));
    return text == NULL ? "" : text;
}

static bool type_is(const json_t *value, const char *type)
{
    return strcmp(text_of(value, "type"), type) == 0;
}

static const struct number_type *find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(number_types); i++) {
        if (strcmp(number_types[i].name, name) == 0)
            return &number_types[i];
    }
    return NULL;
}

/* Lanes are the only place for i8 and i16. */
static const struct number_type *number_type_of(const json_t *value)
{
    const struct number_type *type = find_type(text_of(value, "type"));
    return type != NULL && type->bits >= 32 ? type : NULL;
}

unsigned value_slot_count(const json_t *value)
{
    if (type_is(value, "v128"))
        return 2;
    return number_type_of(value) != NULL || type_is(value, "externref") ||
           type_is(value, "funcref");
}

static uint64_t mask_of(unsigned bits)
{
    return bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
}

static bool read_number(const char *text, unsigned bits, uint64_t *number)
{
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    uint64_t read = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || read > mask_of(bits))
        return false;
    *number = read;
    return true;
}

/* The lanes of a v128 with their type; NULL: not as it should be. */
static const json_t *lanes_of(const json_t *value, const struct number_type **type)
{
    const json_t *lanes = json_object_get(value, "value");
    *type = find_type(text_of(value, "lane_type"));
    if (*type == NULL || json_array_size(lanes) != 128 / (*type)->bits)
        return NULL;
    return lanes;
}

static const char *lane_text(const json_t *lanes, size_t index)
{
    const char *text = json_string_value(json_array_get(lanes, index));
    return text == NULL ? "" : text;
}

static bool vector_to_slots(const json_t *value, uint64_t slots[VALUE_SLOTS_MAX])
{
    const struct number_type *type;
    const json_t *lanes = lanes_of(value, &type);
    uint64_t made[2] = { 0 };
    if (lanes == NULL)
        return false;
    for (size_t i = 0; i < json_array_size(lanes); i++) {
        uint64_t number;
        if (!read_number(lane_text(lanes, i), type->bits, &number))
            return false;
        size_t bit = i * type->bits;
        made[bit / 64] |= number << bit % 64;
    }
    memcpy(slots, made, sizeof(made));
    return true;
}

static bool reference_to_slot(const json_t *value, uint64_t *slot)
{
    const char *text = text_of(value, "value");
    uint64_t number;
    if (strcmp(text, "null") == 0) {
        *slot = 0;
        return true;
    }
    if (!type_is(value, "externref") || !read_number(text, 32, &number))
        return false;
    *slot = number + 1;
    return true;
}

static bool to_slots(const json_t *value, uint64_t slots[VALUE_SLOTS_MAX])
{
    const struct number_type *type = number_type_of(value);
    if (type != NULL)
        return read_number(text_of(value, "value"), type->bits, &slots[0]);
    if (type_is(value, "v128"))
        return vector_to_slots(value, slots);
    return value_slot_count(value) > 0 && reference_to_slot(value, &slots[0]);
}

bool value_to_slots(const json_t *value, uint64_t slots[VALUE_SLOTS_MAX], struct error *error)
{
    return to_slots(value, slots) ||
           error_set(error, ERROR_UNSUPPORTED, "no value \"%.40s\" of type \"%.20s\"",
                     text_of(value, "value"), text_of(value, "type"));
}

/* The quiet bit and, for a canonical NaN, no other bit of the fraction. */
static bool is_nan(const struct number_type *type, bool is_canonical, uint64_t bits)
{
    uint64_t quiet = type->bits == 32 ? 0x7fc00000u : 0x7ff8000000000000u;
    uint64_t magnitude = bits & (mask_of(type->bits) >> 1);
    return is_canonical ? magnitude == quiet : (magnitude & quiet) == quiet;
}

static bool number_matches(const struct number_type *type, const char *text, uint64_t bits)
{
    uint64_t number;
    if (bits > mask_of(type->bits))
        return false;
    if (type->is_float && strcmp(text, "nan:canonical") == 0)
        return is_nan(type, true, bits);
    if (type->is_float && strcmp(text, "nan:arithmetic") == 0)
        return is_nan(type, false, bits);
    return read_number(text, type->bits, &number) && number == bits;
}

static uint64_t lane_bits(const struct number_type *type, const uint64_t slots[2], size_t index)
{
    size_t bit = index * type->bits;
    return slots[bit / 64] >> bit % 64 & mask_of(type->bits);
}

static bool vector_matches(const json_t *expected, const uint64_t slots[VALUE_SLOTS_MAX])
{
    const struct number_type *type;
    const json_t *lanes = lanes_of(expected, &type);
    if (lanes == NULL)
        return false;
    for (size_t i = 0; i < json_array_size(lanes); i++) {
        if (!number_matches(type, lane_text(lanes, i), lane_bits(type, slots, i)))
            return false;
    }
    return true;
}

bool value_matches(const json_t *expected, const uint64_t slots[VALUE_SLOTS_MAX])
{
    const struct number_type *type = number_type_of(expected);
    uint64_t number;
    if (type != NULL)
        return number_matches(type, text_of(expected, "value"), slots[0]);
    if (type_is(expected, "v128"))
        return vector_matches(expected, slots);
    /* Which function is not said; of external ones it may be left open too. */
    bool is_open = type_is(expected, "funcref") ? strcmp(text_of(expected, "value"), "null") != 0
                                                : type_is(expected, "externref") &&
                                                      json_object_get(expected, "value") == NULL;
    if (is_open)
        return slots[0] != 0;
    return value_slot_count(expected) > 0 && reference_to_slot(expected, &number) &&
           number == slots[0];
}

static size_t append(char text[VALUE_TEXT_SIZE], size_t size, const char *part)
{
    int added = snprintf(text + size, VALUE_TEXT_SIZE - size, "%s", part);
    return MIN(size + (size_t)added, (size_t)VALUE_TEXT_SIZE - 1);
}

/* `slots` NULL: what is expected. */
static void show(const json_t *expected, const uint64_t *slots, char text[VALUE_TEXT_SIZE])
{
    const struct number_type *type = number_type_of(expected);
    const json_t *lanes = type_is(expected, "v128") ? lanes_of(expected, &type) : NULL;
    char part[64];
    if (lanes == NULL) {
        const char *value = text_of(expected, "value");
        if (slots != NULL || (type != NULL && value[0] != 'n'))
            snprintf(part, sizeof(part), "0x%llx",
                     slots != NULL ? (unsigned long long)slots[0] : strtoull(value, NULL, 10));
        else
            snprintf(part, sizeof(part), "%.40s", value);
        snprintf(text, VALUE_TEXT_SIZE, "%.20s:%s", text_of(expected, "type"), part);
        return;
    }
    snprintf(part, sizeof(part), "%sx%zu:", type->name, json_array_size(lanes));
    size_t size = append(text, 0, part);
    for (size_t i = 0; i < json_array_size(lanes); i++) {
        const char *lane = lane_text(lanes, i);
        if (slots == NULL && lane[0] == 'n')
            snprintf(part, sizeof(part), "%s%.20s", i == 0 ? "" : " ", lane);
        else
            snprintf(part, sizeof(part), "%s0x%llx", i == 0 ? "" : " ",
                     slots != NULL ? (unsigned long long)lane_bits(type, slots, i)
                                   : strtoull(lane, NULL, 10));
        size = append(text, size, part);
    }
}

void value_text(const json_t *expected, const uint64_t slots[VALUE_SLOTS_MAX],
                char text[VALUE_TEXT_SIZE])
{
    show(expected, slots, text);
}

void value_expected_text(const json_t *expected, char text[VALUE_TEXT_SIZE])
{
    show(expected, NULL, text);
}
