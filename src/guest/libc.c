/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that a freestanding compiler may call by itself. */
#include "guest/memory.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_bytes(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    move_bytes(to, from, size);
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    fill_bytes(to, (uint8_t)byte, size);
    return to;
}
