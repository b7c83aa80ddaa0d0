/* SPDX-License-Identifier: Apache-2.0 */
/* What binds a TLS session to the keyset that evidence vouches for (against relays,
 * CVE-2026-33697).
 *
 * A certificate, and evidence about it, can be shown by whoever stole the TLS key.  So the node
 * signs, with the keyset's receipt key, what only the two ends of this one session know:
 *
 *     SHA-256({"exporter":"<64 hex>","keyset":"<64 hex>","nonce":"<64
 * hex>","purpose":"s3n/session/1"})
 *
 * The exporter is TLS 1.3's (RFC 8446 7.5, label HTTP_EXPORTER_LABEL, no context), the nonce the
 * caller's.  Somebody who stands between has two sessions with two exporters, and no node signs
 * another's. */
#ifndef KEYS_SESSION_H
#define KEYS_SESSION_H

#include "base/error.h"
#include "crypto/ecdsa.h"
#include "keys/keyset.h"

struct session_exporter {
    uint8_t bytes[32];
};

MUST_CHECK bool session_sign(struct ecdsa_signature *signature, const struct ecdsa_key *receipt_key,
                             const struct session_exporter *exporter,
                             const struct digest32 *keyset_digest, const struct nonce32 *nonce,
                             struct error *error);
/* UNVERIFIED: this session ends somewhere else. */
MUST_CHECK bool session_verify(const struct ecdsa_public *receipt_key,
                               const struct ecdsa_signature *signature,
                               const struct session_exporter *exporter,
                               const struct digest32 *keyset_digest, const struct nonce32 *nonce,
                               struct error *error);

#endif
