/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as S3N's event log: what is read can be written again, byte for byte. */
#include "attest/events/events.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct events_replay replay;
    struct event event;
    bool is_over = false;
    size_t before = 0;
    events_begin(&replay, input);
    while (events_next(&replay, &event, &is_over, &error) && !is_over) {
        uint8_t room[EVENT_SIZE_MAX + 1];
        struct writer writer = writer_into(room, sizeof(room));
        struct bytes value;
        ASSERT(event_write(&writer, &event, &error));
        ASSERT(bytes_equal(writer_view(&writer), bytes_part(input, before, replay.size - before)));
        (void)!event_detail(event.details, "version", &value);
        before = replay.size;
    }
    ASSERT(is_over == (replay.reason == EVENTS_REASON_NONE));
    struct events_verdict verdict;
    struct events_expected expected = { .count = replay.count, .head = replay.head };
    ASSERT(events_verify(&verdict, bytes_part(input, 0, replay.size), &expected, &error));
}
