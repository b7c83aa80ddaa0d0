/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "core/hex.h"

#include <string.h>

void json_auto_release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

/* jansson's own depth limit is fixed at 2048, so ours is checked before it recurses.  Brackets are
 * counted outside of strings; whether the text is JSON at all is jansson's business. */
static bool depth_fits(struct bytes text)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (in_string) {
            if (byte == '\\')
                i++;
            else if (byte == '"')
                in_string = false;
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '[' || byte == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return false;
        } else if ((byte == ']' || byte == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

bool json_parse(json_t **json, struct bytes text, struct error *error)
{
    if (text.size > JSON_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "JSON of %zu bytes, at most %d", text.size,
                         JSON_SIZE_MAX);
    if (!depth_fits(text))
        return error_set(error, ERROR_LIMIT, "JSON nested deeper than %d", JSON_DEPTH_MAX);
    /* Jansson drops a zero byte that follows a number. */
    if (bytes_find(text, 0) < text.size)
        return error_set(error, ERROR_INVALID, "JSON with a zero byte");
    json_error_t problem;
    const char *data = text.size == 0 ? "" : (const char *)text.data;
    json_t *parsed =
        json_loadb(data, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (parsed == NULL)
        return error_set(error, ERROR_INVALID, "JSON line %d column %d: %s", problem.line,
                         problem.column, error_quote(bytes_of_string(problem.text)).text);
    *json = parsed;
    return true;
}

static const char *kind_name(const json_t *json)
{
    if (json == NULL)
        return "nothing";
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

static bool expected(struct error *error, const char *key, const char *what, const json_t *found)
{
    return error_set(error, ERROR_INVALID, "%s: expected %s, found %s", key, what,
                     kind_name(found));
}

bool json_get_string(const json_t *object, const char *key, const char **value, struct error *error)
{
    const json_t *found = json_object_get(object, key);
    if (!json_is_string(found))
        return expected(error, key, "a string", found);
    *value = json_string_value(found);
    return true;
}

bool json_get_integer(const json_t *object, const char *key, int64_t min, int64_t max,
                      int64_t *value, struct error *error)
{
    const json_t *found = json_object_get(object, key);
    if (!json_is_integer(found))
        return expected(error, key, "an integer", found);
    int64_t number = json_integer_value(found);
    if (number < min || number > max)
        return error_set(error, ERROR_INVALID, "%s: %lld is not within %lld to %lld", key,
                         (long long)number, (long long)min, (long long)max);
    *value = number;
    return true;
}

bool json_get_object(const json_t *object, const char *key, json_t **value, struct error *error)
{
    json_t *found = json_object_get(object, key);
    if (!json_is_object(found))
        return expected(error, key, "an object", found);
    *value = found;
    return true;
}

bool json_get_array(const json_t *object, const char *key, json_t **value, struct error *error)
{
    json_t *found = json_object_get(object, key);
    if (!json_is_array(found))
        return expected(error, key, "an array", found);
    *value = found;
    return true;
}

bool json_get_hex(const json_t *object, const char *key, void *target, size_t size,
                  struct error *error)
{
    const char *text;
    if (!json_get_string(object, key, &text, error))
        return false;
    if (!hex_decode(target, size, bytes_of_string(text)))
        return error_set(error, ERROR_INVALID, "%s: expected %zu hexadecimal digits", key,
                         2 * size);
    return true;
}

static bool is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

bool json_check_keys(const json_t *object, const char *const *keys, const char *where,
                     struct error *error)
{
    if (!json_is_object(object))
        return expected(error, where, "an object", object);
    /* Iteration doesn't change the object; jansson's signature only lacks the const. */
    json_t *walked = (json_t *)(uintptr_t)object;
    const char *key;
    json_t *value;
    json_object_foreach(walked, key, value)
    {
        if (is_among(key, keys))
            continue;
        const char *nearest = nearest_name(key, keys);
        return error_set(error, ERROR_INVALID, "%s: unknown key \"%s\"%s%s%s", where,
                         error_quote(bytes_of_string(key)).text,
                         nearest == NULL ? "" : ", did you mean \"", nearest == NULL ? "" : nearest,
                         nearest == NULL ? "" : "\"?");
    }
    return true;
}
