/* SPDX-License-Identifier: Apache-2.0 */
/* The stage that finds a request's place in its trace (metrics/trace_context.h). */
#include "crypto/random.h"
#include "gateway/stage.h"

/* Several traceparents say nothing. */
static bool caller_of(struct trace_parent *parent, const struct http_request *asked)
{
    struct bytes text = http_request_value(asked, "traceparent");
    return text.size > 0 && trace_parent_parse(parent, text);
}

bool stage_trace(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    struct gateway_call *call = &request->call;
    const struct http_request *asked = call->request;
    struct trace_parent parent;
    (void)refusal;
    call->trace = &request->trace;
    if (call->arrived_ns == 0)
        call->arrived_ns = clock_monotonic_ns(gateway->options.clock);
    bool has_caller = caller_of(&parent, asked);
    /* A sealed request without a trace of its own goes on in that of its envelope. */
    if (call->is_sealed && !has_caller)
        return true;
    uint8_t fresh[TRACE_ID_SIZE + TRACE_SPAN_SIZE];
    random_bytes(fresh, sizeof(fresh));
    trace_context_begin(&request->trace, has_caller ? &parent : NULL, fresh);
    for (size_t i = 0; has_caller && i < asked->field_count; i++) {
        if (bytes_equal_string(asked->fields[i].name, "tracestate") &&
            !trace_state_add(&request->trace, asked->fields[i].value))
            break;
    }
    return true;
}
