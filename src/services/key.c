/* SPDX-License-Identifier: Apache-2.0 */
#include "services/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which keys an invocation has used. */
struct visit {
    char names[KEY_USED_COUNT_MAX][SERVICE_USE_NAME_SIZE_MAX + 1];
    size_t count;
};

/* One use on its way to the keeper. */
struct work {
    struct keeper_job job;
    struct key_service *service;
    struct service_call *call; /* NULL: nobody waits any more */
    struct key_use use;        /* its bytes are those of `inputs` */
    struct buffer inputs;
    struct key_public public_key;
    struct buffer result;
};

static void work_free(struct work *work)
{
    if (work == NULL)
        return;
    secret_wipe(work->inputs.data, work->inputs.capacity);
    buffer_done(&work->inputs);
    secret_wipe(work->result.data, work->result.capacity);
    buffer_done(&work->result);
    free(work);
}
DEFINE_AUTO(work, work_free)

struct key_name {
    char text[SERVICE_USE_NAME_SIZE_MAX + 1];
};

static struct key_name name_of(const struct key_place *place)
{
    struct key_name name;
    snprintf(name.text, sizeof(name.text), "%s:%s", key_algorithm_name(place->algorithm),
             place->path);
    return name;
}

/* --- what the receipt says --- */

static bool use_name(struct service_scope *scope, const struct work *work, struct error *error)
{
    struct visit *visit = service_state(scope, &service_key);
    struct key_name name = name_of(&work->use.place);
    if (visit == NULL) {
        visit = calloc(1, sizeof(*visit));
        if (visit == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a key");
        service_set_state(scope, &service_key, visit);
    }
    for (size_t i = 0; i < visit->count; i++) {
        if (strcmp(visit->names[i], name.text) == 0)
            return true;
    }
    struct service_use use = { .service = "key", .has_after = work->public_key.size > 0 };
    if (use.has_after)
        use.after = sha256_of(bytes_of(work->public_key.bytes, work->public_key.size));
    memcpy(use.name, name.text, sizeof(use.name));
    if (visit->count == KEY_USED_COUNT_MAX || !service_use(scope, &use))
        return error_set(error, ERROR_LIMIT, "the receipt has no room for another key");
    memcpy(visit->names[visit->count++], name.text, sizeof(name.text));
    return true;
}

/* --- to the keeper and back --- */

static bool work_run(struct keeper_job *job, struct keeper *keeper, struct error *error)
{
    struct work *work = (struct work *)job;
    /* At once as large as it gets, so that no copy stays behind. */
    if (buffer_reserve(&work->result, work->result.size_max) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a key");
    return keeper_use_key(keeper, &work->use, &work->public_key, &work->result, error);
}

static bool result_give(struct work *work, struct error *error)
{
    struct service_call *call = work->call;
    struct bytes result = buffer_view(&work->result);
    if (work->use.operation == KEY_USE_PUBLIC) {
        service_answer(call, 0, bytes_of(work->public_key.bytes, work->public_key.size));
        return true;
    }
    bool is_secret = work->use.operation == KEY_USE_DERIVE || work->use.operation == KEY_USE_OPEN;
    if (!use_name(call->scope, work, error) || (is_secret && !service_redact(call, result, error)))
        return false;
    service_answer(call, 0, result);
    return true;
}

static void work_done(struct keeper_job *job, const struct error *failure)
{
    AUTO(work) struct work *work = (struct work *)job;
    struct key_service *service = work->service;
    struct error error;
    if (failure != NULL && service->failed != NULL)
        service->failed(service->context, failure);
    if (work->call == NULL)
        return;
    work->call->state = NULL;
    if (failure != NULL)
        service_refuse_error(work->call, failure);
    else if (!result_give(work, &error))
        service_refuse_error(work->call, &error);
}

/* Copies `bytes` to the inputs, which have room. */
static struct bytes input_keep(struct work *work, struct bytes bytes)
{
    size_t at = work->inputs.size;
    buffer_append(&work->inputs, bytes);
    return bytes_of(work->inputs.data + at, bytes.size);
}

/* Checks the permission and leaves the work at the desk. */
static void use_start(struct key_service *service, struct service_call *call, struct key_use *use)
{
    const struct service_facts *facts = call->facts;
    struct bytes path = call->strings[0];
    size_t size =
        use->info.size + use->encapsulated.size + use->associated.size + use->message.size;
    if (!key_path_is_valid(path)) {
        service_refuse(call, CALL_ERROR_INVALID,
                       "the path of a key has 1 to %d letters, digits and . _ / -",
                       KEY_PATH_SIZE_MAX);
        return;
    }
    memcpy(use->place.path, path.data, path.size);
    struct key_name name = name_of(&use->place);
    if (!permissions_grant(facts->permissions, CALL_PERMISSION_KEYS, bytes_of_string(name.text))) {
        service_deny(call, bytes_of_string(name.text));
        return;
    }
    snprintf(use->place.application, sizeof(use->place.application), "%s", facts->application);
    use->place.owner = facts->owner;
    use->receiver = facts->manifest;
    AUTO(work) struct work *work = calloc(1, sizeof(*work));
    if (work == NULL) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a key");
        return;
    }
    *work = (struct work){
        .job = { .run = work_run, .done = work_done }, .service = service, .call = call, .use = *use
    };
    buffer_init(&work->inputs, size);
    buffer_init(&work->result, MAX(use->message.size, (size_t)KEY_DERIVED_SIZE_MAX));
    if (buffer_reserve(&work->inputs, size) == NULL) {
        service_refuse(call, CALL_ERROR_UNAVAILABLE, "no memory for a key");
        return;
    }
    work->use.info = input_keep(work, use->info);
    work->use.encapsulated = input_keep(work, use->encapsulated);
    work->use.associated = input_keep(work, use->associated);
    work->use.message = input_keep(work, use->message);
    call->state = work;
    keeper_desk_leave(service->desk, &TAKE(work)->job);
}

/* --- the calls --- */

static bool algorithm_take(struct service_call *call, uint64_t number,
                           enum key_algorithm *algorithm)
{
    if (key_algorithm_of_number(algorithm, number) && *algorithm != KEY_ALGORITHM_HKDF)
        return true;
    service_refuse(call, CALL_ERROR_UNSUPPORTED,
                   "algorithms are 1 P-256, 2 secp256k1, 3 Ed25519, 4 X25519");
    return false;
}

static void public_run(void *context, struct service_call *call)
{
    struct key_use use = { .operation = KEY_USE_PUBLIC };
    if (algorithm_take(call, call->numbers[0], &use.place.algorithm))
        use_start(context, call, &use);
}

static void sign_run(void *context, struct service_call *call)
{
    struct key_use use = { .operation = KEY_USE_SIGN,
                           .is_digest = (call->numbers[0] & KEY_OF_DIGEST) != 0,
                           .message = call->strings[1] };
    if (algorithm_take(call, call->numbers[0] & ~(uint64_t)KEY_OF_DIGEST, &use.place.algorithm))
        use_start(context, call, &use);
}

static void derive_run(void *context, struct service_call *call)
{
    struct key_use use = { .operation = KEY_USE_DERIVE, .place.algorithm = KEY_ALGORITHM_HKDF };
    uint64_t size = call->numbers[0];
    use.size = (uint32_t)MIN(size, (uint64_t)UINT32_MAX);
    use_start(context, call, &use);
}

static void open_run(void *context, struct service_call *call)
{
    struct key_use use = { .operation = KEY_USE_OPEN,
                           .place.algorithm = KEY_ALGORITHM_X25519,
                           .info = call->strings[1],
                           .encapsulated = call->strings[2],
                           .associated = call->strings[3],
                           .message = call->strings[4] };
    use_start(context, call, &use);
}

static void key_cancelled(void *context UNUSED, struct service_call *call)
{
    struct work *work = call->state;
    if (work != NULL)
        work->call = NULL;
}

static void key_forgotten(void *context UNUSED, struct service_scope *scope)
{
    free(service_state(scope, &service_key));
    service_set_state(scope, &service_key, NULL);
}

static const struct service_handler handlers[] = {
    { CALL_KEY_PUBLIC, public_run },
    { CALL_KEY_SIGN, sign_run },
    { CALL_KEY_DERIVE, derive_run },
    { CALL_HPKE_OPEN, open_run },
};
const struct service service_key = { .name = "key",
                                     .handlers = handlers,
                                     .handler_count = ARRAY_COUNT(handlers),
                                     .cancelled = key_cancelled,
                                     .forgotten = key_forgotten };
