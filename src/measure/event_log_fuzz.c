/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event log, in all forms. */
#include "fuzz/fuzz.h"
#include "measure/event_log.h"

#include <string.h>

static void look(void *context UNUSED, const struct measured_event *event)
{
    ASSERT(event->rtmr < RTMR_COUNT && memchr(event->text, 0, sizeof(event->text)) != NULL);
}

void fuzz_one(struct bytes input)
{
    struct error error;
    struct event_replay replay = { .on_event = look };
    (void)!event_log_replay_ccel(&replay, input, &error);
    (void)!event_log_replay_dstack(&replay, input, &error);
    (void)!event_log_replay_s3n(&replay, input, &error);
}
