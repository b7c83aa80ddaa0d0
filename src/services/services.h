/* SPDX-License-Identifier: Apache-2.0 */
/* Services: what functions ask their node for (abi/call.h), behind one small interface.
 *
 * A service is one unit, src/services/NAME.c: a struct service with a handler per call and, if it
 * wants them, hooks around the invocation.  services_add registers it; nothing else knows of it.
 * Permissions are checked before a handler sees the call; its arguments are counted, sized and
 * copied out of everybody's reach.  A handler answers at once or later, exactly once.
 *
 * One scope per invocation that calls anything.  It begins with the first call, runs lists of
 * calls one after the other, and ends with the invocation: then each service with an `ended` hook
 * is asked in turn, may take its time (until something is committed), may change what becomes of
 * the invocation, and may add facts to the receipt.  Owns scopes, calls and answers, which are
 * wiped.  Never blocks, knows no micro-VM.  One thread, the event loop's. */
#ifndef SERVICES_SERVICES_H
#define SERVICES_SERVICES_H

#include "abi/call.h"
#include "base/error.h"
#include "logs/redact.h"
#include "services/limits.h"
#include "services/permissions.h"

struct services;
struct service_scope;
struct service_ending;

/* Who asks.  Strings are borrowed from the caller of services_begin until the scope has ended. */
struct service_facts {
    char id[33];             /* of the invocation, hexadecimal */
    const char *application; /* name */
    const char *function;    /* name */
    const char *version;     /* of the application, as its manifest says */
    struct digest32 owner;
    struct digest32 manifest; /* digest of the canonical manifest */
    struct digest32 code;     /* of the module or ELF */
    const struct permissions *permissions;
    uint64_t state_size;     /* bytes of its application's state at most; 0: as much as any */
    uint64_t state_count;    /* entries of it, the same */
    uint32_t call_count_max; /* calls of the invocation; 0: no limit */
    uint64_t deadline_ns;    /* CLOCK_MONOTONIC; 0: none */
    bool is_timed;           /* keep when its first calls were made */
    void *invocation;        /* the caller's */
};

/* One call under way: from the handler's start until service_answer or service_refuse. */
struct service_call {
    struct service_scope *scope;
    const struct service_facts *facts;
    const struct call_row *row;
    uint64_t numbers[CALL_NUMBERS_MAX];
    struct bytes strings[CALL_STRINGS_MAX]; /* valid until it is answered */
    void *state;                            /* the service's */
};

struct service_handler {
    uint16_t call; /* enum call */
    void (*run)(void *context, struct service_call *call);
};

struct service {
    const char *name;
    const struct service_handler *handlers;
    unsigned handler_count;
    /* Each may be NULL. */
    /* What it would answer to the call now, as call_answer_write writes it, without a scope and
     * without anything coming of it; false: nothing, or not without waiting. */
    bool (*foretell)(void *context, const struct service_facts *facts,
                     const struct call_request *request, struct writer *answer);
    /* The scope's first call of any service comes next. */
    void (*began)(void *context, struct service_scope *scope);
    /* The call's invocation is gone: nobody waits, it must not be answered, and its memory goes
     * after this. */
    void (*cancelled)(void *context, struct service_call *call);
    /* The invocation has ended; exactly one service_conclude, now or later.  What it left
     * undone must be undone unless ending->is_commit. */
    void (*ended)(void *context, struct service_scope *scope, struct service_ending *ending);
    /* After the end, when the outcome stands and its receipt has been signed (empty: there is none)
     * and nobody has been told yet: exactly one service_conclude, now or later.  Anything but KEEP
     * drops the receipt, and the invocation fails. */
    void (*issued)(void *context, struct service_scope *scope, struct bytes receipt,
                   struct service_ending *ending);
    /* The scope goes: after the end, or without one when the node stops. */
    void (*forgotten)(void *context, struct service_scope *scope);
};

MUST_CHECK bool services_new(struct services **services, struct error *error);
/* All scopes must have gone. */
void services_free(struct services *services);
DEFINE_AUTO(services, services_free)
/* `service` and `context` outlive `services`.  Order is the order of the hooks.  CONFLICT when a
 * call has a handler already. */
MUST_CHECK bool services_add(struct services *services, const struct service *service,
                             void *context, struct error *error);
bool services_handle(const struct services *services, uint16_t call);

/* --- for services --- */

/* Ends the call.  `value` not negative; of calls that give bytes it is their size whatever is said.
 * Data is copied. */
void service_answer(struct service_call *call, int64_t value, struct bytes data);
/* Ends the call with an error and its text. */
void service_refuse(struct service_call *call, enum call_error code, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same with what another module said. */
void service_refuse_error(struct service_call *call, const struct error *error);
/* The same for a name that the manifest does not grant: says which line is missing. */
void service_deny(struct service_call *call, struct bytes name);
enum call_error call_error_of(enum error_code code);

/* What a service keeps of a scope; NULL at first. */
void *service_state(const struct service_scope *scope, const struct service *service);
void service_set_state(struct service_scope *scope, const struct service *service, void *state);
const struct service_facts *service_scope_facts(const struct service_scope *scope);

/* A fact for the receipt: what the invocation used, and digests of it.  At most
 * SERVICE_USE_COUNT_MAX; false: no room for more, or a name that has none in a receipt. */
struct service_use {
    const char *service; /* "kv" */
    char name[SERVICE_USE_NAME_SIZE_MAX + 1];
    bool has_before, has_after;
    struct digest32 before, after; /* of a state; of one thing only `after` */
};
MUST_CHECK bool service_use(struct service_scope *scope, const struct service_use *use);

/* The value is a secret: it is taken out of whatever the invocation logged, before too.  Call it
 * before the answer; false: the secret must not be handed out. */
MUST_CHECK bool service_redact(struct service_call *call, struct bytes value, struct error *error);

/* What the invocation answers, to be kept exactly when what it did is: an entry of the
 * application's state in a namespace that functions can't name. */
struct service_result {
    struct digest32 name;
    int64_t ttl_ms;
    struct bytes value; /* at most SERVICE_RESULT_SIZE_MAX */
};
/* NULL: nothing is to be kept. */
const struct service_result *service_scope_result(const struct service_scope *scope);

enum service_verdict {
    SERVICE_KEEP,     /* the outcome stands */
    SERVICE_RETRY,    /* from the start, where the function allows it; else as CONFLICT */
    SERVICE_CONFLICT, /* refused: somebody else was faster */
    SERVICE_FAIL      /* refused: what it did could not be kept */
};
struct service_ending {
    bool is_commit; /* the function ended well, and nobody said anything else yet */
    bool is_alone;  /* when it is issued: no other invocation of the node runs or waits */
    enum service_verdict verdict; /* the worst so far */
    enum error_code code; /* of FAIL: what the caller is told; UNAVAILABLE unless somebody said */
    char message[SERVICE_MESSAGE_SIZE_MAX];
    /* The rest is services.c's. */
    struct service_scope *scope;
    unsigned next;
};
/* `message` for people, NULL with KEEP. */
void service_conclude(struct service_ending *ending, enum service_verdict verdict,
                      const char *message);
/* FAIL with the error's code and text; CONFLICT as RETRY. */
void service_conclude_error(struct service_ending *ending, const struct error *error);

/* --- for whoever runs invocations --- */

MUST_CHECK bool services_begin(struct services *services, const struct service_facts *facts,
                               struct service_scope **scope, struct error *error);
/* A list of answers, at most CALL_AREA_SIZE bytes, borrowed for the call. */
typedef void service_listed(void *context, struct bytes answers);
/* Runs a list of requests, copied; `done` once, now or later, unless the scope is cancelled.  One
 * at a time: a second list is refused as malformed, and so is what is no list (false). */
MUST_CHECK bool services_run(struct service_scope *scope, struct bytes requests,
                             service_listed *done, void *context);
/* Whether calls of this number may be foretold: whoever answers it does so. */
bool services_can_foretell(const struct services *services, uint16_t call);
/* The request's answer as it would be now (call_answer_write); the writer is as before, and false,
 * when nothing can be said, or the call is not permitted.  `facts` as for services_begin. */
bool services_foretell(const struct services *services, const struct service_facts *facts,
                       const struct call_request *request, struct writer *answer);
/* Nobody waits for the list under way any more: its calls are cancelled. */
void services_cancel(struct service_scope *scope);
typedef void service_concluded(void *context, const struct service_ending *ending);
/* Before services_end, once; the value is copied. */
MUST_CHECK bool services_keep(struct service_scope *scope, const struct service_result *result,
                              struct error *error);
/* The invocation has ended, with a result that shall be kept or not.  Cancels what is under way.
 * `done` once, now or later; the scope stays until services_forget. */
void services_end(struct service_scope *scope, bool is_commit, service_concluded *done,
                  void *context);
/* The receipt of what was kept is there: borrowed until `done`, which comes once, now or later. */
void services_issue(struct service_scope *scope, struct bytes receipt, bool is_alone,
                    service_concluded *done, void *context);
/* What must not stand in the invocation's log; NULL: nothing.  `scope` may be NULL.  Hold it to
 * keep it. */
struct redactions *services_redactions(const struct service_scope *scope);
const struct service_use *services_uses(const struct service_scope *scope, unsigned *count);
/* When a call was with its service, CLOCK_MONOTONIC, and its value or error. */
struct service_timing {
    uint16_t call;
    int64_t result;
    uint64_t began_ns, ended_ns;
};
/* Of the first SERVICE_TIMING_COUNT_MAX calls that a service answered, where the facts ask for it;
 * NULL scope: none. */
const struct service_timing *services_timings(const struct service_scope *scope, unsigned *count);
/* How many calls of each number were answered, and refused or failed: their answer was below 0. */
struct service_tally {
    uint32_t answered[SERVICE_CALL_NUMBERS];
    uint32_t failed[SERVICE_CALL_NUMBERS];
};
/* NULL when the scope is. */
const struct service_tally *services_tally(const struct service_scope *scope);
/* Without a call to anybody who waits. */
void services_forget(struct service_scope *scope);

#endif
