/* SPDX-License-Identifier: Apache-2.0 */
/* The server's state: what the handlers of its API work on.  One thread, the event loop's. */
#ifndef S3ND_NODE_H
#define S3ND_NODE_H

#include "base/processor.h"
#include "cmd/s3nd/config.h"
#include "cmd/s3nd/identity.h"
#include "cmd/s3nd/listeners.h"
#include "cmd/s3nd/node_collateral.h"
#include "cmd/s3nd/node_control.h"
#include "cmd/s3nd/node_health.h"
#include "cmd/s3nd/node_issuers.h"
#include "cmd/s3nd/node_metrics.h"
#include "cmd/s3nd/node_outbound.h"
#include "cmd/s3nd/node_telemetry.h"
#include "cmd/s3nd/supervisor_client.h"
#include "functions/compiler.h"
#include "functions/deployment.h"
#include "functions/invocation.h"
#include "functions/members.h"
#include "functions/owners.h"
#include "functions/secrets.h"
#include "functions/tokens.h"
#include "functions/trial.h"
#include "gateway/gateway.h"
#include "keys/event_copy.h"
#include "logs/logbook.h"
#include "services/attest.h"
#include "services/key.h"
#include "services/kv.h"
#include "services/secret.h"
#include "slipstream/handover.h"
#include "slipstream/restoring.h"
#include "state/states.h"

#include <uv.h>

struct node {
    struct handover handover;
    bool has_restoring; /* a choice of the process backend */
    struct restoring restoring;
    uint64_t memory_size; /* of the machine */
    unsigned core_count;
    const struct config *config;
    uv_loop_t loop;
    struct listener_address address;
    struct supervisor_client *supervisor;
    struct keeper *keeper;
    struct keeper_info info;
    struct processor processor;
    bool has_optimiser;
    bool keeper_is_lost; /* a new one was asked for */
    uv_poll_t *keeper_watch;
    struct store *store;
    uv_prepare_t *store_watch;
    struct secret32 states_key; /* seals the states' records */
    struct states *states;
    uv_poll_t *states_watch;
    struct secret32 logs_key; /* the same of the logs' store */
    struct logbook *logs;     /* NULL: there are none */
    uv_poll_t *logs_watch;
    struct blobs *blobs;
    struct owners *owners;
    struct members *members;
    struct tokens *tokens;
    struct node_issuers *issuers;
    struct audit *audit;
    struct quotas *quotas;
    struct registry *registry;
    struct compiler compiler;
    struct deployer *deployer;
    struct trier trier;
    struct receipt_book *receipts;
    struct services *services;
    struct attest_source attest; /* for services */
    struct kv_service kv;
    struct keeper_desk *desk;
    uv_poll_t *desk_watch;
    struct secrets *secrets;
    struct secret_service secret;
    struct key_service key;
    struct invoker *invoker;
    struct identity identity;
    struct event_copy events;
    bool events_failed; /* the last entry could not be recorded */
    struct gateway *gateway;
    struct http_server *http;
    bool has_handover, accepts_no_more;
    uint64_t number; /* random: tells one server from its successor */
    unsigned upgrades_failed;
    uint64_t handover_since_ms;
    uv_timer_t handover_timer;
    int control_socket; /* -1: none */
    struct node_control *control;
    struct node_backup *backup; /* under way */
    struct node_check *check;   /* the same */
    uv_timer_t publication;
    bool has_publication;
    uv_timer_t renewal;
    bool has_renewal;
    uv_timer_t sweep;
    size_t refreshed; /* applications looked at for images of another compiler */
    bool stopping, stopped;
    bool lost_supervisor;
    struct node_metrics *metrics;
    struct node_assets *assets;       /* made when first needed */
    struct node_telemetry *telemetry; /* NULL: nothing is exported */
    struct node_health health;
    struct node_outbound *outbound;
    struct node_collateral *collateral; /* NULL: this platform's evidence needs none */
};

/* Answers a request that was answered before (an Idempotency-Key): *replayed.  EXISTS: the key
 * was another request's. */
MUST_CHECK bool node_replay(struct node *node, const struct gateway_call *call,
                            const struct application *application, bool *replayed,
                            struct error *error);
/* What it says of a result, with or without fields. */
void node_answer_result(struct node *node, struct http_handle handle,
                        const struct gateway_invocation *invocation,
                        const struct envelope_answer *answer, struct bytes output);
/* Of gateway_options. */
struct assets *node_assets_find(void *context, struct bytes application, uint64_t version,
                                struct bytes function, struct error *error);
void node_assets_free(struct node *node);
/* Tells the gateway which routes an application has; removes them when nothing is served. */
void node_publish_routes(struct node *node, const char *name, const struct registry_entry *entry);
/* The same, and which versions' workers are needed. */
void node_serving_changed(struct node *node, const char *name);
/* Asks for a worker and ends it: node_health hears whether one can be had. */
bool node_worker_try(struct node *node);
int64_t node_now_s(void);
/* A key that may release for the caller's account; false: it may not. */
bool node_signer_find(struct node *node, const struct gateway_call *call, const struct digest32 *id,
                      struct ecdsa_public *key);
/* Who asks (node_access.c), as struct gateway_options has it. */
bool node_key_find(void *context, const struct digest32 *id, struct bytes application,
                   struct ecdsa_public *key, struct access_caller *caller, struct error *error);
/* Borrowed until the next call. */
struct gateway_list node_page_origins(const struct node *node);
bool node_host_is_known(void *context, struct bytes authority);
bool node_token_find(void *context, struct bytes text, struct access_caller *caller,
                     struct error *error);
/* A renewed identity: for new connections, and for the operator's tls.crt. */
void node_use_identity(struct node *node);
/* At the start; `socket` is one of a keeper that runs (-1: it is asked for).  Then the keeper is
 * watched, and replaced when it dies. */
MUST_CHECK bool node_keeper_connect(struct node *node, int socket, struct error *error);
void node_keeper_unwatch(struct node *node);
/* After a call to the keeper failed for want of one: asks the supervisor for another. */
void node_keeper_failed(struct node *node, const struct error *error);

/* The node's own store; closing has its last head remembered. */
MUST_CHECK bool node_store_open(struct node *node, struct error *error);
void node_store_close(struct node *node);
/* The key of another store, which this one has sealed; made when there is none. */
MUST_CHECK bool node_root_key(struct node *node, struct secret32 *key, const char *record,
                              struct error *error);
/* The applications' states, from the store's folder; after the store. */
MUST_CHECK bool node_states_open(struct node *node, struct error *error);
/* Of the gateway: calls about a state that is not in memory wait until it has been read. */
bool node_call_waits(void *context, const struct gateway_call *call, bool *waits,
                     struct error *error);
/* Keeps the counts of this hour. */
void node_quotas_close(struct node *node);
/* Last uses are stored before. */
void node_tokens_close(struct node *node);
/* For the registry: an application that goes for good takes its state along. */
MUST_CHECK bool node_states_forget(void *context, const char *application,
                                   const struct digest32 *owner, struct error *error);
void node_states_close(struct node *node);
/* Secrets, and the desk for what the keeper is asked without waiting; after the store. */
MUST_CHECK bool node_secrets_open(struct node *node, struct error *error);
/* After the invoker has gone. */
void node_secrets_close(struct node *node);
/* What functions logged, from the store's folder; after the store and the owners.  A node without
 * them serves all the same, and says why. */
void node_logs_open(struct node *node);
void node_logs_close(struct node *node);
/* For the invoker. */
void node_logged(void *context, const struct invocation_log *log);
/* The event log (node_events.c): once there is a keeper; then what is loaded is recorded, and
 * whatever else docs/event-log.md lists: `details` is an object as attest/events/events.h has it (a
 * `policy` has a member "change").  Record it before it counts. */
MUST_CHECK bool node_events_start(struct node *node, struct error *error);
struct load_recorder node_load_recorder(struct node *node);
MUST_CHECK bool node_record_event(struct node *node, const char *kind, const char *details,
                                  struct error *error);

/* How the node does, for its operator: an object with the array "problems" (node_status.c). */
json_t *node_status_tree(struct node *node);

/* Compiles anew what another version of the compiler made (node_refresh.c). */
void node_refresh(struct node *node);
/* Gracefully, once; `context`: the node. */
void node_stop(void *context);
/* node_publish.c: the certificate, the claim code and that the node serves, to the supervisor; then
 * the operator can ask.  A successor's are late, so that the supervisor has its hands free for the
 * requests that waited. */
MUST_CHECK bool node_publish(struct node *node, bool is_successor, struct error *error);
void node_publish_end(struct node *node);

/* node_handover.c: the same for a successor's sake. */
void node_hand_over(void *context, bool is_there);
void node_handover_end(struct node *node);

/* Handlers, by operation (api_*.c). */
/* The node's attestation for a nonce; `context`: the node. */
bool attestation_write_for(void *context, const uint8_t nonce[ATTEST_NONCE_SIZE],
                           struct buffer *text, struct error *error);

gateway_handle_call api_health, api_info, api_attestation, api_events, api_session, api_receipt_get,
    api_sealing_key;
/* The keeper's, for requests sealed to the present keyset. */
bool node_sealed_context(void *context, const struct ohttp_request *request,
                         struct hpke_context *secrets, struct error *error);
gateway_handle_call api_owner_claim, api_owner_keys, api_owner_rotate;
gateway_handle_call api_caller_get, api_token_create, api_token_list, api_token_revoke,
    api_member_list, api_member_put, api_member_remove, api_audit_read;
gateway_handle_call api_blob_check, api_blob_put;
gateway_handle_call api_application_put, api_application_list, api_application_get,
    api_application_delete, api_application_restore;
gateway_handle_call api_version_list, api_version_get, api_version_delete, api_version_restore,
    api_version_sign, api_rollout, api_rollback;
gateway_handle_call api_invoke;
gateway_handle_call api_kv_show, api_kv_import, api_kv_list, api_kv_get, api_kv_set, api_kv_delete;
gateway_handle_call api_admin_health, api_admin_ready, api_admin_metrics, api_admin_status;
gateway_handle_call api_application_metrics;
gateway_handle_call api_secret_list, api_secret_get, api_secret_put, api_secret_delete;
gateway_handle_call api_logs;

#endif
