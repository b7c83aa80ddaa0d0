/* SPDX-License-Identifier: Apache-2.0 */
/* JSON through jansson, strictly: UTF-8, no duplicate keys, no trailing bytes, depth and size
 * limits; and canonical JSON (RFC 8785), the form under every digest and signature.
 *
 * json_t is jansson's own type; its reference counting rules hold.  Use AUTO_JSON for the reference
 * held. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/nearest.h"

#include <jansson.h>

enum {
    JSON_SIZE_MAX = 1 << 20,
    JSON_DEPTH_MAX = 64
};

void json_auto_release(json_t **json);
#define AUTO_JSON __attribute__((cleanup(json_auto_release)))

/* Any JSON value at most JSON_SIZE_MAX long.  The error says line, column and what is wrong. */
MUST_CHECK bool json_parse(json_t **json, struct bytes text, struct error *error);
/* RFC 8785: keys by UTF-16 code units, shortest numbers as ECMAScript prints them, minimal escapes.
 */
MUST_CHECK bool json_canonical(struct buffer *text, const json_t *json, struct error *error);
/* The number as ECMAScript prints it (RFC 8785 section 3.2.2.3); finite. */
enum {
    JSON_NUMBER_SIZE = 48
};
void json_format_number(char text[JSON_NUMBER_SIZE], double number);

/* Reading of objects whose keys are all known.  Each getter fails with the path and what was
 * expected. */
MUST_CHECK bool json_get_string(const json_t *object, const char *key, const char **value,
                                struct error *error);
MUST_CHECK bool json_get_integer(const json_t *object, const char *key, int64_t min, int64_t max,
                                 int64_t *value, struct error *error);
MUST_CHECK bool json_get_object(const json_t *object, const char *key, json_t **value,
                                struct error *error);
MUST_CHECK bool json_get_array(const json_t *object, const char *key, json_t **value,
                               struct error *error);
/* 2 x size hexadecimal digits. */
MUST_CHECK bool json_get_hex(const json_t *object, const char *key, void *target, size_t size,
                             struct error *error);
/* Fails naming the first key that is not among `keys` (NULL ends it) and the nearest valid one. */
MUST_CHECK bool json_check_keys(const json_t *object, const char *const *keys, const char *where,
                                struct error *error);

#endif
