/* SPDX-License-Identifier: Apache-2.0 */
/* What parses is written as the same bytes. */
#include "fuzz/fuzz.h"
#include "keys/keyset.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct keyset keyset;
    if (!keyset_parse(&keyset, input, &error))
        return;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    ASSERT(keyset_write(&text, &keyset, &error));
    ASSERT(bytes_equal(buffer_view(&text), input));
}
