/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of applications on their way and at rest.
 *
 * A client seals a value to the encryption key of the node's verified keyset: the envelope is the
 * encapsulated key (32) and the ciphertext of HPKE (RFC 9180, base mode, X25519, HKDF-SHA256,
 * AES-256-GCM), with the place as `info`:
 *
 *     "s3n/secret/1" 00 application 00 owner, 64 hexadecimal digits 00 name 00 version, decimal
 *
 * so it opens as this version of this secret of this application and nowhere else, and not twice:
 * a version is set once.  The keeper opens it and seals the value under the application's own
 * record key (sealing.h; space "secret/" application "/" the first 32 digits of the owner;
 * associated data: the place).  Spaces of this form are refused by the keeper's SEAL and OPEN.
 *
 * Owns nothing. */
#ifndef KEYS_SECRET_ENVELOPE_H
#define KEYS_SECRET_ENVELOPE_H

#include "base/buffer.h"
#include "base/secret.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"
#include "keys/limits.h"

#define SECRET_SPACE_PREFIX "secret/"

enum {
    SECRET_ENVELOPE_OVERHEAD = 32 + 16,
    SECRET_PLACE_SIZE_MAX = 12 + 1 + KEYS_NAME_SIZE_MAX + 1 + 64 + 1 + SECRET_NAME_SIZE_MAX + 1 + 20
};

/* Which version of which secret of which application. */
struct secret_place {
    char application[KEYS_NAME_SIZE_MAX + 1];
    struct digest32 owner;
    char name[SECRET_NAME_SIZE_MAX + 1];
    uint64_t version; /* from 1 */
};
/* A value as the keeper sealed it there. */
struct secret_found {
    struct secret_place place;
    struct bytes sealed;
};
/* Letters, digits and . _ - for the name; an application's name as manifests have it. */
MUST_CHECK bool secret_place_check(const struct secret_place *place, struct error *error);
bool secret_name_is_valid(struct bytes name);
/* The text above: what `info` and the associated data are. */
void secret_place_write(struct writer *writer, const struct secret_place *place);
struct digest32 secret_place_digest(const struct secret_place *place);

/* The client's end: appends the envelope.  LIMIT for more than SECRET_VALUE_SIZE_MAX bytes, INVALID
 * for none. */
MUST_CHECK bool secret_seal(struct buffer *envelope, const struct secret_place *place,
                            const struct x25519_public *recipient, struct bytes value,
                            struct error *error);

/* --- the keeper's end --- */

/* Appends the value under the application's record key.  UNVERIFIED when the envelope does not open
 * at this place. */
MUST_CHECK bool secret_admit(struct buffer *sealed, const struct secret32 *root,
                             const struct secret_place *place, const struct secret32 *recipient,
                             struct bytes envelope, struct error *error);
/* Appends the value.  CORRUPT when anything differs. */
MUST_CHECK bool secret_open(struct buffer *value, const struct secret32 *root,
                            const struct secret_place *place, struct bytes sealed,
                            struct error *error);

#endif
