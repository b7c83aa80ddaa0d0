/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in memory: locked (mlock, best effort), left out of core files, wiped when done.  There
 * is no function that prints one, and the only comparison takes the same time whatever differs. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/error.h"

struct secret32 {
    uint8_t bytes[32];
};

void secret32_done(struct secret32 *secret);
#define AUTO_SECRET32 __attribute__((cleanup(secret32_done)))

/* A heap secret of any size. */
struct secret_buffer {
    uint8_t *data;
    size_t size;
};

MUST_CHECK bool secret_buffer_init(struct secret_buffer *secret, size_t size, struct error *error);
void secret_buffer_done(struct secret_buffer *secret);
#define AUTO_SECRET_BUFFER __attribute__((cleanup(secret_buffer_done)))

/* This process and its children leave no core files, unless a program takes them by a pipe: jailed
 * processes (base/jail.h) don't even then. */
void secret_leave_no_core(void);

bool secret_equal(const void *a, const void *b, size_t size);
void secret_wipe(void *data, size_t size);

#endif
