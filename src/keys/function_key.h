/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of functions: derived by the keeper from the root secret for an application, an algorithm
 * and a path that the application chose; private halves never leave it.
 *
 * seed = HKDF-SHA256(secret = root, salt = empty, info), 32 bytes, where info is
 *
 *     "s3n/function/1" 00 application 00 owner, 64 hexadecimal digits 00 algorithm's name 00 path
 *
 * and for the curves with an order, while the seed is no scalar (0 < seed < n): the same with 00
 * and a counter from 1 (one byte) behind.  So a key stays the same over versions, restarts and
 * every node of the same root, and differs wherever application, owner, algorithm or path do.
 *
 *     p256       ECDSA, SHA-256, nonces of RFC 6979      public 04 x y, signature r s
 *     secp256k1  the same curve's, s in the lower half   public 04 x y, signature r s recovery
 *     ed25519    RFC 8032, pure                          public 32, signature 64
 *     x25519     HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
 *     hkdf       HKDF-Expand(seed, "s3n/derive/1")       bytes of the application's own
 *
 * Owns nothing.  The keeper's; clients use the names. */
#ifndef KEYS_FUNCTION_KEY_H
#define KEYS_FUNCTION_KEY_H

#include "base/buffer.h"
#include "base/secret.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"
#include "keys/limits.h"

/* number in calls (docs/abi.md; 0: none there), name in permissions and receipts */
#define KEY_ALGORITHMS(X)                                                                          \
    X(1, P256, "p256")                                                                             \
    X(2, SECP256K1, "secp256k1")                                                                   \
    X(3, ED25519, "ed25519")                                                                       \
    X(4, X25519, "x25519")                                                                         \
    X(5, HKDF, "hkdf")

enum key_algorithm {
#define KEY_ALGORITHM_ENUM(number, symbol, name) KEY_ALGORITHM_##symbol = number,
    KEY_ALGORITHMS(KEY_ALGORITHM_ENUM)
#undef KEY_ALGORITHM_ENUM
};
const char *key_algorithm_name(enum key_algorithm algorithm);
bool key_algorithm_of_number(enum key_algorithm *algorithm, uint64_t number);
/* "p256:oracle": algorithm and path. */
MUST_CHECK bool key_name_check(struct bytes name, struct error *error);
bool key_path_is_valid(struct bytes path);

/* Which key of which application. */
struct key_place {
    char application[KEYS_NAME_SIZE_MAX + 1];
    struct digest32 owner;
    enum key_algorithm algorithm;
    char path[KEY_PATH_SIZE_MAX + 1];
};
MUST_CHECK bool function_key_check(const struct key_place *place, struct error *error);
struct digest32 function_key_digest(const struct key_place *place);

enum {
    KEY_PUBLIC_SIZE_MAX = 65,
    KEY_SIGNATURE_SIZE_MAX = 65
};
struct key_public {
    uint8_t bytes[KEY_PUBLIC_SIZE_MAX];
    size_t size; /* 0: hkdf has none */
};

/* --- the keeper's --- */

MUST_CHECK bool function_key_public(struct key_public *key, const struct secret32 *root,
                                    const struct key_place *place, struct error *error);
/* Appends the signature.  `is_digest`: the message is a digest of 32 bytes, to be signed as it is
 * (p256, secp256k1).  UNSUPPORTED: this algorithm signs nothing, or no digests. */
MUST_CHECK bool function_key_sign(struct buffer *signature, const struct secret32 *root,
                                  const struct key_place *place, bool is_digest,
                                  struct bytes message, struct error *error);
/* Appends `size` bytes, 1 to KEY_DERIVED_SIZE_MAX; a shorter one is the beginning of a longer one.
 */
MUST_CHECK bool function_key_derive(struct buffer *derived, const struct secret32 *root,
                                    const struct key_place *place, size_t size,
                                    struct error *error);
struct key_sealed {
    struct bytes info; /* at most HPKE_INFO_SIZE_MAX */
    struct bytes encapsulated;
    struct bytes associated;
    struct bytes text;
};
/* Appends what was sealed.  UNVERIFIED when it does not open. */
MUST_CHECK bool function_key_open(struct buffer *plain, const struct secret32 *root,
                                  const struct key_place *place, const struct key_sealed *sealed,
                                  struct error *error);

#endif
