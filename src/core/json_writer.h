/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON (RFC 8259) into a caller's array, value by value: commas are put where they belong,
 * strings are escaped, nothing is allocated.  For verdicts, which the browser's build prints too.
 *
 *     json_write_object_begin(&json);
 *     json_write_name(&json, "result");
 *     json_write_string(&json, "valid");
 *     json_write_object_end(&json);
 *
 * Begin and end must pair; the writer's failure (no room) is looked at once, at the end.  Text that
 * is not UTF-8 is written with U+FFFD in place of what is wrong. */
#ifndef CORE_JSON_WRITER_H
#define CORE_JSON_WRITER_H

#include "core/writer.h"

struct json_writer {
    struct writer *target;
    bool needs_comma;
};

struct json_writer json_writer_into(struct writer *target);
void json_write_object_begin(struct json_writer *json);
void json_write_object_end(struct json_writer *json);
void json_write_array_begin(struct json_writer *json);
void json_write_array_end(struct json_writer *json);
/* Of the member whose value is written next. */
void json_write_name(struct json_writer *json, const char *name);
void json_write_string(struct json_writer *json, const char *text);
void json_write_text(struct json_writer *json, struct bytes text);
/* A string of lower-case hexadecimal digits, in the order of the bytes. */
void json_write_hex(struct json_writer *json, struct bytes bytes);
void json_write_integer(struct json_writer *json, int64_t number);
void json_write_unsigned(struct json_writer *json, uint64_t number);
void json_write_bool(struct json_writer *json, bool value);
void json_write_null(struct json_writer *json);
/* A name and its value. */
void json_write_hex_member(struct json_writer *json, const char *name, struct bytes bytes);
void json_write_unsigned_member(struct json_writer *json, const char *name, uint64_t number);
/* "2024-03-13T00:00:00Z" (RFC 3339) of seconds since 1970; null outside the years 0 to 9999. */
void json_write_time(struct json_writer *json, int64_t time_s);
/* A value that is JSON already, as it is. */
void json_write_raw(struct json_writer *json, struct bytes value);

#endif
