/* SPDX-License-Identifier: Apache-2.0 */
/* A request's spans: the request itself, what it waited, what ran, what that called. */
#include "cmd/s3nd/node.h"
#include "crypto/random.h"

#include <stdio.h>
#include <string.h>

struct moments {
    uint64_t offset_ns; /* from monotonic to since 1970 */
};

static struct moments moments_now(void)
{
    return (struct moments){ clock_realtime_ns(&clock_system) - clock_monotonic_ns(&clock_system) };
}

bool node_telemetry_samples(const struct node *node, const struct trace_context *trace)
{
    const struct config_telemetry *config = &node->config->telemetry;
    if (node->telemetry == NULL || !config_telemetry_has_traces(config))
        return false;
    if (trace->has_caller && config->trusts_callers)
        return (trace->here.flags & TRACE_FLAG_SAMPLED) != 0;
    return trace_is_sampled(trace->here.trace_id, config->sample);
}

/* A span below another, with an id of its own. */
static struct span span_below(const struct span *parent, const char *name)
{
    struct span span = { .kind = SPAN_INTERNAL };
    memcpy(span.trace_id, parent->trace_id, sizeof(span.trace_id));
    memcpy(span.parent_id, parent->span_id, sizeof(span.parent_id));
    random_bytes(span.span_id, sizeof(span.span_id));
    span_name(&span, name);
    return span;
}

static void calls_add(struct node *node, const struct span *run, const struct moments *moments,
                      const struct invocation_result *result)
{
    for (unsigned i = 0; i < result->call_count; i++) {
        const struct service_timing *timing = &result->calls[i];
        struct span span = span_below(run, call_row_find(timing->call)->name);
        span.kind = SPAN_CLIENT;
        span.start_ns = moments->offset_ns + timing->began_ns;
        span.end_ns = moments->offset_ns + timing->ended_ns;
        span.has_failed = timing->result < 0;
        if (timing->result < 0)
            span_number(&span, "s3n.call.error", timing->result);
        node_telemetry_add(node, &span);
    }
}

static void run_add(struct node *node, const struct span *root, const struct moments *moments,
                    const struct invocation_result *result)
{
    const struct invocation_times *times = &result->times;
    struct span queue = span_below(root, "queue"), run = span_below(root, "run");
    queue.start_ns = moments->offset_ns + times->arrived_ns;
    queue.end_ns = run.start_ns = moments->offset_ns + times->started_ns;
    run.end_ns = moments->offset_ns + times->ended_ns;
    if (times->was_cold)
        span_text(&queue, "s3n.start", "cold");
    span_text(&run, "s3n.outcome", receipt_status_name(result->status));
    span_text(&run, "s3n.invocation_id", result->id);
    run.has_failed = result->status != RECEIPT_STATUS_DONE;
    node_telemetry_add(node, &queue);
    node_telemetry_add(node, &run);
    /* Where times are padded, those inside are nobody's to see. */
    if (!times->is_padded)
        calls_add(node, &run, moments, result);
}

void node_telemetry_request(struct node *node, const struct telemetry_request *request,
                            const struct invocation_result *result, const char *refused)
{
    struct moments moments = moments_now();
    struct span span = { .kind = SPAN_SERVER };
    const struct trace_context *trace = request->trace;
    memcpy(span.trace_id, trace->here.trace_id, sizeof(span.trace_id));
    memcpy(span.span_id, trace->here.span_id, sizeof(span.span_id));
    if (trace->has_caller)
        memcpy(span.parent_id, trace->caller, sizeof(span.parent_id));
    span.is_remote = trace->has_caller;
    span_name(&span, request->function);
    span.start_ns = moments.offset_ns + request->arrived_ns;
    span.end_ns = moments.offset_ns + clock_monotonic_ns(&clock_system);
    if (result != NULL && result->times.is_padded) /* the answer was held back for its time */
        span.end_ns = MAX(span.end_ns, moments.offset_ns + result->times.ended_ns);
    span.has_failed = result == NULL || result->status != RECEIPT_STATUS_DONE;
    span_text(&span, "s3n.function", request->function);
    span_text(&span, "s3n.request_id", request->request_id);
    span_text(&span, "s3n.trigger", request->is_call ? "call" : "http");
    if (refused != NULL)
        span_text(&span, "error.type", refused);
    node_telemetry_add(node, &span);
    if (result != NULL)
        run_add(node, &span, &moments, result);
}
