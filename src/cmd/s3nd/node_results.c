/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are kept for repeated requests: entries of the application's state that the
 * invocation's own transaction wrote (functions/result.h). */
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "functions/result.h"

#include <stdlib.h>
#include <string.h>

/* One that waits until what it says is on the disk, or for its receipt from there. */
struct replaying {
    struct node *node;
    struct http_handle handle;
    char id[33]; /* of the invocation */
    struct buffer text;
};

_Static_assert((int)ENVELOPE_HEADERS_MAX <= (int)GATEWAY_OUTPUT_FIELDS_MAX, "all can be sent");

void node_answer_result(struct node *node, struct http_handle handle,
                        const struct gateway_invocation *invocation,
                        const struct envelope_answer *answer, struct bytes output)
{
    struct http_field fields[ENVELOPE_HEADERS_MAX];
    struct gateway_output said = { .body = output };
    if (answer != NULL) {
        said.has_head = true;
        said.status = (int)answer->status;
        said.fields = fields;
        for (size_t i = 0; i < answer->header_count; i++)
            fields[said.field_count++] =
                (struct http_field){ answer->headers[i].name, answer->headers[i].value };
    }
    gateway_answer_invocation(node->gateway, handle, invocation, &said);
}

/* Copies: who waits outlives the transaction that read the text. */
static struct replaying *replaying_new(struct node *node, struct http_handle handle,
                                       const struct kept_result *result, struct bytes text)
{
    struct replaying *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    *made = (struct replaying){ .node = node, .handle = handle };
    memcpy(made->id, result->id, sizeof(made->id));
    buffer_init(&made->text, text.size);
    buffer_append(&made->text, text);
    if (!made->text.failed)
        return made;
    buffer_done(&made->text);
    free(made);
    return NULL;
}

static void replaying_free(struct replaying *replaying)
{
    if (replaying == NULL)
        return;
    buffer_done(&replaying->text);
    free(replaying);
}
DEFINE_AUTO(replaying, replaying_free)

static void answer(struct node *node, struct http_handle handle, const struct kept_result *result,
                   const char *text)
{
    struct gateway_invocation invocation = { .invocation_id = result->id,
                                             .receipt = text,
                                             .duration_us = result->duration_us,
                                             .pad_size = result->pad_size,
                                             .is_replayed = true };
    node_answer_result(node, handle, &invocation, result->has_answer ? &result->answer : NULL,
                       result->output);
}

/* With or without one: a node keeps its last receipts only. */
static void receipt_came(void *context, const char *receipt, const struct error *error)
{
    AUTO(replaying) struct replaying *replaying = context;
    static struct kept_result result;
    struct error malformed;
    (void)error;
    if (kept_result_read(&result, buffer_view(&replaying->text), &malformed))
        answer(replaying->node, replaying->handle, &result, receipt);
    else
        gateway_answer_error(replaying->node->gateway, replaying->handle, &malformed, NULL);
}

/* The disk may have what the book has not. */
static void receipt_look(struct replaying *taken)
{
    AUTO(replaying) struct replaying *replaying = taken;
    struct node *node = replaying->node;
    struct error error;
    const char *known = receipt_book_find(node->receipts, bytes_of_string(replaying->id));
    if (known == NULL &&
        states_receipt_find(node->states, replaying->id, receipt_came, replaying, &error))
        replaying = NULL;
    else
        receipt_came(TAKE(replaying), known, NULL);
}

static void written(void *context, const struct error *error)
{
    AUTO(replaying) struct replaying *replaying = context;
    if (error == NULL)
        receipt_look(TAKE(replaying));
    else
        gateway_answer_error(replaying->node->gateway, replaying->handle, error, NULL);
}

static bool result_find(struct node *node, const struct gateway_call *call, struct state *state,
                        bool *replayed, struct error *error)
{
    static struct kept_result result;
    AUTO(transaction) struct transaction *transaction = NULL;
    struct hex32 name = hex_of_digest(&call->repeat.key);
    struct kv_key key = kv_result_key(&name);
    struct kv_entry entry;
    bool found;
    if (!transaction_begin(&transaction, state, error) ||
        !transaction_get(transaction, key, &entry, &found, error))
        return false;
    if (!found)
        return true;
    if (!kept_result_read(&result, entry.value, error))
        return false;
    *replayed = true;
    if (!digest32_equal(&result.fingerprint, &call->repeat.fingerprint)) {
        gateway_answer_key_reused(node->gateway, call->handle);
        return true;
    }
    AUTO(replaying)
    struct replaying *replaying = replaying_new(node, call->handle, &result, entry.value);
    if (replaying == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a kept answer");
    if (states_is_settled(node->states, state)) {
        receipt_look(TAKE(replaying));
        return true;
    }
    /* What is in memory only must not be heard of. */
    if (!states_write(node->states, state, NULL, NULL, written, replaying, error))
        return false;
    replaying = NULL;
    return true;
}

bool node_replay(struct node *node, const struct gateway_call *call,
                 const struct application *application, bool *replayed, struct error *error)
{
    AUTO(state) struct state *state = NULL;
    *replayed = false;
    if (!call->repeat.has_key)
        return true;
    struct kv_state_id id = kv_state_id(application->manifest->application, &application->owner);
    return states_get(node->states, id.text, &state, error) &&
           result_find(node, call, state, replayed, error);
}
