/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever parses has a canonical form (but for numbers without an exact double), and that form
 * parses to itself. */
#include "base/json.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    AUTO_JSON json_t *json = NULL;
    if (!json_parse(&json, input, &error))
        return;
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
