/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to lay bytes out for others: into a caller's array, in order.
 *
 * The first write that does not fit fails the writer and nothing is written from then on; `size`
 * still counts what would have been needed, so a second try can be made to measure.  Never
 * allocates (base has the growing buffer). */
#ifndef CORE_WRITER_H
#define CORE_WRITER_H

#include "core/bytes.h"

struct writer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool failed;
};

struct writer writer_into(void *data, size_t capacity);
void write_u8(struct writer *writer, uint8_t number);
void write_u16_le(struct writer *writer, uint16_t number);
void write_u32_le(struct writer *writer, uint32_t number);
void write_u64_le(struct writer *writer, uint64_t number);
void write_u16_be(struct writer *writer, uint16_t number);
void write_u32_be(struct writer *writer, uint32_t number);
void write_u64_be(struct writer *writer, uint64_t number);
void write_bytes(struct writer *writer, struct bytes bytes);
void write_zeros(struct writer *writer, size_t size);
/* What was written; empty after a failure. */
struct bytes writer_view(const struct writer *writer);

#endif
