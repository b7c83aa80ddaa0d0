/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and signatures of the kinds that certificates and attestation evidence use:
 *
 *     P-256 with ecdsa-with-SHA256, P-384 with ecdsa-with-SHA384 (RFC 5758),
 *     RSA of 2048 to 4096 bits with RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48 bytes (RFC
 * 4055).
 *
 * A key goes with its own kind of signature only.  Parameters are required to be these, never
 * assumed.  Values view the caller's bytes; no point is known to be on its curve before a signature
 * under it held. */
#ifndef CRYPTO_PUBLIC_KEY_H
#define CRYPTO_PUBLIC_KEY_H

#include "core/reader.h"
#include "crypto/ecdsa.h"
#include "crypto/ecdsa384.h"

enum public_key_kind {
    PUBLIC_KEY_P256,
    PUBLIC_KEY_P384,
    PUBLIC_KEY_RSA
};

struct public_key {
    enum public_key_kind kind;
    struct bytes spki;        /* SubjectPublicKeyInfo, DER, as read */
    struct ecdsa_public p256; /* each zero unless it is the kind */
    struct ecdsa384_public p384;
    struct bytes modulus; /* big-endian without leading zeros */
    struct bytes exponent;
};

enum signature_kind {
    SIGNATURE_ECDSA_SHA256,
    SIGNATURE_ECDSA_SHA384,
    SIGNATURE_RSA_PSS_SHA384
};

struct signature_value {
    enum signature_kind kind;
    struct ecdsa_signature p256; /* each zero unless it is the kind */
    struct ecdsa384_signature p384;
    struct bytes rsa;
};

/* Splits a SubjectPublicKeyInfo; false for other kinds and sizes. */
MUST_CHECK bool public_key_view_spki(struct public_key *key, struct bytes spki);
/* Reads an AlgorithmIdentifier of a signature; fails the reader for others. */
enum signature_kind signature_read_algorithm(struct reader *reader);
/* Splits a signature as certificates have it, behind the algorithm read before. */
MUST_CHECK bool signature_view(struct signature_value *signature, enum signature_kind kind,
                               struct bytes content);

/* UNVERIFIED for whatever reason. */
MUST_CHECK bool public_key_verify(const struct public_key *key, struct bytes message,
                                  const struct signature_value *signature, struct error *error);
/* The same kind and the same key. */
bool public_key_equal(const struct public_key *a, const struct public_key *b);
/* SHA-256 of the SubjectPublicKeyInfo: the same as ecdsa_public_id for P-256. */
struct digest32 public_key_id(const struct public_key *key);
const char *public_key_kind_name(enum public_key_kind kind);

#endif
