/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever parses has a canonical form (but for numbers without an exact double), and that form
 * parses to itself.  The other reader, core's, accepts it too, its limits aside. */
#include "base/json.h"
#include "core/json_reader.h"
#include "fuzz/fuzz.h"

static bool is_within_limits(struct bytes input)
{
    size_t brackets = 0;
    size_t commas = 0;
    for (size_t i = 0; i < input.size; i++) {
        brackets += input.data[i] == '[' || input.data[i] == '{';
        commas += input.data[i] == ',';
    }
    return brackets <= JSON_READER_DEPTH_MAX && brackets + commas <= JSON_READER_MEMBER_MAX;
}

void fuzz_one(struct bytes input)
{
    struct error error;
    AUTO_JSON json_t *json = NULL;
    if (!json_parse(&json, input, &error))
        return;
    struct json_reader reader;
    json_reader_init(&reader, input);
    json_skip(&reader);
    ASSERT(json_read_end(&reader) || !is_within_limits(input));
    AUTO_BUFFER struct buffer first;
    AUTO_BUFFER struct buffer second;
    buffer_init(&first, 8 << 20);
    buffer_init(&second, 8 << 20);
    if (!json_canonical(&first, json, &error))
        return;
    AUTO_JSON json_t *again = NULL;
    if (first.size > JSON_SIZE_MAX || !json_parse(&again, buffer_view(&first), &error)) {
        /* Integers above 2^63 that came as fractions print without a point: jansson then refuses
         * them as integers that are too big. */
        return;
    }
    ASSERT(json_canonical(&second, again, &error));
    ASSERT(bytes_equal(buffer_view(&first), buffer_view(&second)));
}
