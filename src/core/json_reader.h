/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON (RFC 8259) value by value, in order, without memory of its own: for documents whose
 * exact bytes matter (a signature covers them) and for builds without a C library.
 *
 * Strict: UTF-8 without byte order mark, no duplicate names in an object (compared unescaped), no
 * lone surrogates, nothing behind the document, limits on depth and on members.  As core/reader.h:
 * the first thing that is not as asked for fails the reader, later reads yield zero or nothing, and
 * one check at the end suffices; nothing read counts before it.
 *
 *     struct json_reader json;
 *     json_reader_init(&json, text);
 *     struct json_text name;
 *     json_enter_object(&json);
 *     while (json_next_member(&json, &name)) {
 *         if (json_text_equal(name, "version"))
 *             version = json_read_unsigned(&json, 3);
 *         else
 *             json_skip(&json);
 *     }
 *     if (!json_read_end(&json)) ...
 *
 * Every member's and item's value must be read or skipped before the next is asked for. */
#ifndef CORE_JSON_READER_H
#define CORE_JSON_READER_H

#include "core/bytes.h"

enum {
    JSON_READER_DEPTH_MAX = 32,   /* objects and arrays inside each other */
    JSON_READER_MEMBER_MAX = 512, /* of all objects that are open at one place */
};

enum json_kind {
    JSON_KIND_NONE, /* the end, or what starts no value */
    JSON_KIND_OBJECT,
    JSON_KIND_ARRAY,
    JSON_KIND_STRING,
    JSON_KIND_NUMBER,
    JSON_KIND_BOOLEAN,
    JSON_KIND_NULL
};

/* What stands between the quotes, well-formed but as written. */
struct json_text {
    struct bytes raw;
    bool has_escapes;
};

struct json_reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    bool failed;
    bool has_value; /* the open object or array holds something already */
    unsigned depth;
    uint64_t is_object;                         /* one bit per open level */
    uint16_t first_name[JSON_READER_DEPTH_MAX]; /* of each open level, in `names` */
    uint16_t name_count;                        /* of all open levels */
    struct json_text names[JSON_READER_MEMBER_MAX];
};

void json_reader_init(struct json_reader *json, struct bytes source);
void json_reader_fail(struct json_reader *json);

/* The kind of the next value. */
enum json_kind json_peek(struct json_reader *json);
void json_enter_object(struct json_reader *json);
/* The next member's name; false behind the last one, where the object is left. */
bool json_next_member(struct json_reader *json, struct json_text *name);
void json_enter_array(struct json_reader *json);
/* False behind the last item, where the array is left. */
bool json_next_item(struct json_reader *json);

struct json_text json_read_string(struct json_reader *json);
/* Numbers without fraction and exponent; "-0" is no integer. */
uint64_t json_read_unsigned(struct json_reader *json, uint64_t max);
int64_t json_read_integer(struct json_reader *json, int64_t min, int64_t max);
bool json_read_boolean(struct json_reader *json);
void json_read_null(struct json_reader *json);
/* A string of exactly 2 x size hexadecimal digits of either case; zeros after a failure. */
void json_read_hex(struct json_reader *json, void *target, size_t size);
/* Reads any value to its end; the bytes it stands in, without white space around. */
struct bytes json_skip(struct json_reader *json);
/* Where the next value starts, and where the last one that was read ended: the bytes between are
 * exactly the value's. */
const uint8_t *json_value_start(struct json_reader *json);
const uint8_t *json_value_end(const struct json_reader *json);
/* True when nothing failed and only white space is left. */
MUST_CHECK bool json_read_end(struct json_reader *json);

/* Compares what the text means, escapes resolved. */
bool json_text_equal(struct json_text text, const char *expected);
/* Resolves escapes into `target`; false when it does not fit. */
MUST_CHECK bool json_text_decode(struct json_text text, void *target, size_t capacity,
                                 size_t *size);

#endif
