/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs of a trust domain, replayed to the run-time measurement registers they explain.
 *
 *     RTMR = SHA-384(RTMR || digest), from 48 zeros
 *
 * `ccel`: the TCG log of ACPI table CCEL (TCG PC Client Platform Firmware Profile, crypto-agile
 * format; register 1 is RTMR0).  `dstack`: JSON array of {imr, event_type, digest, event,
 * event_payload}.  `s3n`: a node's own log (attest/events/events.h), which extends RTMR3 alone.  A
 * log is believed as far as its registers equal those of evidence; what an event *says* is believed
 * only where its digest is that of what it says. */
#ifndef MEASURE_EVENT_LOG_H
#define MEASURE_EVENT_LOG_H

#include "crypto/hash.h"
#include "measure/limits.h"

enum {
    RTMR_COUNT = 4
};

/* What an event's digest was found to be of. */
enum event_digest {
    EVENT_DIGEST_OTHER,   /* of something that is not in the log: a file, an image */
    EVENT_DIGEST_DATA,    /* of the event's data */
    EVENT_DIGEST_CONTENT, /* of a part of it: a variable's content, text without its end */
};

struct measured_event {
    unsigned rtmr;
    uint32_t type;
    const char *type_name; /* "EV_SEPARATOR"; "unknown" */
    struct digest48 digest;
    enum event_digest digest_of;
    char text[EVENT_TEXT_SIZE]; /* what it says, printable */
};

struct event_replay {
    struct digest48 rtmr[RTMR_COUNT];
    size_t event_count; /* that were extended */
    size_t size_used;   /* of the log; behind it is padding */
    /* Called for each; may be NULL. */
    void (*on_event)(void *context, const struct measured_event *event);
    void *context;
};

/* INVALID for a log that is cut, has no SHA-384 digests or names a register that there is not. */
MUST_CHECK bool event_log_replay_ccel(struct event_replay *replay, struct bytes log,
                                      struct error *error);
/* The same; a run-time event (imr 3) whose digest is not that of what it says is INVALID too. */
MUST_CHECK bool event_log_replay_dstack(struct event_replay *replay, struct bytes log,
                                        struct error *error);
/* The same; INVALID too when entries are missing, swapped or not in their one form. */
MUST_CHECK bool event_log_replay_s3n(struct event_replay *replay, struct bytes log,
                                     struct error *error);
/* One step. */
void rtmr_extend(struct digest48 *rtmr, const struct digest48 *digest);
const char *event_digest_name(enum event_digest digest_of);

#endif
