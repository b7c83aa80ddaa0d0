/* SPDX-License-Identifier: Apache-2.0 */
/* A house: one version of an application in use, with its worker, the invocations it runs and those
 * that wait.  Internal to functions; invocation.h has the contract. */
#ifndef FUNCTIONS_HOUSE_H
#define FUNCTIONS_HOUSE_H

#include "functions/demand.h"
#include "functions/foretelling.h"
#include "functions/invocation.h"
#include "services/services.h"
#include "slipstream/worker.h"

#include <uv.h>

struct invocation;
/* Calls that an invocation had answered inside its micro-VM (replay.c). */
enum replay_state {
    REPLAY_NONE,    /* all leave */
    REPLAY_OPEN,    /* what it makes inside stands in its mailbox */
    REPLAY_RUNNING, /* services have it */
    REPLAY_OVER,    /* was right */
    REPLAY_WRONG    /* was not: it runs again */
};

struct replay {
    enum replay_state state;
    bool is_off;    /* it runs again: nothing is foretold */
    uint8_t *pairs; /* what was foretold */
    size_t pairs_size;
    uint8_t *made; /* the list of what it made inside */
    size_t made_size;
    uint32_t made_count;
    uint32_t left_count;                       /* calls that left */
    void (*later)(struct invocation *running); /* RUNNING: goes on */
    uint8_t *held;                             /* the list that left meanwhile */
    size_t held_size;
};

struct invocation {
    struct invocation *next; /* in the queue */
    char id[33];
    uint32_t function;
    struct digest32 input_digest;
    struct bytes input;
    const char **environment; /* NULL-terminated */
    void *owned;              /* holds both while it waits; NULL: they are borrowed */
    size_t owned_size;
    enum receipt_trigger trigger;
    char request_id[KEYS_NAME_SIZE_MAX + 1];
    char route[KEYS_ROUTE_SIZE_MAX + 1];
    bool is_sealed;
    bool has_nonce;
    struct nonce32 nonce;
    uint64_t since_ns; /* it waits, or it runs */
    uint64_t arrived_ns;
    bool was_cold, is_traced;
    invocation_done *done;
    void *context;
    struct house *house;             /* that runs it, or ran it */
    struct service_scope *scope;     /* NULL: it has called nothing */
    uint32_t call_lane, call_number; /* the host call that it waits for */
    struct replay replay;
    unsigned retry_count;
    bool is_kept;
    struct invocation_repeat repeat;
};

struct house {
    struct house *next;
    struct invoker *invoker;
    struct application *application; /* held */
    struct arena *arena;
    const char **variables[MANIFEST_FUNCTION_COUNT_MAX]; /* NAME=value of the manifest */
    bool is_served;                                      /* new invocations may come */
    bool is_removed;                                     /* the application is gone */
    unsigned start_failures;                             /* in a row */
    bool starting;                                       /* a worker was asked for */
    bool opening;                                        /* it was asked to open the channel */
    bool is_profiling;                                   /* it was asked for a profile */
    uint32_t profiling;
    uint64_t spent_ns[MANIFEST_FUNCTION_COUNT_MAX]; /* time of invocations, for tiering.h */
    bool is_hot[MANIFEST_FUNCTION_COUNT_MAX];       /* that was told */
    bool is_loading;                                /* it was asked to load a function */
    uint32_t loading;
    uint64_t asked_ns;     /* when it was asked to open or to load */
    struct worker *worker; /* NULL: none */
    int process;
    bool has_proved; /* the worker has finished an invocation */
    uv_poll_t *completions, *control;
    bool loaded[MANIFEST_FUNCTION_COUNT_MAX];
    unsigned running_by_function[MANIFEST_FUNCTION_COUNT_MAX];
    struct foretelling *foretelling[MANIFEST_FUNCTION_COUNT_MAX]; /* NULL: it asked for nothing */
    struct invocation **running;                                  /* by token */
    unsigned running_count, running_count_max;
    struct conclusion *conclusions; /* ended, but services have not said their word */
    struct demand demand;           /* for lanes */
    unsigned lanes_ready;           /* that the worker was told to keep; 0: not yet */
    uint64_t lanes_needed_ns;       /* when so many were needed last */
    struct invocation *waiting;     /* first come, first served */
    unsigned waiting_count;
    uint64_t used_ns;     /* last */
    uint64_t memory_peak; /* linear memory of an invocation, the most yet */
    bool is_watched;      /* its worker's answers are looked for all the time */
};

struct invoker {
    struct invoker_options options;
    struct house *houses;
    struct services *services;
    bool owns_services;
    uv_timer_t *watch; /* once a second while something runs or waits */
    bool is_watching;
    struct delivery *deliveries; /* finished, and held back for their time */
    struct invoker_counts counts;
    uv_idle_t *look; /* turns the loop without waiting while answers are looked for */
    bool is_looking;
    uint64_t look_until_ns;
};

struct house *house_new(struct invoker *invoker, struct application *application);
/* Ends its worker, forgets its invocations. */
void house_free(struct house *house);
/* Runs the invocation now if there is a worker with a free slot and its function's concurrency
 * allows it: *taken.  False: it can't be run at all. */
MUST_CHECK bool house_run(struct house *house, struct invocation *invocation, bool *taken,
                          struct error *error);
/* calls.c: the invocation's scope, begun when there is none yet. */
MUST_CHECK bool house_begin_scope(struct house *house, struct invocation *invocation,
                                  struct error *error);
/* Who asks. */
void house_facts(struct service_facts *facts, const struct house *house,
                 const struct invocation *invocation);
/* Gives slots to those that wait, and asks for a worker when one is needed. */
void house_pump(struct house *house);
/* Takes what the worker has answered. */
void house_take(struct house *house);

/* pool.c.  The longest idle workers give way until one more is allowed; false: all are busy.  What
 * instances turn out to take beyond the budget is taken back the same way by pool_trim. */
void pool_trim(struct invoker *invoker);
MUST_CHECK bool pool_make_room(struct invoker *invoker);
/* Tells the worker how many lanes shall be ready, when that has changed.  `may_shrink`: also when
 * they are fewer. */
void house_make_ready(struct house *house, uint64_t now_ns, bool may_shrink);
/* Ends a worker that has had nothing to do for long. */
void house_retire(struct house *house, uint64_t now_ns);
/* What its worker takes, estimated from what its invocations took. */
uint64_t house_memory(const struct house *house);
/* A core is free: looks for answers for a moment, so that guests linger and nobody is woken. */
void invoker_look(struct house *house);
/* The worker does not keep its limits, or is gone: what runs there has crashed. */
void house_lose_worker(struct house *house);
void house_close_worker(struct house *house);
/* What a worker is told of a function. */
struct settings function_settings(const struct manifest_function *function);
/* Gives up on what takes the worker too long: opening, or loading a function. */
void house_watch_worker(struct house *house, uint64_t now_ns);

/* What the worker is given to load a function: its image, and its files or -1. */
MUST_CHECK bool function_open(struct blobs *blobs, const struct manifest_function *function,
                              const struct function_image *compiled, int *image, int *files,
                              struct error *error);

/* calls.c: hands over what the worker's invocations ask for. */
void house_take_calls(struct house *house);
/* replay.c.  Whether the invocation, which is about to run, may have calls answered inside. */
bool replay_open(struct house *house, struct invocation *invocation);
/* After that: requests with their answers for its mailbox; the invocation keeps them. */
struct bytes replay_foretell(struct house *house, struct invocation *invocation);
/* A list that the function asked, for the next invocations. */
void replay_note(struct house *house, const struct invocation *invocation, struct bytes list);
/* Makes the calls that the invocation on `slot` made inside; while they are RUNNING replay.later
 * may be set.  Nothing unless OPEN. */
void replay_run(struct house *house, struct invocation *invocation, uint32_t slot);
/* The invocation has ended: whether what it made inside was right; RUNNING: not known yet. */
enum replay_state replay_end(struct house *house, struct invocation *invocation,
                             const struct worker_completion *completion);
/* Has it run from the start, without any. */
void replay_again(struct house *house, struct invocation *invocation);
void replay_done(struct replay *replay);

/* conclusion.c: what is held back for services is forgotten without a call. */
void house_drop_conclusions(struct house *house);
/* Puts an invocation at the head of those that wait. */
void house_wait_first(struct house *house, struct invocation *invocation);

/* Of invocation.c: ends an invocation and frees it. */
void invocation_fail(struct invocation *invocation, const struct error *error);
void invocation_complete(struct house *house, struct invocation *invocation,
                         const struct worker_completion *completion);
/* Everything that a finished one says, copied out of its mailbox. */
struct finished {
    struct outcome outcome;
    struct error failure; /* of one that did not end well */
    struct buffer output, errors;
    bool has_answer;
    struct envelope_answer answer; /* borrows `output` */
    char *receipt;                 /* NULL: not signed, or none could be */
};
void finished_done(struct finished *finished);
/* Issues its receipt. */
void invocation_sign(struct house *house, const struct invocation *invocation,
                     struct finished *finished);
void invocation_deliver(struct house *house, struct invocation *invocation,
                        struct finished *finished);
/* What answers are filled up to, as invocation_result has it. */
uint32_t invocation_pad_size(const struct manifest_function *function);
/* What it needs to run later, or again: a copy of its input and environment; and no longer. */
MUST_CHECK bool invocation_own(struct invocation *invocation, struct error *error);
void invocation_disown(struct invocation *invocation);
/* All its calls are made: it is concluded, or delivered.  Takes over both. */
void invocation_end(struct house *house, struct invocation *invocation, struct finished *finished);
/* The same when replay.state is no longer RUNNING. */
void invocation_hold(struct house *house, struct invocation *invocation, struct finished *finished);
/* Asks services what becomes of it, then delivers it; takes over both. */
void invocation_conclude(struct house *house, struct invocation *invocation,
                         struct finished *finished);
void invocation_free(struct invocation *invocation);
void invoker_start_watch(struct invoker *invoker);

#endif
