/* SPDX-License-Identifier: Apache-2.0 */
/* The key hierarchy (DESIGN section 8): one root secret, and what HKDF-SHA-256 makes of it.
 *
 * derived = HKDF(secret = root, salt = empty, info = label || 0x00 || context), 32 bytes.
 *
 *     label                 context                          use
 *     s3n/record/1          the space's name                 seals a space's records and blobs
 *     s3n/backup/1          (empty)                          seals backups (operations/backup.h)
 *     s3n/encryption/2      not_before, u64 big-endian,      X25519 private key of a keyset
 *                           and the node's id, 32 digits
 *
 * Owns: the file of the root provider `file`.  Used by the keeper only; nothing derived here leaves
 * it.  Never: prints or stores a secret anywhere else. */
#ifndef KEYS_HIERARCHY_H
#define KEYS_HIERARCHY_H

#include "base/secret.h"

/* Provider `file` (platform sim only): 32 bytes in `path`, which is made, mode 0600, when it is not
 * there.  DENIED when others may read it or it isn't ours, CORRUPT when its size is another. */
MUST_CHECK bool root_secret_from_file(struct secret32 *root, const char *path, struct error *error);

/* Of the space STORE_SPACE_BACKUP: the backup key. */
void record_key_derive(struct secret32 *key, const struct secret32 *root, const char *space);
/* Of one node: what was sealed to it opens on no other of the same root.  `node` has KEYS_NODE_SIZE
 * characters. */
void encryption_key_derive(struct secret32 *key, const struct secret32 *root, const char *node,
                           int64_t not_before_s);

#endif
