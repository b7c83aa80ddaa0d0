/* SPDX-License-Identifier: Apache-2.0 */
/* The chain that every request passes, in the order of the table `stages`, and what they share: the
 * gateway's inside, for its own files only.
 *
 * Each stage looks at one thing and either lets the request on or refuses it with an error and a
 * status.  The first part of the chain runs when the fields are there, before any of the body is
 * read; the second when the request is complete. */
#ifndef GATEWAY_STAGE_H
#define GATEWAY_STAGE_H

#include "gateway/limiter.h"
#include "gateway/pattern.h"
#include "gateway/rules.h"
#include "net/bhttp.h"
#include "net/nonce.h"
#include "net/signature.h"

struct version_routes {
    uint64_t version;
    unsigned weight;
    struct gateway_route *routes; /* own copies, the preferred first */
    size_t count;
    struct rules *rules; /* held; NULL: none */
    struct digest32 account;
};
struct application_routes {
    char application[GATEWAY_NAME_SIZE_MAX + 1];
    struct version_routes releases[GATEWAY_RELEASE_COUNT_MAX];
    size_t release_count;
};

/* One request in progress; its own memory, because the server's request goes with the answer. */
struct gateway_request {
    struct gateway_request *next_free;
    struct http_handle handle;
    char id[33];
    size_t next_stage;
    bool is_admitted; /* the server knows it by its tag */
    bool dispatched;
    bool is_preflight;         /* a browser asks whether it may ask */
    enum http_method will_ask; /* with that method */
    uint32_t route_methods;    /* of the route that it would take; 0: every method */
    bool has_caller;           /* somebody proved who they are; */
    struct digest32 caller;    /* one name each */
    struct rules *rules;       /* held; NULL: none */
    struct flow *flow;         /* the application's requests under way, and this one among them */
    bool is_waiting;           /* in the flow's queue, */
    uint64_t wait_until_ms;    /* until then, */
    struct gateway_request *next_waiting; /* before that one */
    bool is_keyed;                        /* in the list of requests with an Idempotency-Key, */
    bool is_waiting_for_key;              /* behind another of the same key */
    struct gateway_request *next_keyed;
    bool awaits_keys;       /* its web token can't be judged yet; */
    bool is_parked;         /* it waits for that, */
    uint64_t keys_until_ms; /* until then, */
    uint64_t keys_round;    /* and was judged last when it was this */
    struct gateway_request *next_parked;
    bool wants_pages;                      /* the client names text/html in Accept */
    char folder[GATEWAY_PATTERN_SIZE_MAX]; /* whose files answer; empty: the function does */
    struct bytes origin;                   /* of a browser's request that may read the answer */
    char origin_text[GATEWAY_ORIGIN_SIZE_MAX + 1];
    char outer_origin[GATEWAY_ORIGIN_SIZE_MAX + 1]; /* the same of what it was sealed in */
    bool is_head;
    char allow[64]; /* with 405: the methods that the path knows */
    size_t body_size_max;
    uint32_t pad_size;             /* of the answer */
    struct sealed_request *sealed; /* NULL: it came in the clear */
    enum gateway_auth auth;        /* of the function's route */
    struct digest32 account;       /* of its application */
    struct buffer claims;
    char subject[JWT_SUBJECT_SIZE_MAX + 1];
    struct gateway_call call;
    struct trace_context trace;
    struct pattern_values values;       /* of the API's pattern */
    struct pattern_values route_values; /* of the function route's */
    char function[GATEWAY_NAME_SIZE_MAX + 1];
};

struct gateway {
    struct gateway_options options;
    struct http_server *server;
    struct nonce_cache *nonces;
    struct nonce_cache *sealed_seen;         /* encapsulated keys */
    struct application_routes *applications; /* sorted by name */
    size_t application_count;
    struct rules *page_rules; /* cors of the node's own resources; NULL: none */
    struct limiter *limiter;  /* made when first needed */
    struct flow *flows;
    bool is_pumping;
    struct gateway_request *keyed; /* by arrival */
    bool is_passing_keys, waits_for_keys;
    struct gateway_request *parked; /* for an issuer's keys, by arrival */
    uint64_t keys_round;            /* of changes of these */
    struct gateway_request *free_requests;
    uint32_t request_count;
};

struct refusal {
    struct error error;
    int status; /* 0: as the error's code has it */
    const char *hint;
    const char *name;       /* NULL: as the error's code has it */
    unsigned retry_after_s; /* 0: as the error's code has it */
    /* With true from `enter`: the stage has answered the request, or has it go on later. */
    bool is_taken;
};

struct stage {
    const char *name;
    bool at_fields; /* else when the request is complete */
    MUST_CHECK bool (*enter)(struct gateway *gateway, struct gateway_request *request,
                             struct refusal *refusal);
};
extern const struct stage stages[];
extern const size_t stage_count;

/* trace.c */
bool stage_trace(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal);

/* operation.c */
struct operation {
    const char *name;
    enum http_method method;
    const char *pattern;
    enum gateway_access access;
    size_t body_size_max;
};
const struct operation *operation_of(enum gateway_operation operation);
bool stage_route(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal);
/* admission.c: how much an application takes, before and after it is known who asks */
bool stage_limits(struct gateway *gateway, struct gateway_request *request,
                  struct refusal *refusal);
bool stage_key_rate(struct gateway *gateway, struct gateway_request *request,
                    struct refusal *refusal);
/* flow.c: how many at a time */
bool stage_concurrency(struct gateway *gateway, struct gateway_request *request,
                       struct refusal *refusal);
/* The request is over.  Others go on in its place at once, or with the next tick. */
void flow_leave(struct gateway *gateway, struct gateway_request *request, bool at_once);
void flows_tick(struct gateway *gateway);
/* static.c */
bool stage_static(struct gateway *gateway, struct gateway_request *request,
                  struct refusal *refusal);
/* Answers with the page that stands for this status, and these fields besides; false: there is
 * none, and nothing was answered. */
bool page_answer(struct gateway *gateway, struct gateway_request *request, int status,
                 const struct http_field *more, size_t more_count, bool *answered);
/* cors.c */
bool stage_cors(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal);
/* Does it come from a page that may read the answer?  Once its rules are known. */
void cors_note_origin(struct gateway_request *request);
/* OPTIONS with an origin and the method that a browser wants to use later. */
bool cors_is_preflight(const struct http_request *asked, enum http_method *will_ask);
/* What every answer says of the page that asked; how many fields, at most CORS_FIELDS_MAX. */
enum {
    CORS_FIELDS_MAX = 4
};
size_t cors_fields(struct http_field *fields, const struct gateway_request *request);
/* The same of what a sealed request came in. */
size_t cors_outer_fields(struct http_field *fields, const struct gateway *gateway,
                         const struct gateway_request *request);
/* The rules of the node's own resources; *rules is NULL without origins. */
MUST_CHECK bool cors_page_rules(struct rules **rules, const struct gateway_list *origins,
                                struct error *error);
/* A field that only the gateway may set for this application. */
bool cors_is_ours(const struct gateway_request *request, struct bytes name);

/* identity.c */
bool stage_identity(struct gateway *gateway, struct gateway_request *request,
                    struct refusal *refusal);
/* By the web token that it bears; sets awaits_keys. */
bool jwt_identify(struct gateway *gateway, struct gateway_request *request, struct error *error);
/* keys_wait.c: requests whose web token can't be judged yet */
bool stage_keys(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal);
/* May one more wait? */
bool keys_have_room(const struct gateway *gateway, const struct gateway_request *request);
void keys_leave(struct gateway *gateway, struct gateway_request *request);
void keys_tick(struct gateway *gateway);
/* An Authorization field of kind Bearer. */
bool bearer_of(const struct http_request *request, struct bytes *token);
bool stage_body(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal);

/* answer.c */
bool answer_request(struct gateway *gateway, struct gateway_request *request,
                    const struct http_answer *answer);
bool answer_refusal(struct gateway *gateway, struct gateway_request *request,
                    const struct refusal *refusal);
/* gateway.c */
/* Goes on with a request that waited: its next stage is the one behind. */
void request_resume(struct gateway *gateway, struct gateway_request *request);
/* As answer_request and answer_refusal, but also lets go of a request that the server does not know
 * yet. */
void request_answer(struct gateway *gateway, struct gateway_request *request,
                    const struct http_answer *answer);
void request_refuse(struct gateway *gateway, struct gateway_request *request,
                    const struct refusal *refusal);
struct gateway_request *request_find(struct gateway *gateway, struct http_handle handle);
void request_release(struct gateway *gateway, struct gateway_request *request);
const struct application_routes *application_find(const struct gateway *gateway, struct bytes name);
/* The release that answers this request; NULL: there is none. */
const struct version_routes *release_choose(const struct application_routes *known,
                                            const char *request_id);

#endif
