/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds for guests' random generators: bytes of the kernel's generator, fetched many at a time,
 * because a system call per entry would be felt.  Each byte is given once and wiped here. */
#ifndef SLIPSTREAM_SEED_H
#define SLIPSTREAM_SEED_H

#include "base/error.h"

enum {
    SEED_SIZE = 32,
    SEED_POOL_SIZE = 2048 /* of each thread */
};

MUST_CHECK bool seed_take(uint8_t seed[SEED_SIZE], struct error *error);
/* After a fork: what is left here is the parent's. */
void seed_forget(void);

#endif
