/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/memory.h"

bool memory_range(const struct instance *instance, uint64_t address, uint64_t size, uint8_t **at)
{
    uint64_t limit = instance->memory_size;
    if (address > limit || size > limit - address)
        return false;
    *at = (uint8_t *)(instance->memory_base + address);
    return true;
}

bool memory_store_u32(const struct instance *instance, uint64_t address, uint32_t number)
{
    uint8_t *at;
    if (!memory_range(instance, address, sizeof(number), &at))
        return false;
    store_u32(at, number);
    return true;
}

bool memory_store_u64(const struct instance *instance, uint64_t address, uint64_t number)
{
    uint8_t *at;
    if (!memory_range(instance, address, sizeof(number), &at))
        return false;
    store_u64(at, number);
    return true;
}

/* One unaligned access each; a plain dereference would let the compiler assume alignment. */
#define UNALIGNED(type)                                                                            \
    struct unaligned_##type {                                                                      \
        type##_t number __attribute__((packed));                                                   \
    }
UNALIGNED(uint16);
UNALIGNED(uint32);
UNALIGNED(uint64);

uint16_t load_u16(const uint8_t *at)
{
    return ((const struct unaligned_uint16 *)at)->number;
}

uint32_t load_u32(const uint8_t *at)
{
    return ((const struct unaligned_uint32 *)at)->number;
}

uint64_t load_u64(const uint8_t *at)
{
    return ((const struct unaligned_uint64 *)at)->number;
}

void store_u16(uint8_t *at, uint16_t number)
{
    ((struct unaligned_uint16 *)at)->number = number;
}

void store_u32(uint8_t *at, uint32_t number)
{
    ((struct unaligned_uint32 *)at)->number = number;
}

void store_u64(uint8_t *at, uint64_t number)
{
    ((struct unaligned_uint64 *)at)->number = number;
}

void copy_bytes(void *to, const void *from, uint64_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

void move_bytes(void *to, const void *from, uint64_t size)
{
    if ((uint64_t)to - (uint64_t)from >= size) {
        copy_bytes(to, from, size);
        return;
    }
    /* Backwards string copies are slow byte loops in hardware; eight bytes at a time is not. */
    uint8_t *target = (uint8_t *)to;
    const uint8_t *source = (const uint8_t *)from;
    for (; size >= 8; size -= 8)
        store_u64(target + size - 8, load_u64(source + size - 8));
    while (size-- > 0)
        target[size] = source[size];
}

void fill_bytes(void *to, uint8_t byte, uint64_t size)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
}
