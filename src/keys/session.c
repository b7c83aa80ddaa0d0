/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/session.h"

#include "core/hex.h"

#include <stdio.h>

static struct digest32 statement_of(const struct session_exporter *exporter,
                                    const struct digest32 *keyset_digest,
                                    const struct nonce32 *nonce)
{
    char exporter_text[65], nonce_text[65], statement[320];
    hex_encode(exporter_text, BYTES_OF(exporter->bytes));
    hex_encode(nonce_text, BYTES_OF(nonce->bytes));
    int size = snprintf(statement, sizeof(statement),
                        "{\"exporter\":\"%s\",\"keyset\":\"%s\",\"nonce\":\"%s\","
                        "\"purpose\":\"s3n/session/1\"}",
                        exporter_text, hex_of_digest(keyset_digest).text, nonce_text);
    ASSERT(size > 0 && (size_t)size < sizeof(statement));
    return sha256_of(bytes_of(statement, (size_t)size));
}

bool session_sign(struct ecdsa_signature *signature, const struct ecdsa_key *receipt_key,
                  const struct session_exporter *exporter, const struct digest32 *keyset_digest,
                  const struct nonce32 *nonce, struct error *error)
{
    struct digest32 statement = statement_of(exporter, keyset_digest, nonce);
    return ecdsa_sign(signature, receipt_key, &statement, error);
}

bool session_verify(const struct ecdsa_public *receipt_key, const struct ecdsa_signature *signature,
                    const struct session_exporter *exporter, const struct digest32 *keyset_digest,
                    const struct nonce32 *nonce, struct error *error)
{
    struct digest32 statement = statement_of(exporter, keyset_digest, nonce);
    return ecdsa_verify(receipt_key, &statement, signature, error) ||
           error_set(error, ERROR_UNVERIFIED,
                     "this TLS session does not end in the node that the evidence is of: somebody "
                     "stands between");
}
