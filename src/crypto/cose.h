/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 (RFC 9052 section 4.2) with ES256 (P-256 and SHA-256) and ES384 (P-384 and SHA-384).
 *
 * Read in two steps: cose_sign1_parse splits a message and judges its headers, cose_sign1_verify
 * its signature.  Messages carry their payload, tag 18 may be left out.  Header labels are integers
 * or texts, none is in both maps, the algorithm counts only when it is protected, and a message
 * that marks any header but those read here as critical is refused.  Views into the caller's bytes.
 */
#ifndef CRYPTO_COSE_H
#define CRYPTO_COSE_H

#include "core/cbor.h"
#include "crypto/ecdsa.h"
#include "crypto/ecdsa384.h"
#include "crypto/public_key.h"

/* IANA COSE algorithms; others are read as their number. */
enum {
    COSE_ES256 = -7,
    COSE_ES384 = -35
};

/* Why a message was not taken apart. */
enum cose_fault {
    COSE_FAULT_NONE,
    COSE_FAULT_FORMAT,
    COSE_FAULT_TRAILING_DATA
};

struct cose_sign1 {
    bool is_tagged;
    struct bytes protected_part; /* content of the byte string: a map, or empty */
    size_t protected_count;      /* headers in each map */
    size_t unprotected_count;
    bool has_algorithm;
    int64_t algorithm; /* 0 when it is a text, which no algorithm here is */
    bool has_key_id;   /* of either map: a hint */
    struct bytes key_id;
    struct bytes payload;
    struct bytes signature;
};

/* INVALID with *fault set. */
MUST_CHECK bool cose_sign1_parse(struct cose_sign1 *message, struct bytes source,
                                 enum cbor_order order, enum cose_fault *fault,
                                 struct error *error);
/* UNVERIFIED for whatever reason: the algorithm is not that of the key, the signature is not
 * exactly r || s, or not of this key over headers, payload and `external` (which both sides know
 * and no one sends; usually empty). */
MUST_CHECK bool cose_sign1_verify(const struct cose_sign1 *message, const struct public_key *key,
                                  struct bytes external, struct error *error);

/* Appends a message signed with ES256: tagged, protected {1: -7}, unprotected {4: key_id}, or
 * empty without key_id. */
MUST_CHECK bool cose_sign1_sign(struct buffer *message, struct bytes payload, struct bytes external,
                                struct bytes key_id, const struct ecdsa_key *key,
                                struct error *error);

#endif
