/* SPDX-License-Identifier: Apache-2.0 */
/* Two modules beside each other, by way of their reports: whatever the report tells is compared. */
#include "wasm/analyse.h"

#include <stdlib.h>

static bool refuse_memory(struct error *error)
{
    return error_set(error, ERROR_NO_MEMORY, "no memory for the comparison");
}

/* The items' texts as keys, since a module may export a million names. */
static json_t *json_set_of(const json_t *list)
{
    json_t *set = json_object();
    for (size_t i = 0; set != NULL && i < json_array_size(list); i++) {
        char *text = json_dumps(json_array_get(list, i), JSON_COMPACT | JSON_ENCODE_ANY);
        bool is_kept = text != NULL && json_object_set_new(set, text, json_null()) == 0;
        free(text);
        if (!is_kept) {
            json_decref(set);
            return NULL;
        }
    }
    return set;
}

/* What `one` has that `other` has not, as a new array; NULL without memory. */
static json_t *json_missing(const json_t *one, const json_t *other)
{
    AUTO_JSON json_t *set = json_set_of(other);
    AUTO_JSON json_t *missing = json_array();
    for (size_t i = 0; i < json_array_size(one); i++) {
        json_t *item = json_array_get(one, i);
        char *text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
        bool is_new = text != NULL && json_object_get(set, text) == NULL;
        bool is_bad =
            set == NULL || text == NULL || (is_new && json_array_append(missing, item) != 0);
        free(text);
        if (is_bad)
            return NULL;
    }
    return TAKE(missing);
}

/* NULL in *change: nothing differs. */
static bool compare_values(json_t **change, json_t *before, json_t *after, struct error *error)
{
    *change = NULL;
    if (json_equal(before, after))
        return true;
    if (json_is_array(before) && json_is_array(after))
        *change = json_pack("{s:o, s:o}", "added", json_missing(after, before), "removed",
                            json_missing(before, after));
    else
        *change = json_pack("{s:O, s:O}", "before", before, "after", after);
    return *change != NULL || refuse_memory(error);
}

bool analysis_compare(json_t **json, const struct analysis *before, const struct analysis *after,
                      struct error *error)
{
    AUTO_JSON json_t *old = NULL;
    AUTO_JSON json_t *new = NULL;
    AUTO_JSON json_t *difference = json_object();
    if (difference == NULL)
        return refuse_memory(error);
    if (!analysis_json(&old, before, error) || !analysis_json(&new, after, error))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach(old, key, value)
    {
        json_t *change;
        if (!compare_values(&change, value, json_object_get(new, key), error))
            return false;
        if (change != NULL && json_object_set_new(difference, key, change) != 0)
            return refuse_memory(error);
    }
    *json = TAKE(difference);
    return true;
}

/* A value of a report as people read it: texts escaped, rows of imports and exports in a line. */
static void show_value(struct buffer *text, const json_t *value)
{
    const char *key;
    json_t *field;
    const char *separator = "";
    if (json_is_string(value)) {
        buffer_append_string(text, error_quote(bytes_of_string(json_string_value(value))).text);
    } else if (json_is_integer(value)) {
        buffer_format(text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, field)
        {
            buffer_append_string(text, separator);
            if (!json_is_string(field))
                buffer_format(text, "%s ", key);
            show_value(text, field);
            separator = " ";
        }
    } else {
        buffer_append_string(text, json_is_true(value)   ? "yes"
                                   : json_is_null(value) ? "none"
                                                         : "no");
    }
}

static void show_list(struct buffer *text, const char *key, char sign, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        buffer_format(text, "%c %-22s ", sign, key);
        show_value(text, json_array_get(list, i));
        buffer_append_string(text, "\n");
    }
}

void analysis_compare_text(struct buffer *text, const json_t *difference)
{
    const char *key;
    json_t *change;
    if (json_object_size(difference) == 0)
        buffer_append_string(text, "no difference in what the report tells\n");
    json_object_foreach((json_t *)(uintptr_t)difference, key, change)
    {
        const json_t *before = json_object_get(change, "before");
        const json_t *after = json_object_get(change, "after");
        show_list(text, key, '-', json_object_get(change, "removed"));
        show_list(text, key, '+', json_object_get(change, "added"));
        if (before == NULL || after == NULL)
            continue;
        buffer_format(text, "  %-22s ", key);
        show_value(text, before);
        buffer_append_string(text, " -> ");
        show_value(text, after);
        buffer_append_string(text, "\n");
    }
}
