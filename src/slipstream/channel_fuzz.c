/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker may have written into the channel, the answers of a lane
 * and of its ring, and into a mailbox's header. */
#include "fuzz/fuzz.h"
#include "slipstream/channel.h"

#include <string.h>

enum {
    CHANNEL_SIZE = 2 << 20,
    LANES_SIZE = 36864, /* of what stands before the lanes' own parts */
    STATION_SIZE = 8192
};

void fuzz_one(struct bytes input)
{
    static _Alignas(64) uint8_t memory[CHANNEL_SIZE];
    struct channel channel = { .memory = memory,
                               .size = sizeof(memory),
                               .shape = { 2, 2, STATION_SIZE } };
    struct bytes header = bytes_part(input, 0, sizeof(struct mailbox));
    struct bytes rest = bytes_part(input, header.size, input.size);
    struct bytes lane = bytes_part(rest, 0, sizeof(struct channel_lane));
    struct bytes ring = bytes_part(rest, lane.size, sizeof(struct batch));
    struct mailbox *mailbox = (struct mailbox *)(void *)channel_station(&channel, 1, 1);
    memset(memory, 0, LANES_SIZE);
    memset(channel_batch(&channel, 1), 0, channel_window_size(&channel));
    memset(channel_call(&channel, 1), 0, sizeof(struct channel_call));
    if (lane.size > 0)
        memcpy(channel_lane(&channel, 1), lane.data, MIN(lane.size, sizeof(struct channel_lane)));
    if (ring.size > 0)
        memcpy(channel_batch(&channel, 1), ring.data, MIN(ring.size, sizeof(struct batch)));
    if (header.size > 0)
        memcpy(mailbox, header.data, header.size);

    struct bytes call = bytes_part(rest, 0, sizeof(struct channel_call));
    struct channel_call_seen seen;
    uint32_t answer_size;
    if (call.size > 0)
        memcpy(channel_call(&channel, 1), call.data, call.size);
    if (channel_call_look(&channel, 1, 7, &seen))
        ASSERT(seen.size <= CALL_AREA_SIZE && seen.number != 7);
    if (channel_call_answer(&channel, 1, &answer_size))
        ASSERT(answer_size > 0 && answer_size <= CALL_AREA_SIZE);

    for (uint32_t sequence = 0; sequence < 2 * BATCH_ENTRY_COUNT; sequence++) {
        for (unsigned is_direct = 0; is_direct < 2; is_direct++) {
            struct outcome outcome = { 0 };
            (void)channel_answer(&channel, 1, sequence, is_direct != 0, &outcome);
            ASSERT(outcome.kind <= OUTCOME_CRASHED && outcome.reason < TRAP_COUNT);
        }
    }
    const struct mailbox_area *areas[] = { &mailbox->arguments, &mailbox->input, &mailbox->output,
                                           &mailbox->errors,    &mailbox->calls, &mailbox->foretold,
                                           &mailbox->made };
    for (unsigned i = 0; i < ARRAY_COUNT(areas); i++) {
        struct bytes view;
        if (!mailbox_area_view(mailbox, STATION_SIZE, areas[i], &view))
            continue;
        const uint8_t *start = (const uint8_t *)mailbox;
        ASSERT(view.data >= start + sizeof(struct mailbox));
        ASSERT(view.size <= STATION_SIZE && view.data + view.size <= start + STATION_SIZE);
    }
    struct error error;
    (void)!mailbox_check_quiet(mailbox, STATION_SIZE, &error);
}
