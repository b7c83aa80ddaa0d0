/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(struct buffer *buffer, size_t size_max)
{
    *buffer = (struct buffer){ .size_max = size_max };
}

void buffer_done(struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    free(buffer->data);
    *buffer = (struct buffer){ .size_max = buffer->size_max };
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    if (size > buffer->size_max - buffer->size) {
        buffer->failed = true;
        return NULL;
    }
    size_t needs = buffer->size + size;
    if (needs > buffer->capacity || buffer->data == NULL) {
        size_t capacity = MAX((size_t)BUFFER_CAPACITY_MIN, buffer->capacity + buffer->capacity / 2);
        capacity = MAX(needs, MIN(capacity, buffer->size_max));
        uint8_t *data = realloc(buffer->data, capacity == 0 ? 1 : capacity);
        if (data == NULL) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void buffer_append(struct buffer *buffer, struct bytes bytes)
{
    if (bytes.size == 0)
        return;
    uint8_t *room = buffer_reserve(buffer, bytes.size);
    if (room == NULL)
        return;
    memcpy(room, bytes.data, bytes.size);
    buffer->size += bytes.size;
}

void buffer_append_string(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_of_string(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    char small[256];
    va_start(arguments, format);
    int size = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (size < 0) {
        buffer->failed = true;
        return;
    }
    if ((size_t)size < sizeof(small)) {
        buffer_append(buffer, bytes_of(small, (size_t)size));
        return;
    }
    /* vsnprintf wants room for its NUL, which may be one byte above the limit. */
    char *large = (size_t)size > buffer->size_max ? NULL : malloc((size_t)size + 1);
    if (large == NULL) {
        buffer->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(large, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer_append(buffer, bytes_of(large, (size_t)size));
    free(large);
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    ASSERT(size <= buffer->size);
    if (size > 0)
        memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

struct bytes buffer_view(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->size);
}
