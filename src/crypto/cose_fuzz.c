/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 messages: what parses as the strictest form parses as the laxer ones to the same, and
 * no key that is nobody's verifies it. */
#include "crypto/cose.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    enum cose_fault fault = COSE_FAULT_NONE;
    struct cose_sign1 message, strict;
    if (!cose_sign1_parse(&message, input, CBOR_UNSORTED, &fault, &error)) {
        ASSERT(fault != COSE_FAULT_NONE);
        ASSERT(!cose_sign1_parse(&strict, input, CBOR_SORTED, &fault, &error));
        return;
    }
    if (cose_sign1_parse(&strict, input, CBOR_SORTED, &fault, &error))
        ASSERT(strict.payload.data == message.payload.data);
    const struct public_key keys[] = { { .kind = PUBLIC_KEY_P256 }, { .kind = PUBLIC_KEY_P384 } };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        ASSERT(!cose_sign1_verify(&message, &keys[i], (struct bytes){ 0 }, &error));
}
