/* SPDX-License-Identifier: Apache-2.0 */
/* The three streams, which live in the mailbox. */
#ifndef GUEST_STDIO_H
#define GUEST_STDIO_H

#include "guest/buffers.h"
#include "guest/descriptor.h"

/* Standard input from its beginning; a reactor has none. */
void stdio_rewind(bool is_reactor);
/* Bytes of stdin that can be read at once. */
uint64_t stdio_input_left(void);
/* Appends to stdout or stderr; leaves the micro-VM when the area is full. */
void stdio_write(enum descriptor_kind stream, const uint8_t *from, uint64_t size);
/* What there is, as far as the buffers reach; waits only when there is nothing at all.  False: a
 * buffer lies outside linear memory. */
MUST_CHECK bool stdio_read(const struct buffers *buffers, uint64_t *total);

#endif
