/* SPDX-License-Identifier: Apache-2.0 */
#include "base/portable/jansson.h"

#include "core/json_reader.h"

#include <stdlib.h>
#include <string.h>

struct member {
    char *key;
    json_t *value;
    size_t next; /* in its bucket, plus one */
};

struct json_t {
    json_type type;
    union {
        json_int_t integer;
        double real;
        struct {
            char *text;
            size_t size;
        } string;
        struct {
            json_t **items;
            size_t count, capacity;
        } array;
        struct {
            struct member *members;
            size_t count, capacity;
            size_t *buckets; /* as many as the capacity: index of the first member, plus one */
        } object;
    };
};

static json_t *json_new(json_type type)
{
    json_t *json = calloc(1, sizeof(*json));
    if (json != NULL)
        json->type = type;
    return json;
}

json_t *json_object(void)
{
    return json_new(JSON_OBJECT);
}

json_t *json_array(void)
{
    return json_new(JSON_ARRAY);
}

json_t *json_null(void)
{
    return json_new(JSON_NULL);
}

json_t *json_boolean(bool value)
{
    return json_new(value ? JSON_TRUE : JSON_FALSE);
}

json_t *json_integer(json_int_t number)
{
    json_t *json = json_new(JSON_INTEGER);
    if (json != NULL)
        json->integer = number;
    return json;
}

json_t *json_real(double number)
{
    json_t *json = json_new(JSON_REAL);
    if (json != NULL)
        json->real = number;
    return json;
}

static char *text_copy(struct bytes text)
{
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

json_t *json_stringn(const char *text, size_t size)
{
    struct bytes bytes = bytes_of(text, size);
    json_t *json = bytes_is_utf8(bytes) ? json_new(JSON_STRING) : NULL;
    if (json == NULL)
        return NULL;
    json->string.text = text_copy(bytes);
    json->string.size = size;
    if (json->string.text != NULL)
        return json;
    free(json);
    return NULL;
}

json_t *json_string(const char *text)
{
    return json_stringn(text, strlen(text));
}

void json_decref(json_t *json)
{
    if (json == NULL)
        return;
    if (json->type == JSON_STRING) {
        free(json->string.text);
    } else if (json->type == JSON_ARRAY) {
        for (size_t i = 0; i < json->array.count; i++)
            json_decref(json->array.items[i]);
        free(json->array.items);
    } else if (json->type == JSON_OBJECT) {
        for (size_t i = 0; i < json->object.count; i++) {
            free(json->object.members[i].key);
            json_decref(json->object.members[i].value);
        }
        free(json->object.members);
        free(json->object.buckets);
    }
    free(json);
}

json_type json_typeof_value(const json_t *json)
{
    return json->type;
}

static bool is(const json_t *json, json_type type)
{
    return json != NULL && json->type == type;
}

bool json_is_object(const json_t *json)
{
    return is(json, JSON_OBJECT);
}

bool json_is_array(const json_t *json)
{
    return is(json, JSON_ARRAY);
}

bool json_is_string(const json_t *json)
{
    return is(json, JSON_STRING);
}

bool json_is_integer(const json_t *json)
{
    return is(json, JSON_INTEGER);
}

bool json_is_boolean(const json_t *json)
{
    return is(json, JSON_TRUE) || is(json, JSON_FALSE);
}

bool json_is_true(const json_t *json)
{
    return is(json, JSON_TRUE);
}

const char *json_string_value(const json_t *json)
{
    return json_is_string(json) ? json->string.text : NULL;
}

size_t json_string_length(const json_t *json)
{
    return json_is_string(json) ? json->string.size : 0;
}

json_int_t json_integer_value(const json_t *json)
{
    return json_is_integer(json) ? json->integer : 0;
}

/* FNV-1a.  Who fills a bucket on purpose slows down a verification of their own. */
static size_t bucket_of(const json_t *object, const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key != '\0'; key++)
        hash = (hash ^ (uint8_t)*key) * 16777619u;
    return hash % object->object.capacity;
}

static void link_member(json_t *object, size_t index)
{
    struct member *member = &object->object.members[index];
    size_t *bucket = &object->object.buckets[bucket_of(object, member->key)];
    member->next = *bucket;
    *bucket = index + 1;
}

static bool object_grow(json_t *object)
{
    size_t capacity = MAX((size_t)8, 2 * object->object.capacity);
    struct member *members = realloc(object->object.members, capacity * sizeof(*members));
    if (members == NULL)
        return false;
    object->object.members = members;
    size_t *buckets = calloc(capacity, sizeof(*buckets));
    if (buckets == NULL)
        return false;
    free(object->object.buckets);
    object->object.buckets = buckets;
    object->object.capacity = capacity;
    for (size_t i = 0; i < object->object.count; i++)
        link_member(object, i);
    return true;
}

static struct member *find(const json_t *object, const char *key)
{
    if (!json_is_object(object) || object->object.count == 0)
        return NULL;
    size_t index = object->object.buckets[bucket_of(object, key)];
    for (; index != 0; index = object->object.members[index - 1].next) {
        if (strcmp(object->object.members[index - 1].key, key) == 0)
            return &object->object.members[index - 1];
    }
    return NULL;
}

int json_object_set_new(json_t *object, const char *key, json_t *value)
{
    if (value == NULL || !json_is_object(object) || !bytes_is_utf8(bytes_of_string(key))) {
        json_decref(value);
        return -1;
    }
    struct member *known = find(object, key);
    if (known != NULL) {
        json_decref(known->value);
        known->value = value;
        return 0;
    }
    char *copy = text_copy(bytes_of_string(key));
    bool has_room = object->object.count < object->object.capacity || object_grow(object);
    if (copy == NULL || !has_room) {
        free(copy);
        json_decref(value);
        return -1;
    }
    object->object.members[object->object.count] = (struct member){ .key = copy, .value = value };
    link_member(object, object->object.count++);
    return 0;
}

json_t *json_object_get(const json_t *object, const char *key)
{
    struct member *member = find(object, key);
    return member == NULL ? NULL : member->value;
}

size_t json_object_size(const json_t *object)
{
    return json_is_object(object) ? object->object.count : 0;
}

const char *json_object_key_at(const json_t *object, size_t index)
{
    return object->object.members[index].key;
}

json_t *json_object_value_at(const json_t *object, size_t index)
{
    return object->object.members[index].value;
}

int json_array_append_new(json_t *array, json_t *value)
{
    if (value == NULL || !json_is_array(array)) {
        json_decref(value);
        return -1;
    }
    if (array->array.count == array->array.capacity) {
        size_t capacity = MAX((size_t)8, 2 * array->array.capacity);
        json_t **items = realloc(array->array.items, capacity * sizeof(json_t *));
        if (items == NULL) {
            json_decref(value);
            return -1;
        }
        array->array.items = items;
        array->array.capacity = capacity;
    }
    array->array.items[array->array.count++] = value;
    return 0;
}

size_t json_array_size(const json_t *array)
{
    return json_is_array(array) ? array->array.count : 0;
}

json_t *json_array_get(const json_t *array, size_t index)
{
    return index < json_array_size(array) ? array->array.items[index] : NULL;
}

/* A decoded copy, which is never longer than what was written. */
static char *read_text(struct json_text text, size_t *size)
{
    char *decoded = malloc(text.raw.size + 1);
    if (decoded == NULL || !json_text_decode(text, decoded, text.raw.size, size)) {
        free(decoded);
        return NULL;
    }
    decoded[*size] = '\0';
    return decoded;
}

static json_t *load(struct json_reader *reader);

static json_t *load_object(struct json_reader *reader)
{
    json_t *object = json_object();
    struct json_text name;
    json_enter_object(reader);
    while (object != NULL && json_next_member(reader, &name)) {
        size_t size = 0;
        char *key = read_text(name, &size);
        json_t *value = key == NULL || strlen(key) != size ? NULL : load(reader);
        if (value == NULL || json_object_set_new(object, key, value) != 0)
            json_reader_fail(reader);
        free(key);
    }
    return object;
}

static json_t *load_array(struct json_reader *reader)
{
    json_t *array = json_array();
    json_enter_array(reader);
    while (array != NULL && json_next_item(reader)) {
        if (json_array_append_new(array, load(reader)) != 0)
            json_reader_fail(reader);
    }
    return array;
}

static json_t *load_string(struct json_reader *reader)
{
    size_t size = 0;
    char *text = read_text(json_read_string(reader), &size);
    json_t *json = text == NULL || strlen(text) != size ? NULL : json_stringn(text, size);
    free(text);
    return json;
}

static json_t *load_number(struct json_reader *reader)
{
    char text[64];
    struct json_reader start = *reader;
    struct bytes digits = json_skip(reader);
    bool is_real = bytes_find(digits, '.') < digits.size || bytes_find(digits, 'e') < digits.size ||
                   bytes_find(digits, 'E') < digits.size;
    if (!is_real) {
        *reader = start;
        return json_integer(json_read_integer(reader, INT64_MIN, INT64_MAX));
    }
    if (digits.size >= sizeof(text))
        return NULL;
    memcpy(text, digits.data, digits.size);
    text[digits.size] = '\0';
    return json_real(strtod(text, NULL));
}

/* NULL without memory and for what does not fit; the caller fails the reader. */
static json_t *load(struct json_reader *reader)
{
    switch (json_peek(reader)) {
    case JSON_KIND_OBJECT:
        return load_object(reader);
    case JSON_KIND_ARRAY:
        return load_array(reader);
    case JSON_KIND_STRING:
        return load_string(reader);
    case JSON_KIND_NUMBER:
        return load_number(reader);
    case JSON_KIND_BOOLEAN:
        return json_boolean(json_read_boolean(reader));
    case JSON_KIND_NULL:
        json_read_null(reader);
        return json_null();
    case JSON_KIND_NONE:
        break;
    }
    return NULL;
}

json_t *json_loadb(const char *text, size_t size, size_t flags, json_error_t *error)
{
    (void)flags;
    struct json_reader *reader = malloc(sizeof(*reader));
    json_t *json = NULL;
    *error = (json_error_t){ .line = 1, .text = "not JSON" };
    if (reader == NULL)
        return NULL;
    json_reader_init(reader, bytes_of(text, size));
    json = load(reader);
    if (json == NULL || !json_read_end(reader)) {
        for (const char *at = text; at < (const char *)reader->at; at++) {
            error->column++;
            if (*at == '\n') {
                error->line++;
                error->column = 0;
            }
        }
        json_decref(json);
        json = NULL;
    }
    free(reader);
    return json;
}
