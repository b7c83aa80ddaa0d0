/* SPDX-License-Identifier: Apache-2.0 */
/* The server's hand on one slipstream process (one application).
 *
 * Usage: spawn `slipstream --worker --control-fd 3` with one end of a stream socket pair as
 * descriptor 3 and give the other end to worker_open.  Load functions by id.  For each invocation
 * acquire a slot (a station of some lane, chosen so that short invocations share an entry), fill
 * its mailbox (mailbox_prepare), submit, watch worker_event in the loop, take completions, read the
 * mailbox (mailbox_area_view), release the slot.  Owns the socket, the channel, its descriptors.
 * Never blocks except in open, load, unload and close.  One thread. */
#ifndef SLIPSTREAM_WORKER_H
#define SLIPSTREAM_WORKER_H

#include "base/error.h"
#include "slipstream/engine.h"
#include "slipstream/profile.h"

struct worker;

struct worker_options {
    uint32_t lane_count;    /* micro-VMs at a time, at most CHANNEL_LANES_MAX */
    uint32_t station_count; /* invocations that one of them may have before it; 0: 1.  Fewer when
                               their mailboxes would be too large. */
    uint32_t core_count;    /* this many lanes are filled before they are shared; 0: one */
    uint64_t mailbox_size;  /* of each: input, output and headers; a multiple of 4096 */
    int answer_timeout_ms;  /* for open, load, unload; 0: 10 seconds */
};

/* Takes over the socket.  Hands the channel to the process and waits until it has jailed itself and
 * made its first shell. */
MUST_CHECK bool worker_open(struct worker **worker, int socket,
                            const struct worker_options *options, struct error *error);
/* Asks the process to stop (it exits 0) and lets go of everything; does not wait for the exit. */
void worker_close(struct worker *worker);
DEFINE_AUTO(worker, worker_close)

/* Makes a compiled image callable as `function` (any number of the caller's).  The image and
 * the archive of its files (abi/files.h; -1: none) must be sealed (file_sealed).  The process
 * checks it and instantiates it once: a start function that traps is ERROR_TRAPPED, initial memory
 * over the limit ERROR_LIMIT. */
MUST_CHECK bool worker_load(struct worker *worker, uint32_t function, int image, int files,
                            const struct settings *settings, struct error *error);
/* What runs finishes.  Wait for what is submitted first: invocations not begun yet end as CRASHED.
 */
MUST_CHECK bool worker_unload(struct worker *worker, uint32_t function, struct error *error);

/* open and load without waiting: the request goes out, and worker_answer gives the answer when
 * worker_socket is readable.  One request at a time.  What a module does at its start takes as long
 * as its limits allow, and a server has others to serve meanwhile. */
MUST_CHECK bool worker_open_begin(struct worker **worker, int socket,
                                  const struct worker_options *options, struct error *error);
MUST_CHECK bool worker_load_begin(struct worker *worker, uint32_t function, int image, int files,
                                  const struct settings *settings, struct error *error);
/* Asks where the function spends its time, as worker_load_begin asks; worker_profile has the answer
 * after WORKER_ANSWER_DONE. */
MUST_CHECK bool worker_profile_begin(struct worker *worker, uint32_t function, struct error *error);
struct worker_profile {
    uint32_t total; /* samples */
    uint32_t count; /* rows, most samples first */
    struct profile_row rows[PROFILE_ROWS_MAX];
};
const struct worker_profile *worker_profile(const struct worker *worker);

enum worker_answer {
    WORKER_ANSWER_NONE, /* not yet */
    WORKER_ANSWER_DONE,
    WORKER_ANSWER_REFUSED, /* error set */
    WORKER_ANSWER_LOST     /* the process is gone; error set */
};
enum worker_answer worker_answer(struct worker *worker, struct error *error);

/* Slots are numbered from 0 to below this. */
uint32_t worker_slot_count(const struct worker *worker);
/* A free slot, preferably of a lane that ran `function` last.  `lane_max`: how many lanes may run
 * it at once; short invocations queue up on a lane, long ones have it for themselves.  False: there
 * is none (ERROR_BUSY to whoever asked, or queue). */
bool worker_acquire(struct worker *worker, uint32_t function, uint32_t lane_max, uint32_t *slot);
void *worker_mailbox(const struct worker *worker, uint32_t slot, size_t *size);
/* Runs the function's command on the slot's mailbox. */
void worker_submit(struct worker *worker, uint32_t slot, uint32_t function, uint64_t token);
/* Wipes what was used of the mailbox; only after completion (or instead of a submission). */
void worker_release(struct worker *worker, uint32_t slot);

struct worker_completion {
    uint64_t token;
    uint32_t slot;          /* may be another one than it was submitted to */
    struct outcome outcome; /* CRASHED when the process died under it */
};
/* The next completion; false when there is none at the moment.  Call until false whenever
 * worker_event is readable and after the process is known to be dead. */
bool worker_take(struct worker *worker, struct worker_completion *completion);

/* A list of host calls (abi/call.h) that an invocation waits for. */
struct worker_call {
    uint32_t lane;
    uint32_t number;
    uint32_t slot;         /* where its mailbox is */
    uint64_t token;        /* the invocation's */
    struct bytes requests; /* copied out of everybody's reach, not checked; until the next call of
                              worker_take_call */
};
/* The next one; false when there is none at the moment.  After worker_take, whenever that is
 * called. */
bool worker_take_call(struct worker *worker, struct worker_call *call);
/* At once or later, as long as the invocation has not completed; `answers` (at most CALL_AREA_SIZE)
 * empty: that was no list of requests. */
void worker_answer_call(struct worker *worker, uint32_t lane, uint32_t number,
                        struct bytes answers);

/* To poll for reading: the eventfd of completions, and the control socket, which becomes readable
 * with the answer to a begun request and when the process is gone (then: worker_lost, worker_take
 * until false, worker_close). */
int worker_event(const struct worker *worker);
int worker_socket(const struct worker *worker);
/* Declares the process dead: whatever runs completes as CRASHED, nothing can be submitted. */
void worker_lost(struct worker *worker);
bool worker_is_alive(const struct worker *worker);
uint32_t worker_running_count(const struct worker *worker);
/* Lanes that may have an instance, and those that have something to do. */
uint32_t worker_lanes_used(const struct worker *worker);
uint32_t worker_lanes_busy(const struct worker *worker);
/* So many lanes, from the first, shall have a shell or an instance ready; what others have ends
 * when they rest.  Nothing is waited for, and there is no answer. */
void worker_set_ready(struct worker *worker, uint32_t lane_count);
/* The longest time that a lane which runs `function` has not got any further. */
uint64_t worker_stalled_ns(const struct worker *worker, uint32_t function);
/* While the caller looks at worker_take all the time (a core is free for it), guests wait a moment
 * for the next invocation before they leave, and no event is raised.  After switching it off look
 * once more. */
void worker_set_polling(struct worker *worker, bool polls);
/* Whether what is under way runs on other cores than the caller's, as far as is known: only then
 * may looking be of use. */
bool worker_is_beside(const struct worker *worker);

/* An outcome as an error for people: DONE with exit code 0 sets nothing and returns true. */
MUST_CHECK bool outcome_check(const struct outcome *outcome, struct error *error);
const char *trap_reason_text(enum trap_reason reason);

#endif
