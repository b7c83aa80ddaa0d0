/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that a server and its slipstream process share: lanes, each a ring of invocations of
 * one version (abi/batch.h) with its stations, and what both sides say about a lane where no guest
 * can write it.
 *
 * A lane is served by one micro-VM at a time, which maps its ring and stations.  Functions whose
 * VMM resets them after each invocation are answered in the lane's own answer, out of the guest's
 * reach; others in the ring.  Both sides treat what the other can write like wire input: they copy
 * it, check the copy, use the copy.  Waiting and waking go through futexes in here. */
#ifndef SLIPSTREAM_CHANNEL_H
#define SLIPSTREAM_CHANNEL_H

#include "abi/batch.h"
#include "abi/call.h"
#include "base/error.h"
#include "slipstream/engine.h"

enum {
    CHANNEL_MAGIC = 0x33434e33, /* "3NC3" */
    CHANNEL_LANES_MAX = 64,
    CHANNEL_STATIONS_MAX = BATCH_ENTRY_COUNT,
    CHANNEL_SLOTS_MAX = 1024 /* stations of all lanes */
};

/* What stands before each lane's window, where no guest can write: the host call that its cell
 * waits for (abi/call.h), one at a time.  Requests and answers have a page-aligned area each. */
struct channel_call {
    /* By the cell. */
    uint32_t posted;   /* number of the call; 0: none yet */
    uint32_t sequence; /* the lane's invocation that asks */
    uint32_t size;     /* of the requests */
    uint32_t sleeps;   /* it waits for `answered` to change */
    uint32_t unused[12];
    /* By the server. */
    uint32_t answered;    /* number of the call that the answers are for; the futex */
    uint32_t answer_size; /* 0: refused */
};

struct channel_shape {
    uint32_t lane_count;
    uint32_t station_count; /* of each lane */
    uint64_t station_size;
};

struct channel_header {
    uint32_t magic;
    uint32_t lane_count;
    uint32_t station_count;
    uint32_t reserved;
    uint64_t station_size;
    uint8_t unused[40];
    uint32_t polls; /* by the server: it looks at answers without being woken */
    uint32_t core;  /* by the server: where it ran last (channel_core) */
};

struct channel_lane {
    /* By the server. */
    uint32_t submitted; /* entries ever handed over; the futex */
    uint32_t unused[15];
    uint32_t functions[BATCH_ENTRY_COUNT]; /* by sequence */
    /* By the worker. */
    uint32_t sleeps;  /* it waits for `submitted` to change */
    uint32_t handled; /* of its invocations have ended, whatever guests wrote over their answers */
    uint32_t core;    /* where its cell ran last (channel_core) */
    uint32_t unused_worker[13];
    struct batch_entry answer; /* the latest, by the worker alone; only the answer's half */
};

/* One side's mapping. */
struct channel {
    uint8_t *memory;
    size_t size;
    struct channel_shape shape;
};

/* Makes the memory: a memfd of fixed size. */
MUST_CHECK bool channel_make(struct channel *channel, int *descriptor,
                             const struct channel_shape *shape, struct error *error);
/* Maps memory that the other side made, after checking its size against its header. */
MUST_CHECK bool channel_map(struct channel *channel, int descriptor, struct error *error);
void channel_done(struct channel *channel);
/* The most stations of this size that a lane can have. */
uint32_t channel_station_count_max(uint64_t station_size);

/* The caller's core, plus one.  Hints for who might watch: two that share a core had better sleep,
 * since one of them runs only while the other does not. */
uint32_t channel_core(void);

struct channel_header *channel_header(const struct channel *channel);
struct channel_lane *channel_lane(const struct channel *channel, uint32_t lane);
/* What a lane's micro-VM maps: struct batch, then the stations. */
struct batch *channel_batch(const struct channel *channel, uint32_t lane);
uint64_t channel_window_size(const struct channel *channel);
/* All that is a lane's alone: call slot, then window. */
uint8_t *channel_lane_part(const struct channel *channel, uint32_t lane, uint64_t *size);
uint8_t *channel_station(const struct channel *channel, uint32_t lane, uint32_t station);

/* Server: hands over the lane's invocation number `sequence`; one after the other. */
struct channel_submission {
    uint32_t sequence;
    uint32_t function;
    uint32_t station;
    uint8_t seed[32];
};
void channel_submit(const struct channel *channel, uint32_t lane,
                    const struct channel_submission *submission);
/* Server: how invocation `sequence` ended, copied and checked; what can't be right is CRASHED.
 * `is_direct`: only the worker's own word counts. */
enum channel_answer {
    CHANNEL_ANSWER_NONE,
    CHANNEL_ANSWER_DONE,
    CHANNEL_ANSWER_RETURNED /* not begun */
};
enum channel_answer channel_answer(const struct channel *channel, uint32_t lane, uint32_t sequence,
                                   bool is_direct, struct outcome *outcome);

struct channel_call *channel_call(const struct channel *channel, uint32_t lane);
uint8_t *channel_call_requests(const struct channel *channel, uint32_t lane); /* CALL_AREA_SIZE */
uint8_t *channel_call_answers(const struct channel *channel, uint32_t lane);  /* the same */
/* Cell: hands over the first `size` bytes of the requests; returns the call's number. */
uint32_t channel_call_post(const struct channel *channel, uint32_t lane, uint32_t sequence,
                           uint32_t size);
struct desk_wait;
/* Cell: false when the time is up. */
MUST_CHECK bool channel_call_wait(const struct channel *channel, uint32_t lane, uint32_t number,
                                  const struct desk_wait *wait);
/* Cell, after waiting: bytes of answers; false: refused. */
MUST_CHECK bool channel_call_answer(const struct channel *channel, uint32_t lane, uint32_t *size);
/* Server: a call that is not `seen`: its number, invocation and size, copied and bounded. */
struct channel_call_seen {
    uint32_t number;
    uint32_t sequence;
    uint32_t size;
};
MUST_CHECK bool channel_call_look(const struct channel *channel, uint32_t lane, uint32_t seen,
                                  struct channel_call_seen *call);
/* Server: answers call `number`; no answers: refused. */
void channel_call_reply(const struct channel *channel, uint32_t lane, uint32_t number,
                        struct bytes answers);

/* Worker: waits until more than `handled` were submitted; false after `timeout_ms` (-1: never). */
bool channel_wait(const struct channel *channel, uint32_t lane, uint32_t handled, int timeout_ms);
/* Worker: whose invocation `sequence` is. */
uint32_t channel_function(const struct channel *channel, uint32_t lane, uint32_t sequence);
uint32_t channel_submitted(const struct channel *channel, uint32_t lane);
/* Worker: all before `handled` have ended. */
void channel_set_handled(const struct channel *channel, uint32_t lane, uint32_t handled);
/* Worker, while the lane's guest is out: answers, or gives back (outcome NULL). */
void channel_post(const struct channel *channel, uint32_t lane, uint32_t sequence,
                  const struct outcome *outcome);

#endif
