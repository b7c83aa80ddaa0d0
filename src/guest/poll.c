/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as imports, and waiting. */
#include "guest/clock.h"
#include "guest/errno.h"
#include "guest/memory.h"
#include "guest/node.h"
#include "guest/stdio.h"
#include "guest/wasi.h"

enum {
    SUBSCRIPTION_SIZE = 48,
    EVENT_SIZE = 32,
    EVENT_HANGUP = 1,
    CLOCK_ABSOLUTE = 1
};

enum subscription_kind {
    SUBSCRIPTION_CLOCK,
    SUBSCRIPTION_READ,
    SUBSCRIPTION_WRITE
};

void wasi_clock_res_get(struct instance *instance, uint64_t *slots)
{
    if ((uint32_t)slots[0] >= CLOCK_ID_COUNT)
        slots[0] = WASI_INVAL;
    else
        slots[0] = memory_store_u64(instance, (uint32_t)slots[1], clock_resolution_ns())
                       ? WASI_SUCCESS
                       : WASI_FAULT;
}

void wasi_clock_time_get(struct instance *instance, uint64_t *slots)
{
    uint32_t id = (uint32_t)slots[0];
    if (id >= CLOCK_ID_COUNT)
        slots[0] = WASI_INVAL;
    else
        slots[0] = memory_store_u64(instance, (uint32_t)slots[2], clock_read_ns((enum clock_id)id))
                       ? WASI_SUCCESS
                       : WASI_FAULT;
}

void wasi_sched_yield(struct instance *instance UNUSED, uint64_t *slots)
{
    slots[0] = WASI_SUCCESS;
}

/* One subscription, copied out: the events may overwrite it. */
struct subscription {
    uint64_t user;
    uint64_t timeout_ns; /* clocks: on the clock's own scale, always absolute */
    uint32_t id;         /* clock or descriptor */
    uint8_t kind;        /* enum subscription_kind */
};

static struct subscription subscription_load(const uint8_t *at, const uint64_t *now_ns)
{
    struct subscription subscription = { .user = load_u64(at),
                                         .kind = at[8],
                                         .id = load_u32(at + 16) };
    if (subscription.kind == SUBSCRIPTION_CLOCK) {
        subscription.timeout_ns = load_u64(at + 24);
        bool absolute = (load_u16(at + 40) & CLOCK_ABSOLUTE) != 0;
        if (!absolute && subscription.id < CLOCK_ID_COUNT &&
            __builtin_add_overflow(subscription.timeout_ns, now_ns[subscription.id],
                                   &subscription.timeout_ns))
            subscription.timeout_ns = UINT64_MAX;
    }
    return subscription;
}

/* Whether the subscription has something to say now; *left_ns says how long to wait otherwise. */
static bool subscription_ready(const struct subscription *subscription, const uint64_t *now_ns,
                               uint64_t *left_ns)
{
    if (subscription->kind != SUBSCRIPTION_CLOCK || subscription->id >= CLOCK_ID_COUNT)
        return true;
    uint64_t now = now_ns[subscription->id];
    *left_ns = subscription->timeout_ns > now ? subscription->timeout_ns - now : 0;
    return *left_ns == 0;
}

/* Files are always ready; so is all that is wrong. */
static enum wasi_errno event_read(const struct descriptor *descriptor, uint64_t *size,
                                  uint16_t *flags)
{
    if (descriptor->kind == DESCRIPTOR_OUTPUT || descriptor->kind == DESCRIPTOR_ERRORS)
        return WASI_BADF;
    if ((descriptor->rights & WASI_RIGHT_POLL) == 0 || (descriptor->rights & WASI_RIGHT_READ) == 0)
        return WASI_NOTCAPABLE;
    if (descriptor->kind == DESCRIPTOR_FILE) {
        uint64_t end = node_facts(descriptor->node).size;
        *size = end > descriptor->offset ? end - descriptor->offset : 0;
        return WASI_SUCCESS;
    }
    *size = stdio_input_left();
    *flags = *size == 0 && (guest.control->flags & CONTROL_STREAMING) == 0 ? EVENT_HANGUP : 0;
    return WASI_SUCCESS;
}

static enum wasi_errno event_write(const struct descriptor *descriptor, uint64_t *size)
{
    if (descriptor->kind == DESCRIPTOR_INPUT)
        return WASI_BADF;
    if ((descriptor->rights & WASI_RIGHT_POLL) == 0 || (descriptor->rights & WASI_RIGHT_WRITE) == 0)
        return WASI_NOTCAPABLE;
    *size = 4096;
    return WASI_SUCCESS;
}

static void event_store(uint8_t *event, const struct subscription *subscription)
{
    const struct descriptor *descriptor = NULL;
    enum wasi_errno error = WASI_SUCCESS;
    uint64_t size = 0;
    uint16_t flags = 0;
    if (subscription->kind == SUBSCRIPTION_READ || subscription->kind == SUBSCRIPTION_WRITE) {
        descriptor = descriptor_at(subscription->id);
        error = descriptor == NULL                        ? WASI_BADF
                : subscription->kind == SUBSCRIPTION_READ ? event_read(descriptor, &size, &flags)
                                                          : event_write(descriptor, &size);
    } else if (subscription->kind != SUBSCRIPTION_CLOCK || subscription->id >= CLOCK_ID_COUNT) {
        error = WASI_INVAL;
    }
    fill_bytes(event, 0, EVENT_SIZE);
    store_u64(event, subscription->user);
    store_u16(event + 8, (uint16_t)error);
    event[10] = subscription->kind;
    if (descriptor != NULL && error == WASI_SUCCESS) {
        store_u64(event + 16, size);
        store_u16(event + 24, flags);
    }
}

static void clocks_read(uint64_t *now_ns)
{
    for (unsigned id = 0; id < CLOCK_ID_COUNT; id++)
        now_ns[id] = clock_now_ns((enum clock_id)id);
}

/* One pass over all subscriptions; events are written only from `collect` on.  Returns how many are
 * ready, and the shortest wait among those that are not. */
static uint32_t poll_pass(const uint8_t *subscriptions, uint32_t count, const uint64_t *base_ns,
                          uint8_t *events, uint64_t *wait_ns)
{
    uint64_t now_ns[CLOCK_ID_COUNT];
    uint32_t ready = 0;
    clocks_read(now_ns);
    *wait_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct subscription subscription =
            subscription_load(subscriptions + (uint64_t)i * SUBSCRIPTION_SIZE, base_ns);
        uint64_t left_ns = 0;
        if (!subscription_ready(&subscription, now_ns, &left_ns))
            *wait_ns = MIN(*wait_ns, left_ns);
        else if (events != NULL)
            event_store(events + (uint64_t)ready++ * EVENT_SIZE, &subscription);
        else
            ready++;
    }
    return ready;
}

void wasi_poll_oneoff(struct instance *instance, uint64_t *slots)
{
    uint32_t count = (uint32_t)slots[2];
    uint64_t base_ns[CLOCK_ID_COUNT], wait_ns;
    uint8_t *subscriptions, *events;
    if (count == 0) {
        slots[0] = WASI_INVAL;
        return;
    }
    if (!memory_range(instance, (uint32_t)slots[0], (uint64_t)count * SUBSCRIPTION_SIZE,
                      &subscriptions) ||
        !memory_range(instance, (uint32_t)slots[1], (uint64_t)count * EVENT_SIZE, &events)) {
        slots[0] = WASI_FAULT;
        return;
    }
    clocks_read(base_ns);
    while (poll_pass(subscriptions, count, base_ns, NULL, &wait_ns) == 0)
        guest_leave(GUEST_EXIT_SLEEP, wait_ns, 0);
    uint32_t ready = poll_pass(subscriptions, count, base_ns, events, &wait_ns);
    slots[0] = memory_store_u32(instance, (uint32_t)slots[3], ready) ? WASI_SUCCESS : WASI_FAULT;
}
