/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications/{application}/logs: an application's log, as it is stored: sealed. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct node *node;
    struct http_handle handle;
    bool is_known; /* there is such an application now */
};

static void fail(struct node *node, struct http_handle handle, const struct error *error)
{
    if (error->code == ERROR_CORRUPT || error->code == ERROR_SYSTEM)
        LOG_LIMITED(LOG_LEVEL_ERROR, "logs", "error", error->text, NULL);
    gateway_answer_error(node->gateway, handle, error, NULL);
}

/* NULL: no memory. */
static json_t *segments_json(const struct logbook_page *page)
{
    AUTO_JSON json_t *list = json_array();
    for (size_t i = 0; i < page->count; i++) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, base64_text_size(page->segments[i].size));
        base64_append(&text, page->segments[i]);
        if (text.failed ||
            json_array_append_new(list, json_stringn((const char *)text.data, text.size)) != 0)
            return NULL;
    }
    return TAKE(list);
}

static void page_read(void *context, const struct logbook_page *page, const struct error *failure)
{
    struct asking *asking = context;
    struct node *node = asking->node;
    struct error error = { 0 };
    json_t *segments = page == NULL ? NULL : segments_json(page);
    if (page == NULL)
        error = *failure;
    else if (segments == NULL)
        error_set(&error, ERROR_NO_MEMORY, "no memory for logs");
    else if (!page->head.is_begun && !asking->is_known)
        error_set(&error, ERROR_NOT_FOUND, "you have no such application, and it left no log");
    if (error.code == ERROR_NONE) {
        json_t *head = json_pack("{s:I, s:s}", "number", (json_int_t)page->head.number, "digest",
                                 hex_of_digest(&page->head.digest).text);
        gateway_answer_json(node->gateway, asking->handle, 200,
                            json_pack("{s:s, s:o, s:I, s:b, s:o}", "stream",
                                      hex_of_digest(&page->head.stream).text, "head", head, "first",
                                      (json_int_t)page->first, "more", page->more, "segments",
                                      segments));
    } else {
        json_decref(segments);
        fail(node, asking->handle, &error);
    }
    free(asking);
}

void api_logs(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    char name[NAME_SIZE_MAX + 1];
    struct log_query query;
    struct error error;
    snprintf(name, sizeof(name), "%.*s", (int)call->application.size,
             (const char *)call->application.data);
    const struct application *application = registry_find(node->registry, name);
    struct digest32 stream = log_stream_of(name, &call->owner);
    struct asking *asking = malloc(sizeof(*asking));
    bool is_good = asking != NULL;
    if (!is_good)
        error_set(&error, ERROR_NO_MEMORY, "no memory for a request");
    else
        *asking = (struct asking){ .node = node,
                                   .handle = call->handle,
                                   .is_known = application != NULL &&
                                               digest32_equal(&application->owner, &call->owner) };
    if (is_good && node->logs == NULL)
        is_good = error_set(&error, ERROR_UNAVAILABLE,
                            "this node's logs could not be opened; its operator knows why");
    if (is_good && log_query_parse(&query, call->request->query, &error) &&
        logbook_read(node->logs, &stream, &query, page_read, asking, &error))
        return;
    free(asking);
    fail(node, call->handle, &error);
}
