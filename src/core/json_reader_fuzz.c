/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what skipping accepts can be walked value by value, with the same bytes. */
#include "core/json_reader.h"
#include "fuzz/fuzz.h"

static void walk(struct json_reader *json)
{
    struct json_text text;
    uint8_t space[64];
    size_t size;
    switch (json_peek(json)) {
    case JSON_KIND_OBJECT:
        json_enter_object(json);
        while (json_next_member(json, &text)) {
            ASSERT(json_text_decode(text, space, sizeof(space), &size) || text.raw.size > 0);
            walk(json);
        }
        break;
    case JSON_KIND_ARRAY:
        json_enter_array(json);
        while (json_next_item(json))
            walk(json);
        break;
    case JSON_KIND_STRING:
        text = json_read_string(json);
        if (json_text_decode(text, space, sizeof(space), &size))
            ASSERT(size <= text.raw.size && bytes_is_utf8(bytes_of(space, size)));
        break;
    case JSON_KIND_BOOLEAN:
        json_read_boolean(json);
        break;
    case JSON_KIND_NULL:
        json_read_null(json);
        break;
    case JSON_KIND_NUMBER:
    case JSON_KIND_NONE:
        json_skip(json);
        break;
    }
}

void fuzz_one(struct bytes input)
{
    struct json_reader json;
    json_reader_init(&json, input);
    struct bytes value = json_skip(&json);
    bool is_good = json_read_end(&json);
    ASSERT(!is_good || (value.size > 0 && value.size <= input.size));
    json_reader_init(&json, input);
    walk(&json);
    ASSERT(json_read_end(&json) == is_good);
    json_reader_init(&json, input);
    uint64_t number = json_read_unsigned(&json, 1000);
    ASSERT(number <= 1000 && (number == 0 || !json.failed));
}
