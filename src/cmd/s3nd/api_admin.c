/* SPDX-License-Identifier: Apache-2.0 */
/* The admin listener: /healthz, /readyz, /metrics, /status; loopback only. */
#include "cmd/s3nd/api_trees.h"
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

static void answer_causes(struct node *node, const struct gateway_call *call)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1024);
    for (unsigned i = 0; i < NODE_CAUSE_COUNT; i++)
        if (node_has_cause(node, (enum node_cause)i))
            buffer_format(&text, "%s\n", node_cause_text((enum node_cause)i));
    answer_text(node, call, 503, buffer_view(&text));
}

void api_admin_ready(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    node_health_look(node);
    if (node_is_ready(node))
        answer_ready(node, call);
    else
        answer_causes(node, call);
}

void api_admin_status(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    gateway_answer_json(node->gateway, call->handle, 200, node_health_tree(node));
}

/* In the format that is asked for. */
static void answer_metrics(struct node *node, const struct gateway_call *call,
                           const char *application)
{
    struct error error;
    AUTO_BUFFER struct buffer text;
    bool is_open = metrics_prefers_open(http_request_value(call->request, "accept"));
    buffer_init(&text, METRICS_TEXT_SIZE_MAX);
    if (!node_metrics_write(&text, node, application, is_open, &error)) {
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    struct http_field fields[] = {
        HTTP_FIELD("content-type", is_open ? BYTES_LITERAL(METRICS_CONTENT_TYPE_OPEN)
                                           : BYTES_LITERAL(METRICS_CONTENT_TYPE)),
        HTTP_FIELD("cache-control", BYTES_LITERAL("no-store")),
        HTTP_FIELD("vary", BYTES_LITERAL("accept")),
    };
    struct http_answer answer = {
        .status = 200, .fields = fields, .field_count = 3, .body = buffer_view(&text)
    };
    gateway_answer(node->gateway, call->handle, &answer);
}

void api_admin_metrics(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    node_health_look(node);
    answer_metrics(node, call, NULL);
}

/* An owner's own functions alone. */
void api_application_metrics(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    const struct registry_entry *entry = own_entry(node, call, &error);
    if (entry == NULL)
        api_change_failed(node, call, &error);
    else
        answer_metrics(node, call, entry->name);
}
