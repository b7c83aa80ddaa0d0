/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a token is exactly one text. */
#include "access/token.h"
#include "crypto/hash.h"

void fuzz_one(struct bytes input);

void fuzz_one(struct bytes input)
{
    struct token_name name;
    struct error error;
    if (!token_parse(&name, input, &error))
        return;
    struct digest32 hash = sha256_of(input);
    ASSERT(input.size == TOKEN_TEXT_SIZE && token_is(input) && digest32_equal(&hash, &name.hash));
}
