/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow, up to a limit.  The first append that does not fit fails the buffer for good:
 * later appends do nothing and one check at the end suffices. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "core/bytes.h"

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_done(struct buffer *buffer);
/* For AUTO(buffer) on an embedded struct: `AUTO_BUFFER struct buffer b;` */
#define AUTO_BUFFER __attribute__((cleanup(buffer_done)))

void buffer_append(struct buffer *buffer, struct bytes bytes);
void buffer_append_string(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for `size` more bytes at data + size without changing size; NULL after a failure. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
/* Drops the first `size` bytes. */
void buffer_consume(struct buffer *buffer, size_t size);
/* size = 0, memory kept, failure forgotten. */
void buffer_clear(struct buffer *buffer);
struct bytes buffer_view(const struct buffer *buffer);

#endif
