/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/native.h"

#include "guest/calls.h"
#include "guest/clock.h"
#include "guest/hash.h"
#include "guest/random.h"
#include "guest/stdio.h"

typedef uint64_t native_entry(const struct native_services *services, uint32_t phase);

static struct native_services services;

static uint64_t native_grow(uint64_t heap_size)
{
    struct instance *instance = guest.instance;
    uint64_t limit = MIN(instance->memory_limit, instance->memory_size_max);
    if (heap_size > limit || heap_size + NATIVE_GUARD_SIZE > limit)
        return 0;
    uint64_t size = (heap_size + NATIVE_GUARD_SIZE + LAYOUT_WASM_PAGE_SIZE - 1) &
                    ~(LAYOUT_WASM_PAGE_SIZE - 1ull);
    if (size > limit)
        return 0;
    if (size <= instance->memory_size)
        return 1;
    if (guest_leave(GUEST_EXIT_GROW, size, instance->memory_base) != 1)
        return 0;
    instance->memory_size = size;
    return 1;
}

static void native_log(const void *text, uint64_t size)
{
    stdio_write(DESCRIPTOR_ERRORS, text, size);
}

static void native_random(void *target, uint64_t size)
{
    random_refresh(guest.control->seed);
    random_fill(target, size);
}

static uint64_t native_clock_ns(uint32_t clock)
{
    return clock_read_ns(clock == 0 ? CLOCK_ID_REALTIME : CLOCK_ID_MONOTONIC);
}

static int64_t native_call(const void *requests, uint64_t size, void *answers, uint64_t capacity)
{
    return calls_batch(requests, size, answers, capacity);
}

static int64_t native_rest(uint32_t index, uint64_t offset, void *target, uint64_t capacity)
{
    return calls_rest(index, offset, target, capacity);
}

static int64_t native_hash(uint32_t algorithm, const void *data, uint64_t size, void *digest)
{
    uint64_t digest_size = hash_size(algorithm);
    calls_rewind();
    if (digest_size == 0)
        return calls_fail(CALL_ERROR_UNSUPPORTED, "there is no hash of this number");
    hash_of((enum hash_algorithm)algorithm, data, size, digest);
    return (int64_t)digest_size;
}

static int64_t native_error_message(void *target, uint64_t capacity)
{
    return calls_error_message(target, capacity);
}

static int64_t native_log_level(uint32_t level, const void *text, uint64_t size)
{
    calls_rewind();
    return calls_log(level, text, size);
}

static NORETURN void native_exit(uint32_t code)
{
    guest_exit(code);
}

const struct native_services *native_services(enum native_phase phase)
{
    const struct instance *instance = guest.instance;
    struct mailbox_area input = guest.mailbox->input, output = guest.mailbox->output;
    services = (struct native_services){
        .version = NATIVE_VERSION,
        .size = sizeof(services),
        .heap = instance->memory_base + NATIVE_GUARD_SIZE,
        .heap_size = instance->memory_size - NATIVE_GUARD_SIZE,
        .heap_size_max = MIN(instance->memory_limit, instance->memory_size_max) - NATIVE_GUARD_SIZE,
        .grow = (uint64_t)native_grow,
        .log = (uint64_t)native_log,
        .random = (uint64_t)native_random,
        .clock_ns = (uint64_t)native_clock_ns,
        .exit = (uint64_t)native_exit,
        .call = (uint64_t)native_call,
        .rest = (uint64_t)native_rest,
        .hash = (uint64_t)native_hash,
        .error_message = (uint64_t)native_error_message,
        .log_level = (uint64_t)native_log_level,
    };
    if (phase == NATIVE_PHASE_INITIALISE)
        return &services;
    services.request = (uint64_t)guest.mailbox + input.offset;
    services.request_size = MIN(input.size, input.capacity);
    services.answer = (uint64_t)guest.mailbox + output.offset;
    services.answer_capacity = output.capacity;
    return &services;
}

void native_run(const struct control *control, enum native_phase phase)
{
    native_entry *entry = (native_entry *)control->code;
    uint64_t size = entry(native_services(phase), phase);
    struct mailbox_area *output = &guest.mailbox->output;
    if (phase == NATIVE_PHASE_INITIALISE)
        return;
    if (size > output->capacity) {
        guest_leave(GUEST_EXIT_LIMIT, 1, 0);
        __builtin_unreachable();
    }
    output->size = (uint32_t)size;
}
