/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments, environment, random bytes and the end of the program. */
#include "guest/errno.h"
#include "guest/memory.h"
#include "guest/random.h"
#include "guest/wasi.h"

/* Count and total size of the strings of an area, for *_sizes_get. */
static void strings_sizes(const struct instance *instance, const struct mailbox_area *area,
                          uint64_t *slots)
{
    bool stored = memory_store_u32(instance, (uint32_t)slots[0], area->count) &&
                  memory_store_u32(instance, (uint32_t)slots[1], area->size);
    slots[0] = stored ? WASI_SUCCESS : WASI_FAULT;
}

/* The strings to slots[1], a pointer to each to slots[0]. */
static void strings_get(const struct instance *instance, const struct mailbox_area *area,
                        uint64_t *slots)
{
    const uint8_t *source = (const uint8_t *)guest.mailbox + area->offset;
    uint32_t address = (uint32_t)slots[1], count = area->count, size = area->size;
    uint8_t *pointers, *text;
    if (!memory_range(instance, (uint32_t)slots[0], (uint64_t)count * 4, &pointers) ||
        !memory_range(instance, address, size, &text)) {
        slots[0] = WASI_FAULT;
        return;
    }
    copy_bytes(text, source, size);
    uint32_t start = 0;
    for (uint32_t i = 0; i < count; i++) {
        store_u32(pointers + 4 * (uint64_t)i, address + start);
        while (start < size && source[start] != 0)
            start++;
        start++;
    }
    slots[0] = WASI_SUCCESS;
}

void wasi_args_sizes_get(struct instance *instance, uint64_t *slots)
{
    strings_sizes(instance, &guest.mailbox->arguments, slots);
}

void wasi_args_get(struct instance *instance, uint64_t *slots)
{
    strings_get(instance, &guest.mailbox->arguments, slots);
}

void wasi_environ_sizes_get(struct instance *instance, uint64_t *slots)
{
    strings_sizes(instance, &guest.mailbox->environment, slots);
}

void wasi_environ_get(struct instance *instance, uint64_t *slots)
{
    strings_get(instance, &guest.mailbox->environment, slots);
}

void wasi_random_get(struct instance *instance, uint64_t *slots)
{
    uint64_t size = (uint32_t)slots[1];
    uint8_t *at;
    if (!memory_range(instance, (uint32_t)slots[0], size, &at)) {
        slots[0] = WASI_FAULT;
        return;
    }
    random_refresh(guest.control->seed);
    random_fill(at, size);
    slots[0] = WASI_SUCCESS;
}

void wasi_proc_exit(struct instance *instance UNUSED, uint64_t *slots)
{
    guest_exit((uint32_t)slots[0]);
}
