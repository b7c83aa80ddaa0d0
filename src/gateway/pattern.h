/* SPDX-License-Identifier: Apache-2.0 */
/* Matching of request paths against route patterns: static segments, ":name" for one segment, and a
 * final star for the rest.
 *
 * Pure; never allocates: decoded values go to the caller's memory.  Paths are compared as they are
 * sent, so that no two spellings reach the same route. */
#ifndef GATEWAY_PATTERN_H
#define GATEWAY_PATTERN_H

#include "gateway/gateway.h"

struct pattern_values {
    struct gateway_parameter parameters[GATEWAY_PARAMETER_COUNT_MAX];
    size_t count;
    size_t size;
    char names[GATEWAY_PATTERN_SIZE_MAX]; /* NUL-terminated, one after the other */
    size_t names_size;
    uint8_t memory[GATEWAY_PARAMETER_MEMORY_MAX];
};

/* No segment is "." or "..", in any spelling, and no escape is NUL. */
bool path_is_safe(struct bytes path);
/* Begins with '/', fits the limits, and a star comes last. */
MUST_CHECK bool pattern_check(const char *pattern, struct error *error);
/* False when the path does not match, or a value holds '/', is too long or not UTF-8. */
bool pattern_match(const char *pattern, struct bytes path, struct pattern_values *values);
/* True when `a` is to be preferred where both match. */
bool pattern_precedes(const char *a, const char *b);
/* The value of a parameter; empty when there is none. */
struct bytes pattern_value(const struct pattern_values *values, const char *name);

#endif
