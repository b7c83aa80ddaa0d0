/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists: whatever parses holds nothing outside of itself, and can be searched. */
#include "crypto/crl.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct crl crl;
    if (!crl_parse(&crl, input, &error))
        return;
    ASSERT(bytes_equal(crl.der, input) && crl.signed_part.size < input.size);
    ASSERT((crl.entry_count == 0) == (crl.entries.size == 0));
    /* 21 bytes: longer than any serial that is let in. */
    ASSERT(!crl_is_revoked(&crl, BYTES_LITERAL("123456789012345678901")));
}
