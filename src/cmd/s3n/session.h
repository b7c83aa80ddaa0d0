/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation with a node: the evidence first, then requests over TLS to exactly the key that
 * the evidence vouches for, signed with the owner's key.  When the node has renewed its keyset in
 * the meantime, the session asks for evidence again and goes on. */
#ifndef S3N_SESSION_H
#define S3N_SESSION_H

#include "cmd/s3n/cli.h"
#include "cmd/s3n/collateral_source.h"
#include "cmd/s3n/profile.h"
#include "cmd/s3n/trust.h"
#include "keys/bundle.h"
#include "keys/verify.h"
#include "net/client.h"

enum {
    SESSION_ANSWER_SIZE_MAX = 64 << 20,
    SESSION_HINT_SIZE = 256
};

struct session {
    struct profile profile;
    struct trust trust;              /* by whom evidence is judged */
    struct verify_result seen;       /* of the last evidence that was asked for */
    struct collateral_source source; /* for what that evidence lacks; unused by default */
    struct collateral gathered;
    struct buffer evidence; /* the last, with what was gathered */
    struct error unfetched; /* why something is still lacking; code 0: nothing is */
    struct keyset keyset;   /* of the profile */
    struct digest32 keyset_digest;
    struct ecdsa_key *key;
    const char *api_key; /* sent instead of signatures; NULL: there is none */
    struct http_client *client;
    bool is_bound;                /* the client uses one TLS session that the node vouched for */
    char hint[SESSION_HINT_SIZE]; /* what the node advised with its last error; may be empty */
};

void session_init(struct session *session);
void session_done(struct session *session);
#define AUTO_SESSION __attribute__((cleanup(session_done)))

/* First contact: asks for evidence, verifies it by session->trust, pins the keyset and keeps what
 * was said of trust.  UNVERIFIED names the step; session->seen has what was found. */
MUST_CHECK bool session_login(struct session *session, const char *url, struct error *error);
/* The same without a key of one's own, and nothing is kept. */
MUST_CHECK bool session_look(struct session *session, const char *url, struct error *error);
/* With the profile of an earlier login, and its trust.  `policy`: a file to judge the node by
 * instead, now, before anything else is asked of it; or NULL. */
MUST_CHECK bool session_open(struct session *session, const char *policy, struct error *error);

struct session_request {
    enum http_method method;
    const char *target;
    const char *content_type; /* NULL: none */
    struct bytes body;
    bool is_signed;
    const char *nonce;   /* 64 hex digits for the receipt, or NULL */
    const char *release; /* a signature under the version that is deployed, or NULL */
    bool (*progress)(void *context, uint64_t sent, uint64_t received);
    void *progress_context;
};
/* Any status is an answer. */
MUST_CHECK bool session_request(struct session *session, const struct session_request *request,
                                struct http_client_answer *answer, struct error *error);
/* The node's error in an answer whose status is not 2xx; false, with the hint kept. */
bool session_error_of(struct session *session, const struct http_client_answer *answer,
                      struct error *error);
/* Like session_request; a status other than 2xx is an error. */
MUST_CHECK bool session_call(struct session *session, const struct session_request *request,
                             struct http_client_answer *answer, struct error *error);
/* Pins the keyset that the node has now, with evidence that holds: it may have another since. */
MUST_CHECK bool session_renew(struct session *session, struct error *error);
/* Fresh evidence over the pinned keyset, verified, for keeping. */
MUST_CHECK bool session_attestation(struct session *session, struct attestation *attestation,
                                    struct error *error);
/* What the last evidence was found to be, as messages: its steps, and the policy's rules unless
 * `is_brief`. */
void session_show(const struct session *session, struct cli *cli, bool is_brief);
/* The same in full, when the last evidence was refused. */
void session_show_refusal(const struct session *session, struct cli *cli);

#endif
