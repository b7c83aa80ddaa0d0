/* SPDX-License-Identifier: Apache-2.0 */
/* JWE (RFC 7516) as a broker of secrets sends it: opened with a private key that was made for it.
 *
 *     key                        "alg" (RFC 7518 section 4)           content ("enc")
 *     P-256, P-384, P-521        ECDH-ES+A256KW or ECDH-ES+A128KW     A256GCM, A128GCM
 *     RSA of 2048 to 4096 bits   RSA-OAEP-256 or RSA-OAEP             the same
 *
 * A key has one algorithm, said in its JWK, and opens nothing that names another: what a message
 * says about itself chooses nothing.  RSA1_5 is not there (RFC 8725 section 3.2).
 *
 * Both serialisations for one recipient: compact, and flattened JSON with "protected" alone
 * ("header", "unprotected" and "recipients" are refused; members and parameters unknown to RFC 7516
 * are ignored, as it asks).  "crit" and "zip" are refused.  The associated data is the protected
 * header as received, with "." and "aad" behind when that is there; an "aad" that repeats the
 * protected header counts as none, because Trustee up to 0.10 sends it so. */
#ifndef CRYPTO_JWE_H
#define CRYPTO_JWE_H

#include "base/buffer.h"
#include "base/secret.h"
#include "core/bytes.h"

enum jwe_kind {
    JWE_P256,
    JWE_P384,
    JWE_P521,
    JWE_RSA
};

enum jwe_algorithm {
    JWE_ECDH_ES_A256KW,
    JWE_ECDH_ES_A128KW,
    JWE_RSA_OAEP_256,
    JWE_RSA_OAEP
};

struct jwe_key;

/* ASSERTs that kind and algorithm fit; RSA keys have 3072 bits. */
MUST_CHECK bool jwe_key_generate(struct jwe_key **key, enum jwe_kind kind,
                                 enum jwe_algorithm algorithm, struct error *error);
/* PKCS #8 in PEM; INVALID unless it is a key of the table that fits the algorithm. */
MUST_CHECK bool jwe_key_from_pem(struct jwe_key **key, struct bytes pem,
                                 enum jwe_algorithm algorithm, struct error *error);
void jwe_key_free(struct jwe_key *key);
DEFINE_AUTO(jwe_key, jwe_key_free)

/* Appends the public half as canonical JSON (RFC 8785):
 * {"alg":...,"crv":...,"kty":"EC","x":...,"y":...} or {"alg":...,"e":...,"kty":"RSA","n":...}. */
MUST_CHECK bool jwe_key_write_public(struct buffer *jwk, const struct jwe_key *key,
                                     struct error *error);

/* INVALID: not well-formed, or not for this key's algorithm.  LIMIT: over JWE_SIZE_MAX.
 * UNVERIFIED: for another key, or changed; nothing tells which.  The caller owns `plain`. */
MUST_CHECK bool jwe_open(struct secret_buffer *plain, const struct jwe_key *key,
                         struct bytes message, struct error *error);

#endif
