/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of regular files: pages of the volume where something was written, the archive's bytes
 * under them, zeros elsewhere.  A page costs nothing before it is written. */
#ifndef GUEST_CONTENT_H
#define GUEST_CONTENT_H

#include "guest/node.h"

/* What is there from `offset` on, at most `size` bytes; how many. */
uint64_t content_read(uint32_t number, uint64_t offset, uint8_t *to, uint64_t size);
/* Writes as much as there is room for.  `*written` 0 and not SUCCESS: NOSPC, FBIG. */
MUST_CHECK enum wasi_errno content_write(uint32_t number, uint64_t offset, const uint8_t *from,
                                         uint64_t size, uint64_t *written);
MUST_CHECK enum wasi_errno content_resize(uint32_t number, uint64_t size);
/* Has a page behind every byte of the range, and makes the file reach to its end. */
MUST_CHECK enum wasi_errno content_reserve(uint32_t number, uint64_t offset, uint64_t size);
void content_free(struct node *node);

#endif
