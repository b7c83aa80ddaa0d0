/* SPDX-License-Identifier: Apache-2.0 */
/* The admin listener: /healthz, /readyz, /metrics; loopback only. */
#include "cmd/s3nd/node.h"
#include "metrics/metrics.h"

static void answer_text(struct node *node, const struct gateway_call *call, int status,
                        struct bytes text)
{
    struct http_field type = HTTP_FIELD("content-type", BYTES_LITERAL(METRICS_CONTENT_TYPE));
    struct http_answer answer = {
        .status = status, .fields = &type, .field_count = 1, .body = text
    };
    gateway_answer(node->gateway, call->handle, &answer);
}

void api_admin_health(void *context, const struct gateway_call *call)
{
    answer_text(context, call, 200, BYTES_LITERAL("ok\n"));
}

/* And how the collateral stands, where the platform's evidence wants it. */
static void answer_ready(struct node *node, const struct gateway_call *call)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1024);
    buffer_append_string(&text, "ready\n");
    node_collateral_describe(&text, node);
    answer_text(node, call, 200, buffer_view(&text));
}

void api_admin_ready(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    if (node->stopping)
        answer_text(node, call, 503, BYTES_LITERAL("stopping\n"));
    else if (node->keeper_is_lost)
        answer_text(node, call, 503, BYTES_LITERAL("no keeper\n"));
    else if (node->events_failed)
        answer_text(node, call, 503, BYTES_LITERAL("event log\n"));
    else
        answer_ready(node, call);
}

void api_admin_metrics(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    if (node_metrics_write(&text, node, &error))
        answer_text(node, call, 200, buffer_view(&text));
    else
        answer_text(node, call, 500, bytes_of_string(error.text));
}
