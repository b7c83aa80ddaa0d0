/* SPDX-License-Identifier: Apache-2.0 */
/* How the keeper seals: version byte 1, salt 20, nonce 12, then AES-256-GCM ciphertext and tag
 * under HKDF(record key of the space, salt, "s3n/seal/1"), with the caller's associated data.  Salt
 * and nonce are random for each, so no key ever meets a nonce twice, however much is sealed.
 *
 * Inside the keeper, tests and offline tools.  Owns nothing. */
#ifndef KEYS_SEALING_H
#define KEYS_SEALING_H

#include "store/store.h"

#include "base/secret.h"

enum {
    SEALING_OVERHEAD = 1 + 20 + 12 + 16
};

/* Appends. */
MUST_CHECK bool sealing_seal(const struct secret32 *root, const char *space,
                             struct bytes associated, struct bytes plain, struct buffer *sealed,
                             struct error *error);
/* Appends; CORRUPT when anything differs. */
MUST_CHECK bool sealing_open(const struct secret32 *root, const char *space,
                             struct bytes associated, struct bytes sealed, struct buffer *plain,
                             struct error *error);
/* Both as a sealer in this process; `root` must outlive it. */
struct sealer sealing_local(struct secret32 *root);

#endif
