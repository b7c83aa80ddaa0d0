/* SPDX-License-Identifier: Apache-2.0 */
/* Invocations: a request becomes one run in a micro-VM of the application's worker, and a result
 * with its receipt.
 *
 * Each version of an application that is in use has one worker (a slipstream process that somebody
 * else starts) with a number of slots.  An invocation takes a free slot, its input goes straight
 * into the slot's mailbox, the worker runs it and says how it ended; what it printed is copied out
 * of the mailbox.  More than a function's `concurrency` wait in a bounded queue, more than that are
 * refused (BUSY).  A worker that dies takes its running invocations with it (CRASHED) and is
 * replaced; one that does not keep its time limits is killed.  Owns the workers' channels.  Never
 * blocks.  One thread, the event loop's. */
#ifndef FUNCTIONS_INVOCATION_H
#define FUNCTIONS_INVOCATION_H

#include "abi/envelope.h"
#include "base/arena.h"
#include "base/clock.h"
#include "functions/blobs.h"
#include "functions/loading.h"
#include "functions/receipts.h"
#include "functions/registry.h"

struct uv_loop_s;
struct services;
struct service_tally;
struct service_timing;
struct invoker;

/* Where workers come from.  `done` is called exactly once, later, from the loop, with the worker's
 * control socket (taken over) and its process id, or -1 and the reason. */
typedef void worker_done(void *context, int socket, int process, const struct error *error);
struct worker_source {
    void *context;
    bool (*request)(void *context, worker_done *done, void *done_context, struct error *error);
    /* It is not needed any more or does not obey: it is dead a second later. */
    void (*end)(void *context, int process);
};

/* What an invocation logged, and how it ended; borrowed for the call. */
struct invocation_log {
    const struct application *application;
    const char *function;
    const char *id;
    const char *request_id;
    enum receipt_status status;
    const char *message;           /* of one that failed */
    struct bytes written;          /* standard error */
    struct redactions *redactions; /* secrets that it got; NULL: none */
};

struct invoker_options {
    struct uv_loop_s *loop;
    struct blobs *blobs; /* for images */
    struct worker_source workers;
    struct receipt_book *receipts;
    struct services *services; /* what functions may call; NULL: nothing */
    struct load_recorder loads;
    enum receipt_backend backend; /* that the workers run functions with */
    const struct clock *clock;
    size_t input_size_max;
    /* A function is worth the optimiser's time; `functions` of its module, or NULL: all.  NULL:
     * there is no optimiser. */
    void (*hot)(void *context, struct application *application, size_t function,
                const char *functions);
    void *hot_context;
    /* An invocation logged something, or failed; each run of one that is run again.  NULL: nobody
     * wants to know. */
    void (*logged)(void *context, const struct invocation_log *log);
    void *logged_context;
    unsigned worker_count_max; /* versions with a worker at once; the longest idle one gives way */
    uint64_t memory_size_max;  /* estimate of all workers together; above it the longest idle one
                                  gives way; 0: no budget */
    uint64_t idle_ms;          /* a worker without work for so long ends; 0: never */
    uint64_t idle_ms_min;      /* or as early as this, when no work is to be expected (pace.h) */
    unsigned lane_count_min;   /* micro-VMs of one version that are ready: at least, and at most */
    unsigned lane_count_max;   /* at a time; 0: LANE_COUNT_DEFAULT */
    unsigned core_count;       /* of the machine; 0: one */
    bool
        watches; /* look for answers without waiting while a core is free (slipstream/handover.h) */
};

MUST_CHECK bool invoker_new(struct invoker **invoker, const struct invoker_options *options,
                            struct error *error);
/* Ends all workers; invocations under way are forgotten without a call.  Run the loop once more
 * afterwards. */
void invoker_free(struct invoker *invoker);
DEFINE_AUTO(invoker, invoker_free)

/* A request that may be repeated: its answer is kept with what it did (result.h). */
struct invocation_repeat {
    struct digest32 name;        /* of the entry */
    struct digest32 fingerprint; /* of the request */
    uint32_t retention_s;
};

struct invocation_request {
    struct application *application;
    size_t function_index;
    struct bytes input;             /* stdin; copied */
    const char *const *environment; /* NAME=value, NULL-terminated; the manifest's are added */
    enum receipt_trigger trigger;
    const char *request_id;
    struct bytes route; /* of HTTP: the path asked for */
    bool is_sealed;     /* it came sealed, and its answer goes so */
    bool is_traced;     /* its host calls are timed */
    bool has_nonce;
    struct nonce32 nonce;                   /* the caller's, for the receipt */
    const struct invocation_repeat *repeat; /* NULL: the answer is not kept */
};

/* When what happened, monotonic.  Where a function pads its times, `ended_ns` follows from what is
 * told. */
struct invocation_times {
    uint64_t arrived_ns;
    uint64_t started_ns; /* the last time, when it ran again */
    uint64_t ended_ns;
    bool was_cold; /* it found no worker, or one without its function */
    bool is_padded;
};

struct invocation_result {
    const char *id;
    enum receipt_status status;
    uint32_t exit_code;  /* of EXIT */
    const char *message; /* for people: why it failed; empty when DONE */
    struct bytes output; /* stdout; of `answer` the body */
    /* What a CGI program or a reactor said in headers; NULL for commands and failures. */
    const struct envelope_answer *answer;
    struct bytes errors; /* stderr, for the owner alone */
    uint64_t duration_us;
    struct invocation_times times;
    const struct service_tally *tally;  /* of its host calls; NULL: it made none */
    const struct service_timing *calls; /* of one that is traced */
    unsigned call_count;
    uint32_t pad_size;   /* what the answer's bytes are filled up to: 0, 1 (a power of two), or a
                            number of bytes */
    const char *receipt; /* NULL when none could be issued */
};
/* All borrowed for the call.  `result` NULL: it never ran, for `error`'s reason. */
typedef void invocation_done(void *context, const struct invocation_result *result,
                             const struct error *error);

/* Starts an invocation; `done` is called exactly once, later.  BUSY: the queue is full; NOT_FOUND,
 * LIMIT (input). */
MUST_CHECK bool invocation_start(struct invoker *invoker, const struct invocation_request *request,
                                 invocation_done *done, void *context, struct error *error);
/* Other versions of the application are served than before: `served` and `canary`, each may be
 * NULL. Workers of the others end when they have finished. */
void invoker_application_changed(struct invoker *invoker, const char *name,
                                 const struct application *served,
                                 const struct application *canary);

/* Has a worker ready for a version that will be asked for in a moment. */
void invoker_warm(struct invoker *invoker, struct application *application);

struct invoker_counts {
    unsigned workers;
    unsigned running;
    unsigned waiting;
    unsigned lanes_ready; /* of all workers: wanted ready now */
    uint64_t memory_size; /* of all workers, estimated */
    uint64_t workers_retired;
    uint64_t workers_lost;
    uint64_t reruns; /* invocations whose foretold calls were wrong */
};
struct invoker_counts invoker_counts(const struct invoker *invoker);

#endif
