/* SPDX-License-Identifier: Apache-2.0 */
/* JSON web tokens of an issuer (RFC 7519, RFC 8725; JWS compact form): from text to claims that may
 * be believed.
 *
 * The application's manifest fixes the algorithms; the token's `alg` only says which of them.
 * Nothing of the header leads anywhere: `kid` is compared and nothing else, keys and addresses in
 * the header (`jwk`, `jku`, `x5u`, `x5c`) and `crit` refuse the token.  Duplicate names refuse it
 * too, as does any base64url but the one. */
#ifndef ACCESS_JWT_H
#define ACCESS_JWT_H

#include "access/jwks.h"
#include "base/json.h"

/* What an application accepts. */
struct jwt_policy {
    const char *issuer;
    const char *const *audiences; /* one of them is enough */
    size_t audience_count;
    uint32_t algorithms; /* bit 1 << enum jwt_algorithm */
    uint32_t leeway_s;
};

struct jwt {
    enum jwt_algorithm algorithm;
    struct bytes key_id;       /* borrows `header`; empty: none */
    struct bytes signed_bytes; /* borrows the text */
    uint8_t signature[JWS_RSA_SIZE_MAX];
    size_t signature_size;
    json_t *header, *claims;
};
void jwt_done(struct jwt *token);
#define AUTO_JWT __attribute__((cleanup(jwt_done)))

/* Splits a text; the signature is not judged.  UNAUTHENTICATED. */
MUST_CHECK bool jwt_parse(struct jwt *token, struct bytes text, struct error *error);
/* Algorithm, issuer, audience and times, which need no key.  UNAUTHENTICATED. */
MUST_CHECK bool jwt_check(const struct jwt *token, const struct jwt_policy *policy, int64_t now_s,
                          struct error *error);
/* `sub`; empty when there is none. */
struct bytes jwt_subject(const struct jwt *token);

#endif
