/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include "crypto/crypto.h"

#include <limits.h>
#include <openssl/rand.h>

void random_bytes(void *target, size_t size)
{
    crypto_init();
    ASSERT(size <= INT_MAX);
    ASSERT(RAND_priv_bytes(target, (int)size) == 1);
}

void random_secret32(struct secret32 *secret)
{
    random_bytes(secret->bytes, sizeof(secret->bytes));
}
