/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a receipt, and as the claims of one: what parses is written as the same bytes. */
#include "crypto/base64.h"
#include "fuzz/fuzz.h"
#include "keys/receipt.h"

static bool parse_claims(struct receipt *receipt, struct bytes claims)
{
    struct error error;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 2 * RECEIPT_SIZE_MAX);
    base64url_append(&text, BYTES_LITERAL("{\"alg\":\"ES256\",\"typ\":\"s3n-receipt+jwt\"}"));
    buffer_append_string(&text, ".");
    base64url_append(&text, claims);
    buffer_append_string(&text, ".");
    struct ecdsa_signature signature = { { 0 } };
    base64url_append(&text, BYTES_OF(signature.bytes));
    return receipt_parse(receipt, buffer_view(&text), &error);
}

void fuzz_one(struct bytes input)
{
    struct error error;
    struct receipt receipt;
    if (receipt_parse(&receipt, input, &error))
        ASSERT(receipt.issued_at_s >= 0);
    if (!parse_claims(&receipt, input))
        return;
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    ASSERT(receipt_claims(&claims, &receipt, &error));
    ASSERT(bytes_equal(buffer_view(&claims), input));
}
