/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls on their way out of a micro-VM (abi/call.h).
 *
 * Requests are copied once, out of all that the guest can write, then checked, then put to the
 * shell's desk: in a cell the call slot of its lane, which the server answers (channel.h); with
 * `s3n run` whoever runs it.  Answers are copied in only when they are whole.  A guest that changes
 * its requests meanwhile, or lies about them, gets what it deserves: an error, or an answer to what
 * was copied. */
#ifndef SLIPSTREAM_CALLS_H
#define SLIPSTREAM_CALLS_H

#include "abi/call.h"
#include "slipstream/backend.h"

struct channel;
struct run;

enum desk_end {
    DESK_ANSWERED,
    DESK_REFUSED, /* no list of requests, or nobody answers */
    DESK_TIMEOUT
};

/* How long somebody may wait. */
struct desk_wait {
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    /* Called once when it takes longer than SLICE_NS; NULL: of no interest. */
    void (*is_long)(void *context);
    void *context;
};

struct call_desk {
    uint8_t *requests; /* CALL_AREA_SIZE bytes, out of the guest's reach */
    uint8_t *answers;  /* the same */
    uint32_t sequence; /* of the lane's invocations: which one asks */
    /* Answers the first `size` bytes of `requests`. */
    enum desk_end (*ask)(struct call_desk *desk, uint32_t size, const struct desk_wait *wait,
                         uint32_t *answered);
    void *context;
    const struct channel *channel; /* of desk_of_lane */
    uint32_t lane;
    int event;
};

/* A cell's desk: the server, through the lane's call slot.  `event` is raised for it. */
struct call_desk desk_of_lane(const struct channel *channel, uint32_t lane, int event);
/* A desk for a shell that nobody answers for: every call is refused as UNAVAILABLE with
 * "NAME is not available `where`". */
struct call_desk desk_of_nobody(uint8_t *requests, uint8_t *answers, const char *where);

/* Where the shell's host calls go from now on; NULL: they are refused. */
void shell_use_desk(struct shell *shell, struct call_desk *desk);

/* GUEST_EXIT_CALL.  False: run->outcome is final. */
MUST_CHECK bool serve_call(struct run *run, const struct event *event, uint64_t *answer);

#endif
