/* SPDX-License-Identifier: Apache-2.0 */
/* What the node's public port speaks: the API of api/openapi.yaml, function routes under
 * /a/<application>/, and the admin port's pages.
 *
 * A request passes a fixed chain of stages (docs/middleware.md): request id, trace, route, limits,
 * identity (message signature), content digest, dispatch.  Then the handler of its operation runs,
 * which the program supplies; this module knows nothing of functions or stores.  Owns: the route
 * table, request ids, nonces seen.  Never: blocks, logs, keeps a request after its answer.  One
 * thread, the event loop's. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "access/access.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/ecdsa.h"
#include "crypto/ohttp.h"
#include "gateway/limits.h"
#include "gateway/middleware.h"
#include "metrics/trace_context.h"
#include "net/server.h"

/* Who may call: anyone; whoever holds the key that the body presents ("public_key", a JWK); anyone
 * who reaches the loopback admin port; whoever has a scope (ACCESS_SCOPES) on the account, by key
 * or token. */
enum gateway_access {
    GATEWAY_ACCESS_OPEN,
    GATEWAY_ACCESS_BEARER_OF_KEY,
    GATEWAY_ACCESS_ADMIN,
    GATEWAY_ACCESS_SCOPED,
    GATEWAY_ACCESS_BEFORE_SCOPES = GATEWAY_ACCESS_SCOPED - 1,
#define GATEWAY_ACCESS_ENUM(name, text, role, for_tokens) GATEWAY_ACCESS_##name,
    ACCESS_SCOPES(GATEWAY_ACCESS_ENUM)
#undef GATEWAY_ACCESS_ENUM
};

/* operation, method, pattern, access, largest body.  Parameters by name: see struct gateway_call.
 * FUNCTION_ROUTE stands for every method and for what gateway_routes_set declared. */
#define GATEWAY_OPERATIONS(X)                                                                      \
    X(HEALTH, GET, "/.well-known/s3n/health", OPEN, 0)                                             \
    X(INFO, GET, "/.well-known/s3n/info", OPEN, 0)                                                 \
    X(ATTESTATION, GET, "/.well-known/s3n/attestation", OPEN, 0)                                   \
    X(EVENTS, GET, "/.well-known/s3n/events", OPEN, 0)                                             \
    X(SESSION, GET, "/.well-known/s3n/session", OPEN, 0)                                           \
    X(SEALING_KEY, GET, "/.well-known/ohttp-gateway", OPEN, 0)                                     \
    X(SEALED, POST, "/.well-known/ohttp-gateway", OPEN, GATEWAY_SEALED_SIZE_MAX)                   \
    X(RECEIPT_GET, GET, "/.well-known/s3n/receipts/:id", OPEN, 0)                                  \
    X(OWNER_CLAIM, POST, "/v1/owners/claim", BEARER_OF_KEY, GATEWAY_JSON_BODY_SIZE_MAX)            \
    X(OWNER_KEYS, GET, "/v1/owners/keys", READ, 0)                                                 \
    X(OWNER_ROTATE, POST, "/v1/owners/keys", MEMBERS, 8192)                                        \
    X(CALLER_GET, GET, "/v1/caller", READ, 0)                                                      \
    X(TOKEN_CREATE, POST, "/v1/tokens", TOKENS, 4096)                                              \
    X(TOKEN_LIST, GET, "/v1/tokens", READ, 0)                                                      \
    X(TOKEN_REVOKE, DELETE, "/v1/tokens/:id", TOKENS, 0)                                           \
    X(AUDIT_READ, GET, "/v1/audit", AUDIT, 0)                                                      \
    X(MEMBER_LIST, GET, "/v1/members", READ, 0)                                                    \
    X(MEMBER_PUT, PUT, "/v1/members/:digest", MEMBERS, 4096)                                       \
    X(MEMBER_REMOVE, DELETE, "/v1/members/:digest", MEMBERS, 0)                                    \
    X(BLOB_CHECK, HEAD, "/v1/blobs/:digest", DEPLOY, 0)                                            \
    X(BLOB_PUT, PUT, "/v1/blobs/:digest", DEPLOY, GATEWAY_BLOB_SIZE_MAX)                           \
    X(APPLICATION_PUT, PUT, "/v1/applications/:application", DEPLOY, GATEWAY_JSON_BODY_SIZE_MAX)   \
    X(APPLICATION_LIST, GET, "/v1/applications", READ, 0)                                          \
    X(APPLICATION_GET, GET, "/v1/applications/:application", READ, 0)                              \
    X(APPLICATION_DELETE, DELETE, "/v1/applications/:application", DELETE, 0)                      \
    X(APPLICATION_METRICS, GET, "/v1/applications/:application/metrics", METRICS, 0)               \
    X(KV_SHOW, GET, "/v1/applications/:application/kv", STATE_READ, 0)                             \
    X(KV_IMPORT, POST, "/v1/applications/:application/kv", STATE_WRITE,                            \
      GATEWAY_KV_IMPORT_SIZE_MAX)                                                                  \
    X(KV_LIST, GET, "/v1/applications/:application/kv/:namespace", STATE_READ, 0)                  \
    X(KV_GET, GET, "/v1/applications/:application/kv/:namespace/entry", STATE_READ, 0)             \
    X(KV_SET, PUT, "/v1/applications/:application/kv/:namespace/entry", STATE_WRITE,               \
      GATEWAY_JSON_BODY_SIZE_MAX)                                                                  \
    X(KV_DELETE, DELETE, "/v1/applications/:application/kv/:namespace/entry", STATE_WRITE, 0)      \
    X(SECRET_LIST, GET, "/v1/applications/:application/secrets", READ, 0)                          \
    X(SECRET_GET, GET, "/v1/applications/:application/secrets/:secret", READ, 0)                   \
    X(SECRET_PUT, PUT, "/v1/applications/:application/secrets/:secret", SECRETS,                   \
      GATEWAY_SECRET_SIZE_MAX)                                                                     \
    X(SECRET_DELETE, DELETE, "/v1/applications/:application/secrets/:secret", SECRETS, 0)          \
    X(LOGS, GET, "/v1/applications/:application/logs", LOGS, 0)                                    \
    X(APPLICATION_RESTORE, POST, "/v1/applications/:application/restore", DELETE, 0)               \
    X(ROLLOUT, POST, "/v1/applications/:application/rollout", ROLLOUT, 4096)                       \
    X(ROLLBACK, POST, "/v1/applications/:application/rollback", ROLLOUT, 4096)                     \
    X(VERSION_LIST, GET, "/v1/applications/:application/versions", READ, 0)                        \
    X(VERSION_GET, GET, "/v1/applications/:application/versions/:version", READ, 0)                \
    X(VERSION_DELETE, DELETE, "/v1/applications/:application/versions/:version", DELETE, 0)        \
    X(VERSION_RESTORE, POST, "/v1/applications/:application/versions/:version/restore", DELETE, 0) \
    X(VERSION_SIGN, POST, "/v1/applications/:application/versions/:version/signatures", DEPLOY,    \
      4096)                                                                                        \
    X(INVOKE, POST, "/v1/applications/:application/functions/:function/invoke", OPEN,              \
      GATEWAY_INPUT_SIZE_MAX)                                                                      \
    X(FUNCTION_ROUTE, GET, "/a/:application/*", OPEN, GATEWAY_INPUT_SIZE_MAX)                      \
    X(ADMIN_HEALTH, GET, "/healthz", ADMIN, 0)                                                     \
    X(ADMIN_READY, GET, "/readyz", ADMIN, 0)                                                       \
    X(ADMIN_METRICS, GET, "/metrics", ADMIN, 0)                                                    \
    X(ADMIN_STATUS, GET, "/status", ADMIN, 0)

enum gateway_operation {
#define GATEWAY_OPERATION_ENUM(name, method, pattern, access, body) GATEWAY_##name,
    GATEWAY_OPERATIONS(GATEWAY_OPERATION_ENUM)
#undef GATEWAY_OPERATION_ENUM
    GATEWAY_OPERATION_COUNT
};
const char *gateway_operation_name(enum gateway_operation operation);

struct gateway_parameter {
    const char *name;
    struct bytes value; /* percent-decoded, without '/' and NUL; for "*" the rest, not decoded */
};

/* A request with an Idempotency-Key: requests with equal names are one, or a mistake when their
 * fingerprints differ. */
struct gateway_repeat {
    bool has_key;
    struct digest32 key; /* of the key, and of who may use it */
    struct digest32 fingerprint;
    uint32_t retention_s;
};

/* One request at its handler.  Valid during the call and until it is answered, whichever ends
 * first; to answer later keep `handle`. */
struct gateway_call {
    struct http_handle handle;
    enum gateway_operation operation;
    const struct http_request *request; /* the body is complete */
    const char *request_id;             /* 32 hex digits */
    uint64_t arrived_ns;                /* monotonic: when its fields were there */
    const struct trace_context *trace;  /* where in the caller's trace, or in one of its own */
    struct bytes application;           /* checked names; empty when the route has none */
    struct bytes function;
    struct bytes receipt_id;   /* RECEIPT_GET, the token routes */
    struct bytes kv_namespace; /* as it came, decoded */
    struct bytes secret;       /* the same */
    struct digest32 digest;    /* of the blob routes; of the member routes: the key's */
    uint64_t number;           /* of the version routes */
    uint64_t first;            /* AUDIT_READ: the query's, or 1 */
    bool has_nonce;
    uint8_t nonce[32]; /* INVOKE: field s3n-nonce; ATTESTATION, SESSION: the query's nonce */
    bool
        is_sealed; /* it came inside SEALED; `request` is the one inside, and so is all else here */
    bool has_owner;                /* somebody proved who they are */
    struct digest32 owner;         /* the account that the call is for */
    struct ecdsa_public owner_key; /* that signed, if one did */
    struct access_caller caller;   /* who asks, with what rights */
    /* Of a function's caller who had to prove who they are: */
    struct bytes subject; /* the token's `sub`, or the caller's actor */
    struct bytes claims;  /* BY_JWT: canonical JSON */
    uint64_t version; /* of the application, chosen for this request; 0: it has no routes here */
    struct bytes path_info; /* INVOKE: "/"; FUNCTION_ROUTE: the path behind /a/<application> */
    const struct gateway_parameter *parameters;
    size_t parameter_count;
    struct gateway_repeat repeat;
};

struct assets; /* assets.h */

/* A function type, not a struct: the shape of every handler. */
typedef void gateway_handle_call(void *context, const struct gateway_call *call);

/* What a web token says. */
struct gateway_jwt {
    struct buffer *claims; /* appended to: canonical JSON */
    char *subject;         /* JWT_SUBJECT_SIZE_MAX + 1 bytes: its `sub` */
    /* With false: the keys to judge it with are on their way; gateway_keys_changed when they came.
     */
    bool is_coming;
};

struct gateway_options {
    const struct clock *clock;
    /* By operation; NULL answers 501. */
    gateway_handle_call *handlers[GATEWAY_OPERATION_COUNT];
    /* Whether the node answers to this name (an authority: maybe with a port); NULL: to all. */
    bool (*host_is_known)(void *context, struct bytes authority);
    /* The key by this id, and what it may do; `application` (may be empty) is what the call is
     * about, and decides for which account.  UNAUTHENTICATED: unknown, or not valid any more. */
    bool (*key_find)(void *context, const struct digest32 *id, struct bytes application,
                     struct ecdsa_public *key, struct access_caller *caller, struct error *error);
    /* The same of a token's text. */
    bool (*token_find)(void *context, struct bytes text, struct access_caller *caller,
                       struct error *error);
    /* A web token for the call's application and version: how = ACCESS_BY_JWT and actor are set
     * here.  UNAUTHENTICATED; UNAVAILABLE while the issuer's keys can't be had. */
    bool (*jwt_check)(void *context, const struct gateway_call *call, struct bytes token,
                      struct gateway_jwt *jwt, struct error *error);
    /* The secrets of a sealed request, from whoever has the private key; NULL: none are opened.
     * UNVERIFIED when it is for another key. */
    bool (*sealed_context)(void *context, const struct ohttp_request *request,
                           struct hpke_context *secrets, struct error *error);
    /* The files of a function of this version, until the next call; NULL for the error's reason.
     * May itself be NULL: this node serves no files. */
    struct assets *(*assets_find)(void *context, struct bytes application, uint64_t version,
                                  struct bytes function, struct error *error);
    /* Pages of these origins (as in struct gateway_cors; copied) may use what needs no credentials
     * and is no function: evidence, the sealing key, sealed requests.  None: no page may. */
    struct gateway_list page_origins;
    /* Whether something must be read from the disk before the call can be handled: then *waits, and
     * gateway_call_goes_on once, later.  The call is refused with the error.  May be NULL. */
    bool (*call_waits)(void *context, const struct gateway_call *call, bool *waits,
                       struct error *error);
    /* The client of an unanswered call is gone; may be NULL. */
    void (*call_gone)(void *context, struct http_handle handle);
    void *context;
    size_t input_size_max; /* of an invocation; 0: GATEWAY_INPUT_SIZE_MAX */
    size_t blob_size_max;
};

struct gateway;

MUST_CHECK bool gateway_new(struct gateway **gateway, const struct gateway_options *options,
                            struct error *error);
void gateway_free(struct gateway *gateway);
DEFINE_AUTO(gateway, gateway_free)
/* The handler to make the HTTP server with; then tell the gateway the server.  The server must be
 * freed first. */
struct http_server_handler gateway_server_handler(struct gateway *gateway);
void gateway_set_server(struct gateway *gateway, struct http_server *server);
/* An issuer's keys came, or could not be had: what waits for some is judged again.  NULL: nothing.
 */
void gateway_keys_changed(struct gateway *gateway);
/* What a call waited for is there (NULL), or why not: then it is refused.  Nothing when its client
 * has gone. */
void gateway_call_goes_on(struct gateway *gateway, struct http_handle handle,
                          const struct error *failure);

/* A function route: "/quote/:pair", or with a final star segment for all that follows (functions
 * checks how a manifest may write them).  From the left, static segments win over ":name", which
 * wins over the star. */
enum gateway_auth {
    GATEWAY_AUTH_PUBLIC,
    GATEWAY_AUTH_TOKEN, /* an API token of the account with the scope `invoke` */
    GATEWAY_AUTH_OWNER, /* a key of the account with it */
    GATEWAY_AUTH_JWT,   /* see jwt_check */
    GATEWAY_AUTH_MEMBER /* TOKEN or OWNER: calls by name, where a route of the function is not
                           public */
};
struct gateway_route {
    const char *pattern;
    const char *function;
    uint32_t methods; /* bit 1 << enum http_method; 0: every method */
    bool is_sealed_only;
    enum gateway_auth auth;
    const char *folder; /* of the function's files, which answer in its place; NULL: it runs */
};
/* The routes of one version, and how many of a hundred requests it answers.  Which version answers
 * a request is chosen once, from its id, before its route is looked for: so a request never meets
 * parts of two versions. */
struct gateway_release {
    uint64_t version;
    unsigned weight;
    const struct gateway_route *routes;
    size_t route_count;
    const struct gateway_middleware *middleware; /* copied; NULL: none */
    struct digest32 account;                     /* whose application it is */
};
enum {
    GATEWAY_RELEASE_COUNT_MAX = 2
};
/* Replaces the routes of an application; the weights sum up to 100.  INVALID says which pattern
 * can't be one. */
MUST_CHECK bool gateway_routes_set(struct gateway *gateway, const char *application,
                                   const struct gateway_release *releases, size_t count,
                                   struct error *error);
void gateway_routes_remove(struct gateway *gateway, const char *application);

/* All answers: false when the client is gone (nothing to do).  Each adds s3n-request-id; the
 * server adds what frames the message. */
bool gateway_answer(struct gateway *gateway, struct http_handle handle,
                    const struct http_answer *answer);
/* Takes over the reference to `json`, also when it fails. */
bool gateway_answer_json(struct gateway *gateway, struct http_handle handle, int status,
                         json_t *json);
/* {"error":{"code","message","hint"},"request_id"}; `hint` may be NULL. */
bool gateway_answer_error(struct gateway *gateway, struct http_handle handle,
                          const struct error *error, const char *hint);

/* 422: this Idempotency-Key was another request's. */
bool gateway_answer_key_reused(struct gateway *gateway, struct http_handle handle);

/* What goes out with an invocation's answer. */
struct gateway_invocation {
    const char *invocation_id;
    const char *receipt; /* JWT; NULL when none could be made */
    uint64_t duration_us;
    uint32_t pad_size; /* of struct http_answer */
    bool is_replayed;  /* it was answered before, to the same request */
};
/* A function's answer. */
struct gateway_output {
    struct bytes body;
    bool
        has_head; /* the function said what follows; otherwise the body may begin with CGI fields */
    int status;
    const struct http_field *fields; /* fit for an answer; at most GATEWAY_OUTPUT_FIELDS_MAX */
    size_t field_count;
};
/* INVOKE gets the body as it is, with the function's status as s3n-status; FUNCTION_ROUTE an answer
 * made of it all, where a body without a head may begin with CGI fields (RFC 3875 section 6:
 * Status, Content-Type, Location, others). */
bool gateway_answer_invocation(struct gateway *gateway, struct http_handle handle,
                               const struct gateway_invocation *invocation,
                               const struct gateway_output *output);
/* A failed one: `name` is "trapped", "function-failed", "timeout", "crashed", "limit", ...; status
 * as the caller says. */
bool gateway_answer_failure(struct gateway *gateway, struct http_handle handle,
                            const struct gateway_invocation *invocation, int status,
                            const char *name, const char *message);

/* Appends the CGI variables of a call (RFC 3875 section 4.1, HTTP_*, S3N_*), each NAME=value with a
 * NUL, and counts them: the mailbox's environment. */
MUST_CHECK bool gateway_call_environment(struct buffer *environment, unsigned *count,
                                         const struct gateway_call *call, struct error *error);

#endif
