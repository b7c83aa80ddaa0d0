/* SPDX-License-Identifier: Apache-2.0 */
/* In builds without jansson, in its place: the part of its interface (2.14) that the verifier and
 * its policies use, with the same meaning.  Text is read by core/json_reader.h, whose limits on
 * members and depth apply.  Only that build has this folder among its include paths. */
#ifndef BASE_PORTABLE_JANSSON_H
#define BASE_PORTABLE_JANSSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_INTEGER,
    JSON_REAL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
} json_type;

typedef long long json_int_t;
typedef struct json_t json_t;

typedef struct {
    int line;
    int column;
    int position;
    char source[80];
    char text[160];
} json_error_t;

enum {
    JSON_REJECT_DUPLICATES = 1,
    JSON_DECODE_ANY = 4
};

/* NULL without memory, and for text that is not UTF-8 or holds a NUL. */
json_t *json_object(void);
json_t *json_array(void);
json_t *json_string(const char *text);
json_t *json_stringn(const char *text, size_t size);
json_t *json_integer(json_int_t number);
json_t *json_real(double number);
json_t *json_boolean(bool value);
json_t *json_null(void);
void json_decref(json_t *json);
json_t *json_pack(const char *format, ...); /* declared, never defined: nothing here needs it */

json_type json_typeof_value(const json_t *json);
#define json_typeof(json) json_typeof_value(json)

/* These answer for NULL too: false, NULL or 0. */
bool json_is_object(const json_t *json);
bool json_is_array(const json_t *json);
bool json_is_string(const json_t *json);
bool json_is_integer(const json_t *json);
bool json_is_boolean(const json_t *json);
bool json_is_true(const json_t *json);
const char *json_string_value(const json_t *json);
size_t json_string_length(const json_t *json);
json_int_t json_integer_value(const json_t *json);

/* The value is taken over in any case; 0: done. */
int json_object_set_new(json_t *object, const char *key, json_t *value);
json_t *json_object_get(const json_t *object, const char *key);
size_t json_object_size(const json_t *object);
/* Members in the order in which they came. */
const char *json_object_key_at(const json_t *object, size_t index);
json_t *json_object_value_at(const json_t *object, size_t index);
#define json_object_foreach(object, key, value)                                                    \
    for (size_t json_index_ = 0; json_index_ < json_object_size(object) &&                         \
                                 ((key) = json_object_key_at(object, json_index_),                 \
                                 (value) = json_object_value_at(object, json_index_), true);       \
         json_index_++)

int json_array_append_new(json_t *array, json_t *value);
size_t json_array_size(const json_t *array);
json_t *json_array_get(const json_t *array, size_t index);

/* Strict, whatever the flags. */
json_t *json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);

#ifdef __cplusplus
}
#endif

#endif
