/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of buffers that reads scatter to and writes gather from. */
#ifndef GUEST_BUFFERS_H
#define GUEST_BUFFERS_H

#include "abi/instance.h"
#include "guest/errno.h"

struct buffers {
    const struct instance *instance;
    const uint8_t *list;
    uint32_t count;
};

/* Checks every buffer; *total is their sizes' sum.  FAULT, INVAL (too many, or more than 32 bits
 * can count). */
MUST_CHECK enum wasi_errno buffers_check(struct buffers *buffers, const struct instance *instance,
                                         uint64_t address, uint64_t count, uint32_t *total);
/* Buffer `index`, checked again, since what was read before may lie over the list. */
MUST_CHECK bool buffers_at(const struct buffers *buffers, uint32_t index, uint8_t **at,
                           uint64_t *size);

#endif
