/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/server.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/choices.h"
#include "cmd/s3nd/launcher.h"
#include "cmd/s3nd/node.h"
#include "cmd/s3nd/node_services.h"
#include "cmd/s3nd/remote_compiler.h"
#include "cmd/s3nd/server_jail.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/crypto.h"
#include "crypto/random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    RENEWAL_LOOK_MS = 1000, /* the clock may have been set */
    RENEWAL_RETRY_MS = 10000,
    SWEEP_MS = 20000,
    ANSWER_GRACE_MS = 30000 /* queueing and starting, beyond a function's own time */
};

int64_t node_now_s(void)
{
    return (int64_t)(clock_realtime_ns(&clock_system) / 1000000000);
}

/* --- workers from the supervisor --- */

struct worker_wish {
    struct node *node;
    worker_done *done;
    void *context;
};

static void worker_arrived(void *context, struct ipc_message *answer, const struct error *error)
{
    struct worker_wish wish = *(struct worker_wish *)context;
    free(context);
    if (answer == NULL || answer->descriptor_count != 1) {
        struct error malformed;
        error_set(&malformed, ERROR_INTERNAL, "the supervisor's answer is malformed");
        node_health_worker(wish.node, false);
        wish.done(wish.context, -1, 0, error == NULL ? &malformed : error);
        return;
    }
    struct reader reader = reader_of(answer->payload);
    int process = (int)read_u32_le(&reader);
    int socket = answer->descriptors[0];
    answer->descriptors[0] = -1;
    node_health_worker(wish.node, true);
    wish.done(wish.context, socket, process, NULL);
}

static bool worker_request(void *context, worker_done *done, void *done_context,
                           struct error *error)
{
    struct node *node = context;
    struct worker_wish *wish = malloc(sizeof(*wish));
    if (wish == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to ask for a worker");
    *wish = (struct worker_wish){ node, done, done_context };
    if (supervisor_request(node->supervisor, SUPERVISOR_WORKER, (struct bytes){ 0 }, NULL, 0,
                           worker_arrived, wish, error))
        return true;
    free(wish);
    return false;
}

static void worker_ended(void *context, struct ipc_message *answer, const struct error *error)
{
    (void)context;
    if (answer == NULL)
        log_error("end of a worker", error);
}

static void worker_end(void *context, int process)
{
    struct node *node = context;
    uint8_t number[4];
    struct writer writer = writer_into(number, sizeof(number));
    write_u32_le(&writer, (uint32_t)process);
    struct error error;
    if (!supervisor_request(node->supervisor, SUPERVISOR_WORKER_END, writer_view(&writer), NULL, 0,
                            worker_ended, NULL, &error))
        log_error("end of a worker", &error);
}

/* A worker for nothing but to see whether one can be had. */
static void worker_tried(void *context, int socket, int process, const struct error *error)
{
    (void)error;
    if (socket < 0)
        return;
    file_close(&socket);
    worker_end(context, process);
}

bool node_worker_try(struct node *node)
{
    struct error error;
    return worker_request(node, worker_tried, node, &error);
}

/* --- identity --- */

static void certificate_written(void *context, struct ipc_message *answer,
                                const struct error *error)
{
    (void)context;
    if (answer == NULL)
        log_error("write tls.crt", error);
}

void node_use_identity(struct node *node)
{
    struct error error;
    http_server_set_tls(node->http, node->identity.tls);
    if (!supervisor_request(node->supervisor, SUPERVISOR_CERTIFICATE,
                            buffer_view(&node->identity.certificate), NULL, 0, certificate_written,
                            NULL, &error))
        log_error("write tls.crt", &error);
}

static void renew(uv_timer_t *timer)
{
    struct node *node = timer->data;
    struct error error;
    uint64_t again_ms = RENEWAL_LOOK_MS;
    if (!identity_is_due(&node->identity)) {
        uv_timer_start(timer, renew, again_ms, 0);
        return;
    }
    if (identity_renew(&node->identity, node->keeper, node->receipts, node->address.text, &error)) {
        log_line(LOG_LEVEL_INFO, "keyset renewed", NULL);
        node_use_identity(node);
    } else {
        log_error("renew keyset", &error);
        node_keeper_failed(node, &error);
        /* Denied: the clock was set in between. */
        again_ms = error.code == ERROR_DENIED ? RENEWAL_LOOK_MS : RENEWAL_RETRY_MS;
    }
    uv_timer_start(timer, renew, again_ms, 0);
}

/* --- stopping --- */

static void http_stopped(void *context)
{
    struct node *node = context;
    node->stopped = true;
    uv_stop(&node->loop);
}

void node_stop(void *context)
{
    struct node *node = context;
    if (node->stopping)
        return;
    node->stopping = true;
    if (node->http == NULL)
        exit(0); /* nobody was served yet */
    http_server_stop(node->http, node->config->drain_ms, http_stopped, node);
}

static void supervisor_lost(void *context)
{
    struct node *node = context;
    node->lost_supervisor = true;
    uv_stop(&node->loop);
}

/* --- what was deleted --- */

static void sweep(uv_timer_t *timer)
{
    struct node *node = timer->data;
    struct error error;
    node_health_look(node);
    if (!registry_sweep(node->registry, node_now_s(), &error) ||
        !secrets_sweep(node->secrets, node_now_s(), &error) ||
        !tokens_sweep(node->tokens, node_now_s(), &error) ||
        !quotas_keep(node->quotas, node->store, &error)) {
        log_error("sweep", &error);
        node_keeper_failed(node, &error);
    }
}

/* --- the optimised tier --- */

static void optimised(void *context, const struct deployment_result *result,
                      const struct error *error)
{
    struct node *node = context;
    if (result == NULL) {
        log_error("optimise", error);
        return;
    }
    const char *name = result->application->manifest->application;
    log_line(LOG_LEVEL_INFO, "optimised", "application", name, NULL);
    node_serving_changed(node, name);
    if (registry_is_served(node->registry, result->application))
        invoker_warm(node->invoker, result->application);
}

static void function_hot(void *context, struct application *application, size_t function,
                         const char *functions)
{
    struct node *node = context;
    struct deployment_optimisation wanted = { application, function, functions };
    struct error error;
    log_line(LOG_LEVEL_INFO, "optimising", "application", application->manifest->application,
             "function", application->manifest->functions[function].name, NULL);
    if (!deployment_optimise(node->deployer, &wanted, optimised, node, &error))
        log_error("optimise", &error);
}

/* --- starting --- */

static bool open_store(struct node *node, struct error *error)
{
    const struct config *config = node->config;
    if (!node_way_back(node, error) || !node_store_open(node, error) ||
        !audit_open(&node->audit, node->store, error) ||
        !quotas_new(&node->quotas, &config->quotas, error) ||
        !quotas_load(node->quotas, node->store, error))
        return false;
    struct registry_options options = { .store = node->store,
                                        .audit = node->audit,
                                        .quotas = node->quotas,
                                        .retention_s = config->retention_s,
                                        .forget = node_states_forget,
                                        .context = node };
    return owners_open(&node->owners, node->store, config->owners, config->owner_count, error) &&
           members_open(&node->members, node->store, node->audit, error) &&
           tokens_open(&node->tokens, node->store, node->audit, error) &&
           registry_open(&node->registry, &options, error) &&
           blobs_new(&node->blobs, node->store, BLOBS_KEPT_SIZE, error) &&
           node_states_open(node, error) && node_secrets_open(node, error);
}

static uint64_t worker_memory(const struct node *node)
{
    uint64_t mib = node->config->worker_memory_mib;
    return mib != 0 ? mib << 20 : node->memory_size / 2;
}

static bool open_functions(struct node *node, struct error *error)
{
    node->compiler = remote_compiler(node->supervisor);
    struct deployer_options deployer = {
        .registry = node->registry,
        .store = node->store,
        .blobs = node->blobs,
        .compiler = &node->compiler,
        .clock = &clock_system,
        .trier = &node->trier,
        .loads = node_load_recorder(node),
        .policy = &node->config->policy,
    };
    node->trier = (struct trier){ .loop = &node->loop,
                                  .blobs = node->blobs,
                                  .workers = { node, worker_request, worker_end } };
    enum receipt_backend backend;
    if (!receipt_backend_of_name(&backend, node->config->backend))
        return error_set(error, ERROR_INVALID, "a server is told kvm or process, not %s",
                         error_quote(bytes_of_string(node->config->backend)).text);
    node_logs_open(node);
    node->kv.states = node->states;
    node->attest = (struct attest_source){ node, attestation_write_for };
    if (!node_services_open(node, error))
        return false;
    struct invoker_options invoker = {
        .backend = backend,
        .loop = &node->loop,
        .blobs = node->blobs,
        .workers = { node, worker_request, worker_end },
        .receipts = node->receipts,
        .services = node->services,
        .loads = node_load_recorder(node),
        .clock = &clock_system,
        .hot = node->has_optimiser ? function_hot : NULL,
        .hot_context = node,
        .input_size_max = (size_t)node->config->input_kib_max << 10,
        .worker_count_max = node->config->worker_count_max,
        .memory_size_max = worker_memory(node),
        .idle_ms = node->config->worker_idle_s * 1000ull,
        .idle_ms_min = node->config->worker_idle_s_min * 1000ull,
        .lane_count_min = node->config->lane_count_min,
        .lane_count_max = node->config->lane_count_max,
        .core_count = node->core_count,
        .logged = node_logged,
        .logged_context = node,
        .watches = node->handover.watches,
    };
    return deployer_new(&node->deployer, &deployer, error) &&
           invoker_new(&node->invoker, &invoker, error);
}

static void publish_all_routes(struct node *node)
{
    for (size_t i = 0; i < registry_count(node->registry); i++) {
        const struct registry_entry *entry = registry_at(node->registry, i);
        node_publish_routes(node, entry->name, entry);
    }
}

/* What is the same in every node. */
static const struct gateway_options gateway_fixed = {
    .clock = &clock_system,
    .sealed_context = node_sealed_context,
    .assets_find = node_assets_find,
    .handlers = {
        [GATEWAY_HEALTH] = api_health,
        [GATEWAY_INFO] = api_info,
        [GATEWAY_ATTESTATION] = api_attestation,
        [GATEWAY_EVENTS] = api_events,
        [GATEWAY_SESSION] = api_session,
        [GATEWAY_SEALING_KEY] = api_sealing_key,
        [GATEWAY_RECEIPT_GET] = api_receipt_get,
        [GATEWAY_OWNER_CLAIM] = api_owner_claim,
        [GATEWAY_OWNER_KEYS] = api_owner_keys,
        [GATEWAY_OWNER_ROTATE] = api_owner_rotate,
        [GATEWAY_CALLER_GET] = api_caller_get,
        [GATEWAY_TOKEN_CREATE] = api_token_create,
        [GATEWAY_TOKEN_LIST] = api_token_list,
        [GATEWAY_TOKEN_REVOKE] = api_token_revoke,
        [GATEWAY_AUDIT_READ] = api_audit_read,
        [GATEWAY_MEMBER_LIST] = api_member_list,
        [GATEWAY_MEMBER_PUT] = api_member_put,
        [GATEWAY_MEMBER_REMOVE] = api_member_remove,
        [GATEWAY_BLOB_CHECK] = api_blob_check,
        [GATEWAY_BLOB_PUT] = api_blob_put,
        [GATEWAY_APPLICATION_PUT] = api_application_put,
        [GATEWAY_APPLICATION_LIST] = api_application_list,
        [GATEWAY_APPLICATION_GET] = api_application_get,
        [GATEWAY_APPLICATION_DELETE] = api_application_delete,
        [GATEWAY_APPLICATION_METRICS] = api_application_metrics,
        [GATEWAY_KV_SHOW] = api_kv_show,
        [GATEWAY_KV_IMPORT] = api_kv_import,
        [GATEWAY_KV_LIST] = api_kv_list,
        [GATEWAY_KV_GET] = api_kv_get,
        [GATEWAY_KV_SET] = api_kv_set,
        [GATEWAY_KV_DELETE] = api_kv_delete,
        [GATEWAY_SECRET_LIST] = api_secret_list,
        [GATEWAY_SECRET_GET] = api_secret_get,
        [GATEWAY_SECRET_PUT] = api_secret_put,
        [GATEWAY_SECRET_DELETE] = api_secret_delete,
        [GATEWAY_LOGS] = api_logs,
        [GATEWAY_APPLICATION_RESTORE] = api_application_restore,
        [GATEWAY_ROLLOUT] = api_rollout,
        [GATEWAY_ROLLBACK] = api_rollback,
        [GATEWAY_VERSION_LIST] = api_version_list,
        [GATEWAY_VERSION_GET] = api_version_get,
        [GATEWAY_VERSION_DELETE] = api_version_delete,
        [GATEWAY_VERSION_RESTORE] = api_version_restore,
        [GATEWAY_VERSION_SIGN] = api_version_sign,
        [GATEWAY_INVOKE] = api_invoke,
        [GATEWAY_FUNCTION_ROUTE] = api_invoke,
        [GATEWAY_ADMIN_HEALTH] = api_admin_health,
        [GATEWAY_ADMIN_READY] = api_admin_ready,
        [GATEWAY_ADMIN_METRICS] = api_admin_metrics,
        [GATEWAY_ADMIN_STATUS] = api_admin_status,
    },
    .host_is_known = node_host_is_known,
    .key_find = node_key_find,
    .token_find = node_token_find,
    .jwt_check = node_jwt_check,
    .call_waits = node_call_waits,
};

static bool open_gateway(struct node *node, struct error *error)
{
    struct gateway_options options = gateway_fixed;
    options.page_origins = node_page_origins(node);
    options.context = node;
    options.input_size_max = (size_t)node->config->input_kib_max << 10;
    options.blob_size_max = (size_t)node->config->blob_kib_max << 10;
    if (!node_issuers_new(&node->issuers, node, error) ||
        !gateway_new(&node->gateway, &options, error))
        return false;
    publish_all_routes(node);
    return true;
}

static bool open_http(struct node *node, struct error *error)
{
    struct http_server_options options = {
        .loop = &node->loop,
        .handler = gateway_server_handler(node->gateway),
        .limits = { .answer_timeout_ms = TIMEOUT_MS_MAX + ANSWER_GRACE_MS },
        .tls = node->identity.tls,
    };
    if (!http_server_new(&node->http, &options, error))
        return false;
    gateway_set_server(node->gateway, node->http);
    return http_server_listen_socket(node->http, HTTP_LISTENER_TLS, SERVER_LISTEN_FD, error) &&
           http_server_listen_socket(node->http, HTTP_LISTENER_PLAIN, SERVER_ADMIN_FD, error);
}

static bool start(struct node *node, struct error *error)
{
    struct supervisor_events events = { node, node_stop, node_hand_over, supervisor_lost };
    int keeper = -1; /* a successor's was started ahead */
    node_control_find(node);
    random_bytes(&node->number, sizeof(node->number));
    /* Out of reach from the jail. */
    processor_read(&node->processor, PROCESSOR_FOLDER);
    node->memory_size = uv_get_total_memory();
    node->core_count = uv_available_parallelism();
    if (!choices_make(node, error))
        return false;
    if (uv_loop_init(&node->loop) != 0)
        return error_set(error, ERROR_SYSTEM, "event loop");
    if (!node_metrics_new(&node->metrics, error) ||
        !supervisor_client_new(&node->supervisor, &node->loop, SERVER_SUPERVISOR_FD, &events,
                               error) ||
        !listener_address_of(&node->address, SERVER_LISTEN_FD, error) ||
        !server_jail_enter(node->config, error) ||
        !supervisor_request_wait(node->supervisor, SUPERVISOR_STANDBY, (struct bytes){ 0 }, &keeper,
                                 error) ||
        !node_keeper_connect(node, keeper, error) || !node_events_start(node, error) ||
        !open_store(node, error) || !receipt_book_new(&node->receipts, &clock_system, error) ||
        !identity_renew(&node->identity, node->keeper, node->receipts, node->address.text, error) ||
        !open_functions(node, error) || !open_gateway(node, error) || !open_http(node, error) ||
        !node_publish(node, keeper >= 0, error))
        return false;
    uv_timer_init(&node->loop, &node->renewal);
    node->renewal.data = node;
    node->has_renewal = true;
    node_collateral_start(node);
    node_health_start(node);
    node_telemetry_start(node);
    uv_timer_init(&node->loop, &node->sweep);
    node->sweep.data = node;
    node_refresh(node);
    uv_timer_start(&node->renewal, renew, RENEWAL_LOOK_MS, 0);
    uv_timer_start(&node->sweep, sweep, SWEEP_MS, SWEEP_MS);
    return true;
}

static void node_done(struct node *node)
{
    if (node->has_renewal) {
        uv_close((uv_handle_t *)&node->renewal, NULL);
        uv_close((uv_handle_t *)&node->sweep, NULL);
    }
    node_handover_end(node);
    node_publish_end(node);
    node_control_end(node);
    node_keeper_unwatch(node);
    node_collateral_end(node);
    node_telemetry_end(node);
    http_server_free(node->http);
    gateway_free(TAKE(node->gateway));
    node_assets_free(node);
    invoker_free(node->invoker);
    node_states_close(node);
    node_secrets_close(node);
    node_logs_close(node);
    node_services_close(node);
    deployer_free(node->deployer);
    receipt_book_free(node->receipts);
    identity_done(&node->identity);
    registry_free(node->registry);
    node_quotas_close(node);
    audit_free(node->audit);
    blobs_free(node->blobs);
    node_tokens_close(node);
    members_free(node->members);
    owners_free(node->owners);
    node_store_close(node);
    event_copy_done(&node->events);
    keeper_close(node->keeper);
    supervisor_client_free(node->supervisor);
    node_issuers_free(node->issuers);
    uv_run(&node->loop, UV_RUN_DEFAULT);
    uv_loop_close(&node->loop);
    node_metrics_free(node->metrics);
}

int server_run(const struct config *config)
{
    static struct node node;
    struct error error;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    crypto_init();
    node.config = config;
    if (!start(&node, &error)) {
        log_error("start", &error);
        node_done(&node);
        return error_exit_code(error.code);
    }
    while (!node.stopped && !node.lost_supervisor)
        uv_run(&node.loop, UV_RUN_DEFAULT);
    node_done(&node);
    return node.stopped ? 0 : error_exit_code(ERROR_UNAVAILABLE);
}
