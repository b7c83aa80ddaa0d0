/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker may have written into the channel, from the completion ring on, and into its
 * mailbox's header. */
#include "fuzz/fuzz.h"
#include "slipstream/channel.h"

#include <string.h>

enum {
    CHANNEL_SIZE = 32768,
    MAILBOX_SIZE = 8192
};

void fuzz_one(struct bytes input)
{
    static _Alignas(64) uint8_t memory[CHANNEL_SIZE];
    struct channel channel = {
        .memory = memory, .size = sizeof(memory), .slot_count = 2, .mailbox_size = MAILBOX_SIZE
    };
    struct bytes header = bytes_part(input, 0, sizeof(struct mailbox));
    struct bytes ring = bytes_part(input, header.size, sizeof(struct channel_ring));
    struct mailbox *mailbox = (struct mailbox *)(void *)channel_mailbox(&channel, 1);
    memset(memory, 0, sizeof(memory));
    if (ring.size > 0)
        memcpy(channel_ring(&channel), ring.data, ring.size);
    if (header.size > 0)
        memcpy(mailbox, header.data, header.size);

    uint32_t taken = 0, slot;
    uint64_t token;
    struct outcome outcome;
    for (unsigned i = 0; channel_take(&channel, &taken, &slot, &token, &outcome); i++) {
        ASSERT(i <= CHANNEL_RING_COUNT && (slot < 2 || slot == UINT32_MAX));
        ASSERT(outcome.kind <= OUTCOME_CRASHED && outcome.reason < TRAP_COUNT);
    }
    const struct mailbox_area *areas[] = { &mailbox->arguments, &mailbox->input, &mailbox->output,
                                           &mailbox->errors };
    for (unsigned i = 0; i < ARRAY_COUNT(areas); i++) {
        struct bytes view;
        if (!mailbox_area_view(mailbox, MAILBOX_SIZE, areas[i], &view))
            continue;
        const uint8_t *start = (const uint8_t *)mailbox;
        ASSERT(view.data >= start && view.data + view.size <= start + MAILBOX_SIZE);
    }
}
