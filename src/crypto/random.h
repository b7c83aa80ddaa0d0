/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers fit for keys.  Can't fail: without entropy the process aborts. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/secret.h"

void random_bytes(void *target, size_t size);
void random_secret32(struct secret32 *secret);

#endif
