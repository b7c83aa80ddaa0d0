/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/channel.h"

#include "abi/layout.h"
#include "core/checked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct channel_slot) == 64, "a cache line each");
_Static_assert(CHANNEL_RING_COUNT >= CHANNEL_SLOTS_MAX, "every slot may be done at once");
_Static_assert((CHANNEL_RING_COUNT & (CHANNEL_RING_COUNT - 1)) == 0, "counts wrap around");

/* Fixed places before the mailboxes. */
enum {
    CHANNEL_SLOTS_AT = 64,
    CHANNEL_RING_AT = CHANNEL_SLOTS_AT + CHANNEL_SLOTS_MAX * 64,
    CHANNEL_MAILBOXES_AT = 16384
};

_Static_assert(CHANNEL_RING_AT + sizeof(struct channel_ring) <= CHANNEL_MAILBOXES_AT,
               "the ring fits before the mailboxes");

static bool channel_measure(struct channel *channel, uint32_t slot_count, uint64_t mailbox_size)
{
    if (slot_count == 0 || slot_count > CHANNEL_SLOTS_MAX || mailbox_size == 0 ||
        mailbox_size > LAYOUT_MAILBOX_SIZE_MAX || mailbox_size % LAYOUT_PAGE_SIZE != 0)
        return false;
    channel->slot_count = slot_count;
    channel->mailbox_size = mailbox_size;
    channel->size = CHANNEL_MAILBOXES_AT + slot_count * mailbox_size;
    return true;
}

static bool channel_attach(struct channel *channel, int descriptor, struct error *error)
{
    void *memory = mmap(NULL, channel->size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED)
        return error_system(error, "map the channel");
    channel->memory = memory;
    return true;
}

bool channel_make(struct channel *channel, int *descriptor, uint32_t slot_count,
                  uint64_t mailbox_size, struct error *error)
{
    struct channel made = { 0 };
    if (!channel_measure(&made, slot_count, mailbox_size))
        return error_set(error, ERROR_INVALID, "no channel has %u slots of %llu bytes", slot_count,
                         (unsigned long long)mailbox_size);
    int memory = memfd_create("s3n-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0)
        return error_system(error, "make channel memory");
    /* The peer must not shrink what we have mapped. */
    if (ftruncate(memory, (off_t)made.size) != 0 ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        error_system(error, "size channel memory");
        close(memory);
        return false;
    }
    if (!channel_attach(&made, memory, error)) {
        close(memory);
        return false;
    }
    struct channel_header header = { .magic = CHANNEL_MAGIC,
                                     .slot_count = slot_count,
                                     .mailbox_size = mailbox_size };
    memcpy(made.memory, &header, sizeof(header));
    *channel = made;
    *descriptor = memory;
    return true;
}

bool channel_map(struct channel *channel, int descriptor, struct error *error)
{
    struct channel_header header;
    struct channel mapped = { 0 };
    struct stat status;
    if (fstat(descriptor, &status) != 0 ||
        pread(descriptor, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return error_system(error, "read the channel's header");
    if (header.magic != CHANNEL_MAGIC ||
        !channel_measure(&mapped, header.slot_count, header.mailbox_size) ||
        (uint64_t)status.st_size != mapped.size)
        return error_set(error, ERROR_INVALID, "channel memory does not match its header");
    if (!channel_attach(&mapped, descriptor, error))
        return false;
    *channel = mapped;
    return true;
}

void channel_done(struct channel *channel)
{
    if (channel->memory != NULL)
        munmap(channel->memory, channel->size);
    *channel = (struct channel){ 0 };
}

struct channel_slot *channel_slot(const struct channel *channel, uint32_t slot)
{
    ASSERT(slot < channel->slot_count);
    return (struct channel_slot *)(void *)(channel->memory + CHANNEL_SLOTS_AT) + slot;
}

struct channel_ring *channel_ring(const struct channel *channel)
{
    return (struct channel_ring *)(void *)(channel->memory + CHANNEL_RING_AT);
}

uint8_t *channel_mailbox(const struct channel *channel, uint32_t slot)
{
    ASSERT(slot < channel->slot_count);
    return channel->memory + CHANNEL_MAILBOXES_AT + slot * channel->mailbox_size;
}

void channel_submit(const struct channel *channel, uint32_t index, uint32_t function,
                    uint64_t token)
{
    struct channel_slot *slot = channel_slot(channel, index);
    slot->function = function;
    slot->token = token;
    __atomic_add_fetch(&slot->submitted, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &slot->submitted, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool channel_wait(const struct channel *channel, uint32_t index, uint32_t *seen, uint32_t *function,
                  uint64_t *token, int timeout_ms)
{
    struct channel_slot *slot = channel_slot(channel, index);
    struct timespec timeout = { .tv_sec = timeout_ms / 1000,
                                .tv_nsec = timeout_ms % 1000 * 1000000L };
    uint32_t submitted;
    while ((submitted = __atomic_load_n(&slot->submitted, __ATOMIC_ACQUIRE)) == *seen) {
        long result = syscall(SYS_futex, &slot->submitted, FUTEX_WAIT, *seen,
                              timeout_ms < 0 ? NULL : &timeout, NULL, 0);
        if (result != 0 && errno == ETIMEDOUT)
            return false;
    }
    *seen = submitted;
    *function = __atomic_load_n(&slot->function, __ATOMIC_RELAXED);
    *token = __atomic_load_n(&slot->token, __ATOMIC_RELAXED);
    return true;
}

void channel_post(const struct channel *channel, const struct channel_completion *completion)
{
    struct channel_ring *ring = channel_ring(channel);
    uint32_t posted = __atomic_load_n(&ring->posted, __ATOMIC_RELAXED);
    ring->completions[posted % CHANNEL_RING_COUNT] = *completion;
    __atomic_store_n(&ring->posted, posted + 1, __ATOMIC_RELEASE);
}

/* A copy that the worker made, turned into an outcome or into CRASHED. */
static struct outcome outcome_of(const struct channel_completion *completion)
{
    if (completion->kind > OUTCOME_CRASHED || completion->reason >= TRAP_COUNT)
        return (struct outcome){ .kind = OUTCOME_CRASHED };
    return (struct outcome){
        .kind = (enum outcome_kind)completion->kind,
        .exit_code = completion->exit_code,
        .reason = (enum trap_reason)completion->reason,
        .has_function = completion->has_function != 0,
        .function_index = completion->function_index,
        .wasm_offset = completion->wasm_offset,
        .duration_ns = completion->duration_ns,
        .memory_size = completion->memory_size,
        .exit_count = completion->exit_count,
        .has_fuel = completion->has_fuel != 0,
        .fuel = completion->fuel,
    };
}

bool channel_take(const struct channel *channel, uint32_t *taken, uint32_t *slot, uint64_t *token,
                  struct outcome *outcome)
{
    const struct channel_ring *ring = channel_ring(channel);
    uint32_t posted = __atomic_load_n(&ring->posted, __ATOMIC_ACQUIRE);
    struct channel_completion copy;
    if (posted == *taken)
        return false;
    /* One copy, which the compiler may not make twice. */
    memcpy(&copy, &ring->completions[*taken % CHANNEL_RING_COUNT], sizeof(copy));
    __asm__ volatile("" : : "r"(&copy) : "memory");
    *slot = UINT32_MAX;
    *token = copy.token;
    *outcome = (struct outcome){ .kind = OUTCOME_CRASHED };
    if (posted - *taken > CHANNEL_RING_COUNT) {
        *taken = posted;
        return true;
    }
    ++*taken;
    if (copy.slot < channel->slot_count) {
        *slot = copy.slot;
        *outcome = outcome_of(&copy);
    }
    return true;
}
