/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/route.h"
#include "functions/limits.h"

/* Takes "/segment" off the front; false at the end of the path. */
static bool next_segment(struct bytes *path, struct bytes *segment)
{
    if (path->size == 0 || path->data[0] != '/')
        return false;
    struct bytes rest = bytes_part(*path, 1, SIZE_MAX);
    size_t size = bytes_find(rest, '/');
    *segment = bytes_part(rest, 0, size);
    *path = bytes_part(rest, size, SIZE_MAX);
    return true;
}

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static bool is_parameter(struct bytes segment)
{
    return segment.size > 0 && segment.data[0] == ':';
}

static bool is_rest(struct bytes segment)
{
    return bytes_equal_string(segment, "*");
}

static bool segment_check(struct bytes segment, bool last, size_t *parameter_count,
                          struct error *error)
{
    if ((is_parameter(segment) || is_rest(segment)) &&
        ++*parameter_count > ROUTE_PARAMETER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d parameters", ROUTE_PARAMETER_COUNT_MAX);
    if (is_rest(segment)) {
        if (!last)
            return error_set(error, ERROR_INVALID, "`*` is allowed as the last segment only");
        return true;
    }
    if (segment.size == 0 && !last)
        return error_set(error, ERROR_INVALID, "an empty segment is allowed at the end only");
    if (bytes_equal_string(segment, ".") || bytes_equal_string(segment, ".."))
        return error_set(error, ERROR_INVALID, "segments `.` and `..` never reach a function");
    size_t i = 0;
    if (is_parameter(segment)) {
        if (segment.size == 1)
            return error_set(error, ERROR_INVALID, "a `:` wants a name behind it");
        i = 1;
    }
    for (; i < segment.size; i++) {
        if (!is_unreserved(segment.data[i]))
            return error_set(error, ERROR_INVALID,
                             "a segment has letters, digits and -._~ only, or is `:name` or `*`");
    }
    return true;
}

bool route_check(const char *pattern, struct error *error)
{
    struct bytes path = bytes_of_string(pattern);
    if (path.size == 0 || path.data[0] != '/')
        return error_set(error, ERROR_INVALID, "a route begins with `/`");
    if (path.size > ROUTE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a route has at most %d bytes", ROUTE_SIZE_MAX);
    size_t parameter_count = 0;
    struct bytes segment;
    while (next_segment(&path, &segment)) {
        if (!segment_check(segment, path.size == 0, &parameter_count, error))
            return false;
    }
    return true;
}

bool route_is_same(const char *a, const char *b)
{
    struct bytes path_a = bytes_of_string(a), path_b = bytes_of_string(b);
    for (;;) {
        struct bytes segment_a, segment_b;
        bool more_a = next_segment(&path_a, &segment_a);
        bool more_b = next_segment(&path_b, &segment_b);
        if (!more_a || !more_b)
            return more_a == more_b;
        if (is_parameter(segment_a) && is_parameter(segment_b))
            continue;
        if (!bytes_equal(segment_a, segment_b))
            return false;
    }
}
