/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: tables made at build time by p256_tables_make.c. */
#ifndef CRYPTO_P256_TABLES_H
#define CRYPTO_P256_TABLES_H

#include "crypto/p256.h"

enum {
    P256_KNOWN_KEY_COUNT = 4 /* Intel's root, TCB signing and the two PCK CAs */
};

extern const struct p256_comb p256_base;
extern const struct p256_known_key p256_known_keys[P256_KNOWN_KEY_COUNT];

#endif
