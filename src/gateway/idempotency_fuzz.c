/* SPDX-License-Identifier: Apache-2.0 */
/* A key is part of its field, and the same when it stands in quotes. */
#include "fuzz/fuzz.h"
#include "gateway/idempotency.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    struct bytes key, again;
    char text[GATEWAY_KEY_SIZE_MAX + 2];
    if (!idempotency_key_parse(&key, input))
        return;
    ASSERT(key.size >= 1 && key.size <= GATEWAY_KEY_SIZE_MAX && key.size <= input.size);
    text[0] = text[key.size + 1] = '"';
    memcpy(text + 1, key.data, key.size);
    ASSERT(idempotency_key_parse(&again, bytes_of(text, key.size + 2)));
    ASSERT(bytes_equal(key, again));
}
