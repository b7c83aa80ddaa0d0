/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pattern.h"

#include "core/hex.h"

#include <string.h>

/* Takes "/segment" off the front; false at the end. */
static bool next_segment(struct bytes *path, struct bytes *segment)
{
    if (path->size == 0 || path->data[0] != '/')
        return false;
    struct bytes rest = bytes_part(*path, 1, path->size);
    *segment = bytes_part(rest, 0, bytes_find(rest, '/'));
    *path = bytes_part(rest, segment->size, rest.size);
    return true;
}

/* Percent-decodes into `to`, which has room for the text; the size, or SIZE_MAX for NUL. */
static size_t decode(uint8_t *to, struct bytes text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (!hex_decode(&byte, 1, bytes_part(text, i + 1, 2)) || byte == 0)
                return SIZE_MAX;
            i += 2;
        }
        to[size++] = byte;
    }
    return size;
}

bool path_is_safe(struct bytes path)
{
    struct bytes segment;
    while (next_segment(&path, &segment)) {
        uint8_t start[3];
        size_t size = 0;
        for (size_t i = 0; i < segment.size; i++) {
            uint8_t byte = segment.data[i];
            if (byte == '%') {
                if (!hex_decode(&byte, 1, bytes_part(segment, i + 1, 2)) || byte == 0)
                    return false;
                i += 2;
            }
            if (size < sizeof(start))
                start[size++] = byte;
        }
        if ((size == 1 && start[0] == '.') || (size == 2 && start[0] == '.' && start[1] == '.'))
            return false;
    }
    return true;
}

static bool is_parameter(struct bytes segment)
{
    return segment.size > 0 && segment.data[0] == ':';
}

static bool is_star(struct bytes segment)
{
    return bytes_equal_string(segment, "*");
}

bool pattern_check(const char *pattern, struct error *error)
{
    struct bytes path = bytes_of_string(pattern), segment;
    size_t parameters = 0;
    if (path.size == 0 || path.size >= GATEWAY_PATTERN_SIZE_MAX || path.data[0] != '/')
        return error_set(error, ERROR_INVALID,
                         "route \"%s\" does not begin with / or is over %d bytes",
                         error_quote(path).text, GATEWAY_PATTERN_SIZE_MAX);
    while (next_segment(&path, &segment)) {
        parameters += is_parameter(segment) || is_star(segment);
        if (is_star(segment) && path.size > 0)
            return error_set(error, ERROR_INVALID, "route \"%s\" goes on behind its star",
                             error_quote(bytes_of_string(pattern)).text);
    }
    if (parameters > GATEWAY_PARAMETER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "route \"%s\" has more than %d parameters",
                         error_quote(bytes_of_string(pattern)).text, GATEWAY_PARAMETER_COUNT_MAX);
    return true;
}

static bool add_value(struct pattern_values *values, struct bytes name, struct bytes value)
{
    if (values->count == GATEWAY_PARAMETER_COUNT_MAX ||
        name.size + 1 > sizeof(values->names) - values->names_size)
        return false;
    char *kept = values->names + values->names_size;
    memcpy(kept, name.data, name.size);
    kept[name.size] = '\0';
    values->names_size += name.size + 1;
    values->parameters[values->count++] = (struct gateway_parameter){ kept, value };
    return true;
}

static bool add_decoded(struct pattern_values *values, struct bytes name, struct bytes segment)
{
    if (segment.size == 0 || segment.size > GATEWAY_PARAMETER_SIZE_MAX ||
        segment.size > sizeof(values->memory) - values->size)
        return false;
    uint8_t *to = values->memory + values->size;
    size_t size = decode(to, segment);
    if (size == SIZE_MAX)
        return false;
    values->size += size;
    struct bytes value = bytes_of(to, size);
    return bytes_find(value, '/') == size && bytes_is_utf8(value) && add_value(values, name, value);
}

bool pattern_match(const char *pattern, struct bytes path, struct pattern_values *values)
{
    struct bytes rest = bytes_of_string(pattern), wanted, segment;
    values->count = values->size = values->names_size = 0;
    while (next_segment(&rest, &wanted)) {
        if (is_star(wanted)) {
            struct bytes left = bytes_part(path, 1, path.size);
            return add_value(values, wanted, left);
        }
        if (!next_segment(&path, &segment))
            return false;
        if (is_parameter(wanted)) {
            if (!add_decoded(values, bytes_part(wanted, 1, wanted.size), segment))
                return false;
        } else if (!bytes_equal(wanted, segment)) {
            return false;
        }
    }
    return path.size == 0;
}

static int rank(struct bytes segment)
{
    return is_star(segment) ? 2 : is_parameter(segment) ? 1 : 0;
}

bool pattern_precedes(const char *a, const char *b)
{
    struct bytes rest_a = bytes_of_string(a), rest_b = bytes_of_string(b), at_a, at_b;
    while (next_segment(&rest_a, &at_a)) {
        if (!next_segment(&rest_b, &at_b))
            return !is_star(at_a); /* "/x/y" before "/x"; both match only where a star ends */
        if (rank(at_a) != rank(at_b))
            return rank(at_a) < rank(at_b);
    }
    return next_segment(&rest_b, &at_b) && is_star(at_b);
}

struct bytes pattern_value(const struct pattern_values *values, const char *name)
{
    for (size_t i = 0; i < values->count; i++) {
        if (bytes_equal_string(bytes_of_string(values->parameters[i].name), name))
            return values->parameters[i].value;
    }
    return (struct bytes){ 0 };
}
