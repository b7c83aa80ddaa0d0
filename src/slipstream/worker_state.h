/* SPDX-License-Identifier: Apache-2.0 */
/* What the server knows of a slipstream process; shared by worker.c (lanes and slots) and
 * worker_requests.c (the control socket). */
#ifndef SLIPSTREAM_WORKER_STATE_H
#define SLIPSTREAM_WORKER_STATE_H

#include "base/ipc.h"
#include "slipstream/channel.h"
#include "slipstream/lane.h"
#include "slipstream/worker.h"

enum slot_state {
    SLOT_FREE,
    SLOT_ACQUIRED,
    SLOT_RUNNING, /* or waiting on its lane */
    SLOT_PARKED,  /* given back: waits for a lane */
    SLOT_DONE
};

enum {
    STATION_NONE = UINT32_MAX,
    WORKER_ASKED_MAX = 4
};

struct worker_slot {
    enum slot_state state;
    uint32_t function;
    uint32_t lane_max;
    uint32_t request_size; /* strings and input end here in the mailbox */
    uint64_t token;
};

struct worker_lane {
    bool is_used;      /* it has run something */
    uint32_t function; /* that it ran last, or runs */
    uint32_t submitted;
    uint32_t first;                       /* the oldest without an answer */
    uint32_t load;                        /* acquired or under way */
    uint64_t moved_ns;                    /* when it last got further */
    uint32_t stations[BATCH_ENTRY_COUNT]; /* by sequence; STATION_NONE: answered */
    uint32_t call_seen;                   /* the last host call that was taken */
};

/* What is known of a function that was loaded. */
struct worker_function {
    uint32_t function;
    bool is_direct;
    bool is_isolated; /* nothing that it may have written is left */
    uint64_t mean_ns; /* of its invocations, lately; 0: not known */
};

struct worker {
    struct ipc *ipc;
    struct channel channel;
    int event;
    int answer_timeout_ms;
    bool is_lost;
    bool polls;
    uint16_t asked[WORKER_ASKED_MAX]; /* requests without an answer, the oldest first */
    uint32_t asked_count;
    uint32_t ready_count; /* lanes that shall be ready; 0: nothing was said of it */
    uint32_t ready_told;
    struct worker_profile profile;
    uint8_t *requests; /* the last host call's copy, CALL_AREA_SIZE; NULL: there was none yet */
    uint32_t core_count;
    uint32_t running_count;
    uint32_t parked_count;
    uint32_t function_count;
    struct worker_function functions[LIBRARY_FUNCTIONS_MAX];
    struct worker_lane lanes[CHANNEL_LANES_MAX];
    struct worker_slot slots[CHANNEL_SLOTS_MAX];
};

/* NULL: it was not loaded. */
struct worker_function *worker_function_find(struct worker *worker, uint32_t function);

#endif
