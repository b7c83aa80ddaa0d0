/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a release signature: what parses begins with the signer's own header. */
#include "fuzz/fuzz.h"
#include "keys/release.h"

void fuzz_one(struct bytes input)
{
    struct release_signature signature;
    struct error error;
    if (release_parse(&signature, input, &error))
        ASSERT(input.size < RELEASE_TEXT_SIZE_MAX);
}
