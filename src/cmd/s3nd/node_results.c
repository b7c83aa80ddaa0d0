/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are kept for repeated requests: entries of the application's state that the
 * invocation's own transaction wrote (functions/result.h). */
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "functions/result.h"

#include <stdlib.h>
#include <string.h>

/* One that waits until what it says is on the disk. */
struct replaying {
    struct node *node;
    struct http_handle handle;
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

static void answer(struct node *node, struct http_handle handle, const struct kept_result *result)
{
    AUTO_BUFFER struct buffer receipt;
    struct error none;
    buffer_init(&receipt, RECEIPT_TEXT_SIZE_MAX + 1);
    const char *text = receipt_book_find(node->receipts, bytes_of_string(result->id));
    if (text == NULL && states_receipt_get(node->states, result->id, &receipt, &none)) {
        buffer_append(&receipt, bytes_of("", 1));
        text = receipt.failed ? NULL : (const char *)receipt.data;
    }
    struct gateway_invocation invocation = { .invocation_id = result->id,
                                             .receipt = text,
                                             .duration_us = result->duration_us,
                                             .pad_size = result->pad_size,
                                             .is_replayed = true };
    node_answer_result(node, handle, &invocation, result->has_answer ? &result->answer : NULL,
                       result->output);
}

static void written(void *context, const struct error *error)
{
    struct replaying *replaying = context;
    static struct kept_result result;
    struct error malformed;
    if (error == NULL && !kept_result_read(&result, buffer_view(&replaying->text), &malformed))
        error = &malformed;
    if (error == NULL)
        answer(replaying->node, replaying->handle, &result);
    else
        gateway_answer_error(replaying->node->gateway, replaying->handle, error, NULL);
    buffer_done(&replaying->text);
    free(replaying);
}

/* What is in memory only must not be heard of. */
static bool answer_when_written(struct node *node, const struct gateway_call *call,
                                struct state *state, struct bytes text, struct error *error)
{
    struct replaying *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a kept answer");
    *made = (struct replaying){ .node = node, .handle = call->handle };
    buffer_init(&made->text, text.size);
    buffer_append(&made->text, text);
    if (!made->text.failed && states_write(node->states, state, NULL, NULL, written, made, error))
        return true;
    if (made->text.failed)
        error_set(error, ERROR_NO_MEMORY, "no memory for a kept answer");
    buffer_done(&made->text);
    free(made);
    return false;
}

static bool result_find(struct node *node, const struct gateway_call *call, struct state *state,
                        bool *replayed, struct error *error)
{
    static struct kept_result result;
    AUTO(transaction) struct transaction *transaction = NULL;
    struct hex32 name = hex_of_digest(&call->repeat.key);
    struct kv_key key = { BYTES_LITERAL(KV_NAMESPACE_RESULTS), bytes_of_string(name.text) };
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
    if (!states_is_settled(node->states, state))
        return answer_when_written(node, call, state, entry.value, error);
    answer(node, call->handle, &result);
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
