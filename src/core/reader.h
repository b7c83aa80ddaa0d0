/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to read bytes from outside.
 *
 * Reads in order.  The first read past the end (or of an over-long number) fails the reader; every
 * later read yields zero or nothing, so one check at the end suffices.  Before a count is used to
 * loop or to allocate, it is read with read_count, which bounds it.  Owns nothing; borrowed parts
 * point into the source.  Never allocates. */
#ifndef CORE_READER_H
#define CORE_READER_H

#include "core/bytes.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    bool failed;
};

struct reader reader_of(struct bytes source);
/* Bytes from the start of the source to the next read. */
size_t reader_offset(const struct reader *reader);
size_t reader_left(const struct reader *reader);
void reader_fail(struct reader *reader);

uint8_t read_u8(struct reader *reader);
uint16_t read_u16_le(struct reader *reader);
uint32_t read_u32_le(struct reader *reader);
uint64_t read_u64_le(struct reader *reader);
uint16_t read_u16_be(struct reader *reader);
uint32_t read_u32_be(struct reader *reader);
uint64_t read_u64_be(struct reader *reader);
/* LEB128 as WebAssembly 2.0 section 5.2.2 has it: at most ceil(bits/7) bytes, unused bits a sign
 * extension (signed) or zero (unsigned). */
uint32_t read_leb_u32(struct reader *reader);
int32_t read_leb_i32(struct reader *reader);
int64_t read_leb_i33(struct reader *reader);
int64_t read_leb_i64(struct reader *reader);

/* `size` bytes, borrowed; empty after a failure. */
struct bytes read_bytes(struct reader *reader, size_t size);
/* Copies exactly `size` bytes; zeros after a failure. */
void read_into(struct reader *reader, void *target, size_t size);
/* All that is left. */
struct bytes read_rest(struct reader *reader);
void read_skip(struct reader *reader, size_t size);
/* Checks a count already read: fails the reader and returns 0 when it is above `max` or when
 * count x size_each can't be there any more. */
size_t read_count(struct reader *reader, uint64_t count, size_t max, size_t size_each);
/* True when nothing failed and nothing is left. */
MUST_CHECK bool read_end(const struct reader *reader);

#endif
