/* SPDX-License-Identifier: Apache-2.0 */
/* What functions log: sealed to those who may read it, in a store of its own. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "keys/sealing.h"

#include <stdlib.h>
#include <string.h>

static void logs_ready(uv_poll_t *watch, int status, int events)
{
    struct node *node = watch->data;
    struct error error;
    (void)status, (void)events;
    if (!logbook_take(node->logs, &error))
        LOG_LIMITED(LOG_LEVEL_ERROR, "logs", "error", error.text, NULL);
}

static bool logs_open(struct node *node, struct error *error)
{
    const struct config_logs *limits = &node->config->logs;
    struct logbook_options options = { .path = "/logs.db",
                                       .sealer = sealing_local(&node->logs_key),
                                       .clock = &clock_system,
                                       .stream_size_max = (uint64_t)limits->mib << 20,
                                       .total_size_max = (uint64_t)limits->total_mib << 20,
                                       .retention_ms = limits->retention_s * UINT64_C(1000),
                                       .rate_size = (uint64_t)limits->kib_per_s << 10,
                                       .burst_size = (uint64_t)limits->burst_kib << 10 };
    uv_poll_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    if (!node_root_key(node, &node->logs_key, "logs/root", error) ||
        !logbook_open(&node->logs, &options, error)) {
        free(watch);
        return false;
    }
    if (uv_poll_init(&node->loop, watch, logbook_descriptor(node->logs)) != 0) {
        free(watch);
        logbook_close(TAKE(node->logs));
        return error_set(error, ERROR_SYSTEM, "can't watch the logs");
    }
    watch->data = node;
    node->logs_watch = watch;
    uv_poll_start(watch, UV_READABLE, logs_ready);
    return true;
}

void node_logs_open(struct node *node)
{
    struct error error;
    if (!logs_open(node, &error))
        log_error("logs of functions are dropped", &error);
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle);
}

void node_logs_close(struct node *node)
{
    if (node->logs_watch != NULL) {
        uv_poll_stop(node->logs_watch);
        uv_close((uv_handle_t *)node->logs_watch, watch_closed);
        node->logs_watch = NULL;
    }
    logbook_close(TAKE(node->logs));
    secret32_done(&node->logs_key);
}

/* Whoever has the application's owner's account, or a role in it that may read its logs. */
static size_t readers_of(const struct node *node, const struct application *application,
                         struct ecdsa_public readers[LOG_READER_COUNT_MAX])
{
    size_t count = owners_find(node->owners, &application->owner, &readers[0]) ? 1 : 0;
    for (size_t i = 0; i < members_count(node->members) && count < LOG_READER_COUNT_MAX; i++) {
        const struct member *member = members_at(node->members, i);
        bool is_of_it = member->application[0] == '\0' ||
                        strcmp(member->application, application->manifest->application) == 0;
        if (is_of_it && digest32_equal(&member->account, &application->owner) &&
            (member_scopes(member) & UINT32_C(1) << ACCESS_SCOPE_LOGS) != 0)
            readers[count++] = member->key;
    }
    return count;
}

void node_logged(void *context, const struct invocation_log *log)
{
    struct node *node = context;
    const struct application *application = log->application;
    struct ecdsa_public readers[LOG_READER_COUNT_MAX];
    size_t count = node->logs == NULL ? 0 : readers_of(node, application, readers);
    if (count == 0)
        return;
    struct logbook_entry entry = { .application = application->manifest->application,
                                   .owner = application->owner,
                                   .readers = readers,
                                   .reader_count = count,
                                   .invocation = log->id,
                                   .request = log->request_id,
                                   .function = log->function,
                                   .version = application->manifest->version,
                                   .outcome = receipt_status_name(log->status),
                                   .written = log->written,
                                   .failure = log->message,
                                   .redactions = log->redactions };
    logbook_add(node->logs, &entry);
}
