/* SPDX-License-Identifier: Apache-2.0 */
/* Only what there is, is chosen. */
#include "fuzz/fuzz.h"
#include "gateway/representation.h"

void fuzz_one(struct bytes input)
{
    for (unsigned available = 0; available < 1u << ENCODING_COUNT; available++) {
        enum encoding chosen = encoding_choose(input, available);
        ASSERT(chosen == ENCODING_IDENTITY || (available & (1u << chosen)) != 0);
    }
    (void)accepts_html(input);
    (void)etag_matches(input, BYTES_LITERAL("\"0011\""));
    (void)content_type_of(input);
}
