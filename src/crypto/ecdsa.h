/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on P-256 with SHA-256 (FIPS 186-5): private keys, public keys in their usual forms,
 * signatures as r || s, 32 bytes each, big-endian (the form of JWT, Intel quotes, Neo and the EVM).
 *
 * A struct ecdsa_public that came from a function here is a point on the curve; one filled from
 * outside bytes is checked by ecdsa_verify, or by ecdsa_public_check.  Low and high s are both
 * legal.  Signatures under keys of crypto/p256_tables.h are verified by crypto/p256.h, others by
 * OpenSSL. */
#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H

#include "base/buffer.h"
#include "base/json.h"
#include "base/secret.h"
#include "core/bytes.h"

enum {
    ECDSA_SPKI_SIZE = 91
};

struct ecdsa_public {
    uint8_t bytes[64]; /* x || y, big-endian */
};

struct ecdsa_signature {
    uint8_t bytes[64]; /* r || s, big-endian */
};

/* SubjectPublicKeyInfo, DER (RFC 5480): the same 27 bytes and the point for every P-256 key. */
struct ecdsa_spki {
    uint8_t bytes[ECDSA_SPKI_SIZE];
};

/* A private key with its public half. */
struct ecdsa_key;

MUST_CHECK bool ecdsa_key_generate(struct ecdsa_key **key, struct error *error);
/* The big-endian scalar; INVALID unless 0 < scalar < n. */
MUST_CHECK bool ecdsa_key_import(struct ecdsa_key **key, const struct secret32 *scalar,
                                 struct error *error);
void ecdsa_key_export(struct secret32 *scalar, const struct ecdsa_key *key);
/* PKCS #8 in PEM ("PRIVATE KEY"), as openssl reads and writes it. */
MUST_CHECK bool ecdsa_key_to_pem(struct secret_buffer *pem, const struct ecdsa_key *key,
                                 struct error *error);
MUST_CHECK bool ecdsa_key_from_pem(struct ecdsa_key **key, struct bytes pem, struct error *error);
void ecdsa_key_free(struct ecdsa_key *key);
DEFINE_AUTO(ecdsa_key, ecdsa_key_free)
const struct ecdsa_public *ecdsa_key_public(const struct ecdsa_key *key);

MUST_CHECK bool ecdsa_sign(struct ecdsa_signature *signature, const struct ecdsa_key *key,
                           const struct digest32 *digest, struct error *error);
/* The x-coordinate of ECDH (NIST SP 800-56A), not yet a key: derive one from it.  INVALID when the
 * peer's point is not on the curve. */
MUST_CHECK bool ecdsa_key_agree(struct secret32 *shared, const struct ecdsa_key *key,
                                const struct ecdsa_public *peer, struct error *error);
/* UNVERIFIED for whatever reason: r or s out of 1..n-1, point off the curve, wrong signature. */
MUST_CHECK bool ecdsa_verify(const struct ecdsa_public *key, const struct digest32 *digest,
                             const struct ecdsa_signature *signature, struct error *error);

/* INVALID unless the point is on the curve. */
MUST_CHECK bool ecdsa_public_check(const struct ecdsa_public *key, struct error *error);
bool ecdsa_public_equal(const struct ecdsa_public *a, const struct ecdsa_public *b);
struct ecdsa_spki ecdsa_public_to_spki(const struct ecdsa_public *key);
/* Exactly the form above (named curve, uncompressed point), checked. */
MUST_CHECK bool ecdsa_public_from_spki(struct ecdsa_public *key, struct bytes spki,
                                       struct error *error);
/* SHA-256 of the SubjectPublicKeyInfo: a key's name in signatures and configuration. */
struct digest32 ecdsa_public_id(const struct ecdsa_public *key);
/* Appends the PEM text ("PUBLIC KEY"). */
void ecdsa_public_to_pem(struct buffer *pem, const struct ecdsa_public *key);
MUST_CHECK bool ecdsa_public_from_pem(struct ecdsa_public *key, struct bytes pem,
                                      struct error *error);
/* {"crv":"P-256","kty":"EC","x":...,"y":...} (RFC 7517, 7518); NULL without memory. */
json_t *ecdsa_public_to_jwk(const struct ecdsa_public *key);
/* Needs these four members; "kid", "alg" (ES256) and "use" (sig) may be there too, a private "d"
 * or anything else may not. */
MUST_CHECK bool ecdsa_public_from_jwk(struct ecdsa_public *key, const json_t *jwk,
                                      struct error *error);

#endif
