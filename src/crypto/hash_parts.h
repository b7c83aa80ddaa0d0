/* SPDX-License-Identifier: Apache-2.0 */
/* What a build's arithmetic gives to hash.h beside hash_new, hash_free and hash_update: hash.c with
 * OpenSSL, portable/crypto.c without.  hash_value.c makes types of it.  For these units alone. */
#ifndef CRYPTO_HASH_PARTS_H
#define CRYPTO_HASH_PARTS_H

#include "crypto/hash.h"

/* `target` has room for the kind's value. */
void hash_once(void *target, enum hash_kind kind, struct bytes data);
/* Of a hash of this kind; starts over. */
void hash_finish(struct hash *hash, void *target, enum hash_kind kind);

#endif
