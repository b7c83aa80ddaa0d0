/* SPDX-License-Identifier: Apache-2.0 */
/* Any request and any response, under fixed keys. */
#include "crypto/ohttp.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    static const struct secret32 key = { { 1, 2, 3 } };
    AUTO_BUFFER struct buffer plain;
    struct ohttp_exchange exchange = { .aead = AEAD_AES_128_GCM };
    struct ohttp_request request;
    struct hpke_context context;
    struct error error;
    buffer_init(&plain, 1 << 20);
    ASSERT(!ohttp_response_open(&plain, &exchange, input, &error));
    if (!ohttp_request_parse(&request, input, &error) ||
        !ohttp_context_make(&context, request.key_id, request.aead, &request.encapsulated, &key,
                            &error))
        return;
    if (ohttp_request_open(&plain, &exchange, &request, &context, &error))
        ASSERT(plain.size + OHTTP_REQUEST_OVERHEAD == input.size);
}
