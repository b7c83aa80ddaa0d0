/* SPDX-License-Identifier: Apache-2.0 */
/* What services.c (the table, endings) and scope.c (lists of calls) share. */
#ifndef SERVICES_SCOPE_H
#define SERVICES_SCOPE_H

#include "services/services.h"

struct service_entry {
    const struct service *service;
    void *context;
};

struct services {
    struct service_entry entries[SERVICE_COUNT_MAX];
    unsigned count;
};

/* One answer of a list, whole. */
struct held_answer {
    int64_t value;
    uint8_t *data; /* NULL when empty */
    size_t size;
};

struct service_scope {
    struct services *services;
    struct service_facts facts;
    void *states[SERVICE_COUNT_MAX];
    struct service_use uses[SERVICE_USE_COUNT_MAX];
    unsigned use_count;
    struct redactions *redactions; /* what must not stand in its log; NULL: nothing */
    uint32_t call_count;           /* ever made */
    uint64_t bytes;                /* of requests and answers, ever */

    /* The list under way. */
    uint8_t *requests; /* a copy; NULL: none */
    size_t requests_size;
    struct reader reader;
    uint32_t request_count;
    bool is_calling;  /* `call` is with its service */
    bool is_running;  /* scope_run is on the stack */
    unsigned calling; /* entry that has it */
    struct service_call call;
    service_listed *listed;
    void *listed_context;

    /* Answers of the list under way or of the last one that was no CALL_REST. */
    struct held_answer answers[CALL_COUNT_MAX];
    uint32_t answer_count;
    size_t held_size;

    struct service_tally tally;
    struct service_timing timings[SERVICE_TIMING_COUNT_MAX];
    unsigned timing_count;
    uint64_t began_ns; /* `call`, where calls are timed */

    bool has_result;
    struct service_result result; /* its value is a copy */

    struct service_ending ending;
    bool is_ending;
    bool is_issuing; /* the second round, with a receipt */
    struct bytes receipt;
    bool is_concluding; /* endings_run is on the stack */
    bool is_concluded;  /* the present service has said its word */
    service_concluded *concluded;
    void *concluded_context;
};

/* NULL: nobody has the call. */
const struct service_handler *services_find(const struct services *services, uint16_t call,
                                            unsigned *entry);
void scope_done(struct service_scope *scope);

#endif
