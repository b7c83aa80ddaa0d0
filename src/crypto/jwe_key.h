/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto: keys that JWE messages are made for. */
#ifndef CRYPTO_JWE_KEY_H
#define CRYPTO_JWE_KEY_H

#include "crypto/jwe.h"

enum {
    JWE_COORDINATE_MAX = 66, /* of P-521 */
    JWE_CEK_MAX = 32
};

struct jwe_curve {
    const char *name; /* as JOSE has it, and OpenSSL */
    size_t coordinate;
};

enum jwe_kind jwe_key_kind(const struct jwe_key *key);
enum jwe_algorithm jwe_key_algorithm(const struct jwe_key *key);
const char *jwe_algorithm_name(enum jwe_algorithm algorithm);
/* Not for RSA. */
const struct jwe_curve *jwe_key_curve(const struct jwe_key *key);

/* The x coordinate of the product with a point of the key's curve: as many bytes as a coordinate.
 * False when the point is not on the curve. */
bool jwe_key_agree(uint8_t *shared, const struct jwe_key *key, const uint8_t *x, const uint8_t *y);
/* What RSA-OAEP hides; false unless it is at most JWE_CEK_MAX bytes. */
bool jwe_key_decrypt(uint8_t *plain, size_t *size, const struct jwe_key *key, struct bytes sealed);

#endif
