/* SPDX-License-Identifier: Apache-2.0 */
/* Checked access to linear memory for imports.  Every address and size comes from the module; all
 * accesses are little-endian and may be unaligned. */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "abi/instance.h"

/* True and *at set when [address, address + size) lies in linear memory.  *at may be the null
 * pointer: in a micro-VM linear memory starts at address 0. */
MUST_CHECK bool memory_range(const struct instance *instance, uint64_t address, uint64_t size,
                             uint8_t **at);
MUST_CHECK bool memory_store_u32(const struct instance *instance, uint64_t address,
                                 uint32_t number);
MUST_CHECK bool memory_store_u64(const struct instance *instance, uint64_t address,
                                 uint64_t number);

/* For ranges that are checked already. */
uint16_t load_u16(const uint8_t *at);
uint32_t load_u32(const uint8_t *at);
uint64_t load_u64(const uint8_t *at);
void store_u16(uint8_t *at, uint16_t number);
void store_u32(uint8_t *at, uint32_t number);
void store_u64(uint8_t *at, uint64_t number);

/* Like memcpy, memmove and memset, by one string instruction; null pointers are addresses here. */
void copy_bytes(void *to, const void *from, uint64_t size);
void move_bytes(void *to, const void *from, uint64_t size);
void fill_bytes(void *to, uint8_t byte, uint64_t size);

#endif
