/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of an issuer: a JSON Web Key Set (RFC 7517) with keys of the three kinds that tokens
 * here are signed with.
 *
 * Keys of other kinds, for encryption, or with an algorithm of their own that is none of the three,
 * are passed over, as the RFC wants it; one of these kinds that is malformed, or holds a private or
 * symmetric part, refuses the whole set: who publishes that is not to be trusted with more. */
#ifndef ACCESS_JWKS_H
#define ACCESS_JWKS_H

#include "access/limits.h"
#include "base/error.h"
#include "crypto/ecdsa.h"
#include "crypto/jws.h"

/* name, as tokens say it */
#define JWT_ALGORITHMS(X)                                                                          \
    X(ES256, "ES256")                                                                              \
    X(RS256, "RS256")                                                                              \
    X(EDDSA, "EdDSA")

enum jwt_algorithm {
#define JWT_ALGORITHM_ENUM(name, text) JWT_##name,
    JWT_ALGORITHMS(JWT_ALGORITHM_ENUM)
#undef JWT_ALGORITHM_ENUM
    JWT_ALGORITHM_COUNT
};
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);
/* JWT_ALGORITHM_COUNT when it is none of them: exactly these spellings. */
enum jwt_algorithm jwt_algorithm_of(struct bytes name);

struct jwks_key {
    enum jwt_algorithm algorithm;
    char id[JWT_KEY_ID_SIZE_MAX + 1]; /* empty: it has none */
    struct ecdsa_public p256;         /* ES256 */
    uint8_t ed25519[ED25519_PUBLIC_SIZE];
    uint8_t modulus[JWS_RSA_SIZE_MAX]; /* RS256 */
    uint8_t exponent[JWS_RSA_EXPONENT_SIZE_MAX];
    size_t modulus_size, exponent_size;
};
struct jwks {
    struct jwks_key keys[JWKS_KEY_COUNT_MAX];
    size_t count;
};

/* INVALID, LIMIT; no usable key is INVALID too. */
MUST_CHECK bool jwks_parse(struct jwks *keys, struct bytes text, struct error *error);
/* The key for a token: of that algorithm and id.  A token without an id takes the only key of its
 * algorithm.  NULL: none. */
const struct jwks_key *jwks_find(const struct jwks *keys, enum jwt_algorithm algorithm,
                                 struct bytes id);
/* UNAUTHENTICATED for whatever reason. */
MUST_CHECK bool jwks_verify(const struct jwks_key *key, struct bytes message,
                            struct bytes signature, struct error *error);

/* `jwks_uri` of an issuer's /.well-known/openid-configuration, whose `issuer` must be the one that
 * was asked (OpenID Connect Discovery 4.3).  Copied to `uri`. */
MUST_CHECK bool discovery_parse(char uri[JWKS_URL_SIZE_MAX + 1], struct bytes text,
                                const char *issuer, struct error *error);

#endif
