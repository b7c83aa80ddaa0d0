/* SPDX-License-Identifier: Apache-2.0 */
#include "services/kv.h"

#include "core/hex.h"
#include "core/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_key[] = "there is no such key";

enum {
    OWNER_DIGITS = 32, /* of the owner's digest: 128 bits */
};

/* What an invocation has of its application's state; none before its first call. */
struct visit {
    struct kv_service *kv;
    struct service_scope *scope;
    bool is_reading;             /* the state, from the disk; meanwhile */
    struct service_call *parked; /* waits, */
    void (*parked_run)(void *context, struct service_call *call); /* to be run again */
    struct state *state;
    struct transaction *transaction; /* NULL: ended */
    struct state_change *change;     /* committed in memory, not given to the thread yet */
    struct service_ending *ending;   /* waits for the disk, one way or the other */
    bool is_waiting;
    bool is_forgotten; /* the scope has gone while it waited */
};

struct kv_state_id kv_state_id(const char *application, const struct digest32 *owner)
{
    struct kv_state_id id;
    snprintf(id.text, sizeof(id.text), "%.63s/%.*s", application, OWNER_DIGITS,
             hex_of_digest(owner).text);
    return id;
}

struct state_quota kv_quota(uint64_t size, uint64_t count)
{
    return (struct state_quota){ size == 0 ? STATE_SIZE_DEFAULT : size,
                                 count == 0 ? STATE_COUNT_DEFAULT : count };
}

static void visit_free(struct visit *visit)
{
    if (visit == NULL)
        return;
    transaction_end(visit->transaction);
    if (visit->change != NULL) {
        state_change_free(visit->change);
        states_abandon(visit->kv->states, visit->state);
    }
    state_release(visit->state);
    free(visit);
}
DEFINE_AUTO(visit, visit_free)

static bool visit_open(struct visit *visit, const char *id, struct error *error)
{
    const struct service_facts *facts = service_scope_facts(visit->scope);
    struct state_quota quota = kv_quota(facts->state_size, facts->state_count);
    if (!states_get(visit->kv->states, id, &visit->state, error) ||
        !transaction_begin(&visit->transaction, visit->state, error))
        return false;
    state_set_quota(visit->state, &quota);
    return true;
}

static void visit_read(void *context, const struct error *failure);

/* Begins the invocation's transaction, now or when its state has been read; NULL for the error's
 * reason. */
static struct visit *visit_begin(struct kv_service *kv, struct service_scope *scope,
                                 struct error *error)
{
    const struct service_facts *facts = service_scope_facts(scope);
    struct kv_state_id id = kv_state_id(facts->application, &facts->owner);
    AUTO(visit) struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL) {
        error_set(error, ERROR_NO_MEMORY, "no memory for a transaction");
        return NULL;
    }
    visit->kv = kv;
    visit->scope = scope;
    visit->is_reading = !states_is_there(kv->states, id.text);
    if (visit->is_reading ? !states_read(kv->states, id.text, visit_read, visit, error)
                          : !visit_open(visit, id.text, error))
        return NULL;
    struct visit *begun = TAKE(visit);
    service_set_state(scope, &service_kv, begun);
    return begun;
}

/* The transaction of the call's invocation; NULL: the call was refused, or `run` comes again when
 * the state has been read. */
static struct transaction *transaction_of(struct kv_service *kv, struct service_call *call,
                                          void (*run)(void *context, struct service_call *call))
{
    struct error error = { 0 };
    struct visit *visit = service_state(call->scope, &service_kv);
    if (visit == NULL)
        visit = visit_begin(kv, call->scope, &error);
    if (visit == NULL) {
        service_refuse_error(call, &error);
        return NULL;
    }
    if (visit->is_reading) {
        visit->parked = call;
        visit->parked_run = run;
    }
    return visit->transaction;
}

static void kv_cancelled(void *context UNUSED, struct service_call *call)
{
    struct visit *visit = service_state(call->scope, &service_kv);
    if (visit != NULL)
        visit->parked = NULL;
}

static struct kv_key key_of(const struct service_call *call)
{
    return (struct kv_key){ .space = call->strings[0], .key = call->strings[1] };
}

static void get_run(void *context, struct service_call *call)
{
    struct transaction *transaction = transaction_of(context, call, get_run);
    struct error error;
    struct kv_entry entry;
    bool found;
    if (transaction == NULL)
        return;
    if (!transaction_get(transaction, key_of(call), &entry, &found, &error))
        service_refuse_error(call, &error);
    else if (!found)
        service_refuse(call, CALL_ERROR_NOT_FOUND, "%s", no_key);
    else
        service_answer(call, 0, entry.value);
}

/* Reads alone, and only of what is in memory. */
static bool kv_foretell(void *context, const struct service_facts *facts,
                        const struct call_request *request, struct writer *answer)
{
    const struct kv_service *kv = context;
    struct error error;
    struct kv_entry entry;
    bool found;
    if (request->call != CALL_KV_GET)
        return false;
    struct kv_state_id id = kv_state_id(facts->application, &facts->owner);
    struct state *state = states_peek(kv->states, id.text);
    struct kv_key key = { .space = request->strings[0], .key = request->strings[1] };
    if (state == NULL || !state_get(state, key, &entry, &found, &error))
        return false;
    struct bytes data = found ? entry.value : bytes_of_string(no_key);
    call_answer_write(answer, found ? (int64_t)data.size : CALL_ERROR_NOT_FOUND, data, data.size);
    return true;
}

/* Beyond what any TTL may be. */
static int64_t ttl_of(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static void set_run(void *context, struct service_call *call)
{
    struct transaction *transaction = transaction_of(context, call, set_run);
    struct error error;
    if (transaction == NULL)
        return;
    if (transaction_set(transaction, key_of(call), call->strings[2], ttl_of(call->numbers[0]),
                        &error))
        service_answer(call, 0, (struct bytes){ 0 });
    else
        service_refuse_error(call, &error);
}

static void delete_run(void *context, struct service_call *call)
{
    struct transaction *transaction = transaction_of(context, call, delete_run);
    struct error error;
    bool found;
    if (transaction == NULL)
        return;
    if (transaction_delete(transaction, key_of(call), &found, &error))
        service_answer(call, found ? 1 : 0, (struct bytes){ 0 });
    else
        service_refuse_error(call, &error);
}

static void compare_and_set_run(void *context, struct service_call *call)
{
    struct transaction *transaction = transaction_of(context, call, compare_and_set_run);
    struct error error;
    bool swapped;
    if (transaction == NULL)
        return;
    const struct bytes *expected = call->numbers[0] == 0 ? NULL : &call->strings[2];
    if (call->numbers[0] > 1)
        service_refuse(call, CALL_ERROR_INVALID, "whether a value is expected is 0 or 1");
    else if (transaction_compare_and_set(transaction, key_of(call), expected, call->strings[3],
                                         ttl_of(call->numbers[1]), &swapped, &error))
        service_answer(call, swapped ? 1 : 0, (struct bytes){ 0 });
    else
        service_refuse_error(call, &error);
}

struct listing {
    struct buffer text;
    uint32_t count;
    bool has_values;
};

static bool listing_take(void *context, const struct kv_entry *entry)
{
    struct listing *listing = context;
    uint8_t head[16];
    struct bytes value = listing->has_values ? entry->value : (struct bytes){ 0 };
    if (listing->text.size + sizeof(head) + entry->key.size + value.size > SERVICE_ANSWER_SIZE_MAX)
        return false;
    struct writer writer = writer_into(head, sizeof(head));
    write_u32_le(&writer, (uint32_t)entry->key.size);
    write_u32_le(&writer, (uint32_t)entry->value.size);
    write_u64_le(&writer, (uint64_t)entry->expires_ms);
    buffer_append(&listing->text, writer_view(&writer));
    buffer_append(&listing->text, entry->key);
    buffer_append(&listing->text, value);
    listing->count++;
    return !listing->text.failed;
}

static void list_run(void *context, struct service_call *call)
{
    struct transaction *transaction = transaction_of(context, call, list_run);
    struct error error;
    bool more;
    if (transaction == NULL)
        return;
    uint64_t number = call->numbers[0];
    if ((number & ~(uint64_t)(KV_LIST_LIMIT_MASK | KV_LIST_VALUES)) != 0) {
        service_refuse(call, CALL_ERROR_INVALID, "no such option of a list");
        return;
    }
    struct listing listing = { .has_values = (number & KV_LIST_VALUES) != 0 };
    buffer_init(&listing.text, SERVICE_ANSWER_SIZE_MAX);
    buffer_append(&listing.text, bytes_of("\0\0\0\0\0\0\0", 8));
    struct kv_range range = { .prefix = key_of(call),
                              .after = call->strings[2],
                              .limit = (size_t)(number & KV_LIST_LIMIT_MASK) };
    if (!transaction_list(transaction, &range, listing_take, &listing, &more, &error)) {
        service_refuse_error(call, &error);
    } else if (listing.text.failed) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a list");
    } else {
        struct writer writer = writer_into(listing.text.data, 8);
        write_u32_le(&writer, listing.count);
        write_u32_le(&writer, more ? 1 : 0);
        service_answer(call, 0, buffer_view(&listing.text));
    }
    buffer_done(&listing.text);
}

/* --- the end of the invocation --- */

_Static_assert((int)SERVICE_RESULT_SIZE_MAX == (int)KV_VALUE_SIZE_MAX, "one entry");

struct kv_key kv_result_key(const struct hex32 *name)
{
    return (struct kv_key){ .space = BYTES_LITERAL(KV_NAMESPACE_RESULTS),
                            .key = bytes_of_string(name->text),
                            .is_node = true };
}

/* The answer becomes an entry of the same transaction.  That another one got there first shows in
 * the snapshot, or, like everything that was read, when the transaction is committed.  *was_done:
 * it shows. */
static bool result_put(struct transaction *transaction, const struct service_result *result,
                       bool *was_done, struct error *error)
{
    struct hex32 name = hex_of_digest(&result->name);
    struct kv_key key = kv_result_key(&name);
    struct kv_entry entry;
    return transaction_get(transaction, key, &entry, was_done, error) &&
           (*was_done || transaction_set(transaction, key, result->value, result->ttl_ms, error));
}

static void visit_ended(struct visit *visit, struct service_ending *ending)
{
    struct service_scope *scope = visit->scope;
    const struct service_result *result = service_scope_result(scope);
    struct transaction_outcome outcome;
    struct error error;
    bool was_done = false;
    if (result != NULL && !result_put(visit->transaction, result, &was_done, &error)) {
        service_conclude_error(ending, &error);
        return;
    }
    if (was_done) {
        service_conclude(ending, SERVICE_CONFLICT,
                         "the same request was answered meanwhile; ask again for its answer");
        return;
    }
    bool committed = transaction_commit(visit->transaction, &visit->change, &outcome, &error);
    transaction_end(TAKE(visit->transaction));
    if (!committed) {
        service_conclude_error(ending, &error);
        return;
    }
    struct service_use use = { .service = "kv",
                               .has_before = true,
                               .has_after = true,
                               .before = outcome.before,
                               .after = outcome.after };
    snprintf(use.name, sizeof(use.name), "revision:%llu", (unsigned long long)outcome.revision);
    if (service_use(scope, &use))
        service_conclude(ending, SERVICE_KEEP, NULL);
    else
        service_conclude(ending, SERVICE_FAIL, "the receipt has no room for the state's digest");
}

static void kv_ended(void *context, struct service_scope *scope, struct service_ending *ending)
{
    struct visit *visit = service_state(scope, &service_kv);
    struct error error;
    if (!ending->is_commit || (visit == NULL && service_scope_result(scope) == NULL)) {
        service_conclude(ending, SERVICE_KEEP, NULL);
        return;
    }
    if (visit == NULL)
        visit = visit_begin(context, scope, &error);
    if (visit == NULL)
        service_conclude_error(ending, &error);
    else if (visit->is_reading)
        visit->ending = ending;
    else
        visit_ended(visit, ending);
}

/* What waited goes on: a call, or the end.  After that the visit may be gone. */
static void visit_read(void *context, const struct error *failure)
{
    struct visit *visit = context;
    struct error error;
    visit->is_reading = false;
    if (visit->is_forgotten) {
        visit_free(visit);
        return;
    }
    const struct service_facts *facts = service_scope_facts(visit->scope);
    struct kv_state_id id = kv_state_id(facts->application, &facts->owner);
    struct service_ending *ending = TAKE(visit->ending);
    struct service_call *call = TAKE(visit->parked);
    if (failure == NULL && !visit_open(visit, id.text, &error))
        failure = &error;
    if (failure != NULL) {
        service_set_state(visit->scope, &service_kv, NULL); /* the next call tries again */
        visit_free(visit);
    }
    if (ending != NULL && failure == NULL)
        visit_ended(visit, ending);
    else if (ending != NULL)
        service_conclude_error(ending, failure);
    else if (call != NULL && failure == NULL)
        visit->parked_run(visit->kv, call);
    else if (call != NULL)
        service_refuse_error(call, failure);
}

static void written(void *context, const struct error *error)
{
    struct visit *visit = context;
    visit->is_waiting = false;
    if (visit->is_forgotten)
        visit_free(visit);
    else if (error == NULL)
        service_conclude(TAKE(visit->ending), SERVICE_KEEP, NULL);
    else
        service_conclude_error(TAKE(visit->ending), error);
}

static void kv_issued(void *context, struct service_scope *scope, struct bytes receipt,
                      struct service_ending *ending)
{
    struct kv_service *kv = context;
    struct visit *visit = service_state(scope, &service_kv);
    struct error error;
    if (visit == NULL || (visit->change == NULL && states_is_settled(kv->states, visit->state))) {
        service_conclude(ending, SERVICE_KEEP, NULL);
        return;
    }
    if (receipt.size == 0 && visit->change != NULL) {
        service_conclude(ending, SERVICE_FAIL, "the state changes with a receipt or not at all");
        return;
    }
    struct states_receipt kept = { service_scope_facts(scope)->id, receipt, ending->is_alone };
    bool has_written = visit->change != NULL;
    if (!states_write(kv->states, visit->state, TAKE(visit->change), has_written ? &kept : NULL,
                      written, visit, &error)) {
        service_conclude_error(ending, &error);
        return;
    }
    visit->is_waiting = true;
    visit->ending = ending;
}

static void kv_forgotten(void *context UNUSED, struct service_scope *scope)
{
    struct visit *visit = service_state(scope, &service_kv);
    if (visit == NULL)
        return;
    service_set_state(scope, &service_kv, NULL);
    visit->is_forgotten = true;
    if (!visit->is_waiting && !visit->is_reading)
        visit_free(visit);
}

static const struct service_handler handlers[] = {
    { CALL_KV_GET, get_run },
    { CALL_KV_SET, set_run },
    { CALL_KV_DELETE, delete_run },
    { CALL_KV_LIST, list_run },
    { CALL_KV_COMPARE_AND_SET, compare_and_set_run },
};
const struct service service_kv = { .name = "kv",
                                    .handlers = handlers,
                                    .handler_count = ARRAY_COUNT(handlers),
                                    .foretell = kv_foretell,
                                    .cancelled = kv_cancelled,
                                    .ended = kv_ended,
                                    .issued = kv_issued,
                                    .forgotten = kv_forgotten };
