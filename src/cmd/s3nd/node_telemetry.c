/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_telemetry.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/exporter.h"
#include "cmd/s3nd/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    RETRY_MS = 1000,
    RETRY_MS_MAX = 60000,
    RETRY_AFTER_S_MAX = 300
};

struct node_telemetry {
    struct node *node;
    uv_timer_t timer;
    bool is_ended, is_closed; /* freed when the timer is closed and nothing is under way */
    bool is_asking;
    int answer; /* file of the export under way; -1 */
    struct span_queue *spans;
    struct buffer traces; /* the batch that is being delivered; empty: none */
    size_t traces_count;
    unsigned tries;                   /* of that batch */
    unsigned failures;                /* exports in a row */
    bool has_metrics;                 /* the export under way */
    uint64_t start_ns;                /* since 1970 */
    uint64_t since_ms;                /* the oldest span waits; 0: none does */
    uint64_t metrics_due_ms, wait_ms; /* of the loop's clock; nothing is sent before the second */
    uint64_t sent, rejected, given_up, exports, failed;
    char error[160];
};

static void release(struct node_telemetry *telemetry)
{
    if (!telemetry->is_closed || telemetry->is_asking)
        return;
    file_close(&telemetry->answer);
    buffer_done(&telemetry->traces);
    span_queue_free(telemetry->spans);
    free(telemetry);
}

static const struct config_telemetry *settings(const struct node_telemetry *telemetry)
{
    return &telemetry->node->config->telemetry;
}

static struct otlp_resource resource_of(const struct node_telemetry *telemetry)
{
    return (struct otlp_resource){ settings(telemetry)->service, S3N_VERSION,
                                   telemetry->node->info.node, settings(telemetry)->attributes };
}

/* --- what came of an export --- */

static void batch_drop(struct node_telemetry *telemetry)
{
    buffer_clear(&telemetry->traces);
    telemetry->traces_count = 0;
    telemetry->tries = 0;
}

static void traces_judge(struct node_telemetry *telemetry, const struct export_outcome *outcome)
{
    uint64_t rejected = MIN(outcome->rejected, (uint64_t)telemetry->traces_count);
    switch (outcome->result) {
    case EXPORT_NONE:
        return;
    case EXPORT_TAKEN:
        telemetry->sent += telemetry->traces_count - rejected;
        telemetry->rejected += rejected;
        break;
    case EXPORT_REFUSED:
        telemetry->rejected += telemetry->traces_count;
        break;
    case EXPORT_LATER:
        if (++telemetry->tries < TELEMETRY_TRIES_MAX)
            return;
        telemetry->given_up += telemetry->traces_count;
        break;
    case EXPORT_RESULT_COUNT:
        return;
    }
    batch_drop(telemetry);
}

static void outcomes_judge(struct node_telemetry *telemetry,
                           const struct export_outcome outcomes[EXPORT_SIGNAL_COUNT])
{
    uint64_t wait_s = 0;
    bool has_failed = false, comes_again = false;
    telemetry->error[0] = '\0';
    for (unsigned i = 0; i < EXPORT_SIGNAL_COUNT; i++) {
        const struct export_outcome *outcome = &outcomes[i];
        has_failed = has_failed || outcome->result == EXPORT_REFUSED;
        comes_again = comes_again || outcome->result == EXPORT_LATER;
        if (outcome->message[0] != '\0' && telemetry->error[0] == '\0')
            snprintf(telemetry->error, sizeof(telemetry->error), "%s", outcome->message);
        wait_s = MAX(wait_s, MIN(outcome->retry_after_s, (uint64_t)RETRY_AFTER_S_MAX));
    }
    traces_judge(telemetry, &outcomes[EXPORT_TRACES]);
    telemetry->exports++;
    telemetry->failed += has_failed || comes_again;
    telemetry->failures = comes_again ? telemetry->failures + 1 : 0;
    uint64_t pause_ms = RETRY_MS;
    for (unsigned i = 1; i < telemetry->failures && pause_ms < RETRY_MS_MAX; i++)
        pause_ms *= 2;
    uint64_t now_ms = uv_now(&telemetry->node->loop);
    if (comes_again)
        telemetry->wait_ms = now_ms + MAX(MIN(pause_ms, (uint64_t)RETRY_MS_MAX), wait_s * 1000);
    if (telemetry->error[0] != '\0')
        LOG_LIMITED(LOG_LEVEL_WARN, "telemetry", "reason", telemetry->error, NULL);
}

static bool answer_take(struct node_telemetry *telemetry,
                        struct export_outcome outcomes[EXPORT_SIGNAL_COUNT], struct error *error)
{
    AUTO_BUFFER struct buffer answer;
    buffer_init(&answer, EXPORT_ANSWER_SIZE_MAX);
    if (lseek(telemetry->answer, 0, SEEK_SET) != 0 ||
        !file_read_descriptor(&answer, telemetry->answer, error))
        return error_set(error, ERROR_SYSTEM, "can't read what came of an export");
    struct reader reader = reader_of(buffer_view(&answer));
    for (unsigned i = 0; i < EXPORT_SIGNAL_COUNT; i++)
        export_outcome_read(&reader, &outcomes[i]);
    return read_end(&reader) ||
           error_set(error, ERROR_INVALID, "what came of an export is malformed");
}

/* The process itself failed: what it had may come again. */
static void export_failed(struct node_telemetry *telemetry, const struct error *error)
{
    struct export_outcome outcomes[EXPORT_SIGNAL_COUNT] = { 0 };
    enum export_signal first = telemetry->traces_count > 0 ? EXPORT_TRACES : EXPORT_METRICS;
    outcomes[first].result = EXPORT_LATER;
    snprintf(outcomes[first].message, sizeof(outcomes[first].message), "%.150s", error->text);
    outcomes_judge(telemetry, outcomes);
}

static void answered(void *context, struct ipc_message *message, const struct error *failure)
{
    struct node_telemetry *telemetry = context;
    struct export_outcome outcomes[EXPORT_SIGNAL_COUNT] = { 0 };
    struct error error;
    telemetry->is_asking = false;
    if (message == NULL) {
        export_failed(telemetry, failure);
    } else {
        struct reader reader = reader_of(message->payload);
        uint32_t status = read_u32_le(&reader);
        if (!read_end(&reader) || status != 0) {
            error_set(&error, ERROR_UNAVAILABLE, "the exporter failed (%u)", (unsigned)status);
            export_failed(telemetry, &error);
        } else if (!answer_take(telemetry, outcomes, &error)) {
            export_failed(telemetry, &error);
        } else {
            outcomes_judge(telemetry, outcomes);
        }
    }
    file_close(&telemetry->answer);
    if (telemetry->is_ended)
        release(telemetry);
}

/* --- exporting --- */

static void part_append(struct buffer *payload, struct bytes part)
{
    uint8_t size[4];
    for (size_t i = 0; i < sizeof(size); i++)
        size[i] = (uint8_t)(part.size >> 8 * i);
    buffer_append(payload, BYTES_OF(size));
    buffer_append(payload, part);
}

/* The next batch leaves the queue; it is kept until it is delivered or given up. */
static bool batch_fill(struct node_telemetry *telemetry, struct error *error)
{
    const struct otlp_resource resource = resource_of(telemetry);
    size_t count = MIN(span_queue_count(telemetry->spans), (size_t)settings(telemetry)->batch_max);
    if (telemetry->traces.size > 0 || count == 0)
        return true;
    buffer_clear(&telemetry->traces);
    bool done = otlp_spans_write(&telemetry->traces, telemetry->spans, count, &resource, error);
    span_queue_remove(telemetry->spans, count);
    telemetry->traces_count = count;
    telemetry->since_ms =
        span_queue_count(telemetry->spans) > 0 ? uv_now(&telemetry->node->loop) : 0;
    if (!done) {
        telemetry->given_up += count;
        batch_drop(telemetry);
    }
    return done;
}

static bool payload_make(struct node_telemetry *telemetry, int *file, struct error *error)
{
    struct node *node = telemetry->node;
    const struct otlp_resource resource = resource_of(telemetry);
    AUTO_BUFFER struct buffer payload, metrics;
    AUTO_CLOSE int made = memfd_create("telemetry", MFD_CLOEXEC);
    buffer_init(&payload, 2 * (size_t)OTLP_REQUEST_SIZE_MAX + 8);
    buffer_init(&metrics, OTLP_REQUEST_SIZE_MAX);
    if (made < 0)
        return error_system(error, "file for telemetry");
    if (telemetry->has_metrics &&
        !otlp_metrics_write(&metrics, node_metrics_gather(node), &resource, telemetry->start_ns,
                            clock_realtime_ns(&clock_system), error))
        return false;
    part_append(&payload, buffer_view(&telemetry->traces));
    part_append(&payload, buffer_view(&metrics));
    if (payload.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for telemetry");
    if (!file_write_all(made, buffer_view(&payload), error) || lseek(made, 0, SEEK_SET) != 0)
        return error_within(error, "file for telemetry");
    *file = made;
    made = -1;
    return true;
}

static bool ask(struct node_telemetry *telemetry, struct error *error)
{
    AUTO_CLOSE int payload = -1;
    AUTO_CLOSE int answer = memfd_create("telemetry-answer", MFD_CLOEXEC);
    if (answer < 0)
        return error_system(error, "file for telemetry");
    if (!payload_make(telemetry, &payload, error))
        return false;
    int files[] = { payload, answer };
    if (!supervisor_request(telemetry->node->supervisor, SUPERVISOR_TELEMETRY, (struct bytes){ 0 },
                            files, ARRAY_COUNT(files), answered, telemetry, error))
        return false;
    telemetry->answer = answer;
    answer = -1;
    telemetry->is_asking = true;
    return true;
}

static bool are_traces_due(const struct node_telemetry *telemetry, uint64_t now_ms)
{
    size_t count = span_queue_count(telemetry->spans);
    return telemetry->traces.size > 0 || count >= settings(telemetry)->batch_max ||
           (count > 0 && telemetry->since_ms != 0 &&
            now_ms - telemetry->since_ms >= settings(telemetry)->traces_delay_ms);
}

static void on_time(uv_timer_t *timer)
{
    struct node_telemetry *telemetry = timer->data;
    uint64_t now_ms = uv_now(&telemetry->node->loop);
    struct error error;
    if (telemetry->is_asking || now_ms < telemetry->wait_ms)
        return;
    bool has_traces =
        config_telemetry_has_traces(settings(telemetry)) && are_traces_due(telemetry, now_ms);
    telemetry->has_metrics =
        config_telemetry_has_metrics(settings(telemetry)) && now_ms >= telemetry->metrics_due_ms;
    if (!has_traces && !telemetry->has_metrics)
        return;
    if (telemetry->has_metrics)
        telemetry->metrics_due_ms = now_ms + settings(telemetry)->metrics_interval_ms;
    if ((has_traces && !batch_fill(telemetry, &error)) || !ask(telemetry, &error))
        export_failed(telemetry, &error);
}

/* --- the node's side --- */

void node_telemetry_start(struct node *node)
{
    const struct config_telemetry *config = &node->config->telemetry;
    struct error error;
    if (!config_telemetry_is_on(config))
        return;
    struct node_telemetry *made = calloc(1, sizeof(*made));
    if (made == NULL || !span_queue_new(&made->spans, config->queue_max, &error) ||
        uv_timer_init(&node->loop, &made->timer) != 0) {
        if (made != NULL)
            span_queue_free(made->spans);
        free(made);
        return;
    }
    buffer_init(&made->traces, OTLP_REQUEST_SIZE_MAX);
    made->node = node;
    made->answer = -1;
    made->timer.data = made;
    made->start_ns = clock_realtime_ns(&clock_system);
    made->metrics_due_ms = uv_now(&node->loop) + config->metrics_interval_ms;
    node->telemetry = made;
    uv_timer_start(&made->timer, on_time, LOOK_MS, LOOK_MS);
}

static void on_closed(uv_handle_t *handle)
{
    struct node_telemetry *telemetry = handle->data;
    telemetry->is_closed = true;
    telemetry->is_asking = false; /* requests without an answer are forgotten with the loop */
    release(telemetry);
}

void node_telemetry_end(struct node *node)
{
    struct node_telemetry *telemetry = TAKE(node->telemetry);
    if (telemetry == NULL)
        return;
    telemetry->is_ended = true;
    uv_close((uv_handle_t *)&telemetry->timer, on_closed);
}

void node_telemetry_add(struct node *node, const struct span *span)
{
    struct node_telemetry *telemetry = node->telemetry;
    if (telemetry->since_ms == 0)
        telemetry->since_ms = uv_now(&node->loop);
    span_queue_add(telemetry->spans, span);
}

struct node_telemetry_state node_telemetry_state(const struct node *node)
{
    const struct node_telemetry *telemetry = node->telemetry;
    if (telemetry == NULL)
        return (struct node_telemetry_state){ .error = "" };
    return (struct node_telemetry_state){
        .is_on = true,
        .waiting = span_queue_count(telemetry->spans) + telemetry->traces_count,
        .sent = telemetry->sent,
        .dropped = span_queue_dropped(telemetry->spans),
        .rejected = telemetry->rejected,
        .given_up = telemetry->given_up,
        .exports = telemetry->exports,
        .failures = telemetry->failed,
        .error = telemetry->error,
    };
}

json_t *node_telemetry_tree(const struct node *node)
{
    struct node_telemetry_state state = node_telemetry_state(node);
    if (!state.is_on)
        return json_null();
    return json_pack("{s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:s}", "spans", "waiting",
                     (json_int_t)state.waiting, "sent", (json_int_t)state.sent, "dropped",
                     (json_int_t)state.dropped, "rejected", (json_int_t)state.rejected, "given_up",
                     (json_int_t)state.given_up, "exports", (json_int_t)state.exports, "failures",
                     (json_int_t)state.failures, "error", state.error);
}
