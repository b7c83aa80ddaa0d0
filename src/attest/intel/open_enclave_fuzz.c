/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as Open Enclave's report or evidence: the parts lie in it, one behind the other. */
#include "attest/intel/open_enclave.h"

#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct open_enclave parsed;
    struct error error;
    bool is_one = open_enclave_is(input);
    if (!open_enclave_read(&parsed, input, &error))
        return;
    ASSERT(parsed.version >= 1 && parsed.version <= 3);
    ASSERT(is_one || parsed.version == 1); /* behind that may stand what is no quote */
    ASSERT(parsed.quote.size + parsed.claims.size < input.size);
    if (parsed.claims.size > 0)
        ASSERT(parsed.quote.data + parsed.quote.size == parsed.claims.data);
}
