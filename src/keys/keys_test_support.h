/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of keys: fixed keys, a good keyset and a good receipt. */
#ifndef KEYS_KEYS_TEST_SUPPORT_H
#define KEYS_KEYS_TEST_SUPPORT_H

#include "keys/receipt.h"

/* A key made of one byte, always the same for the same byte. */
struct ecdsa_key *test_key(uint8_t which);
struct keyset test_keyset(void);
struct receipt test_receipt(void);

#endif
