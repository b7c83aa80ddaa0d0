/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications/{application}/secrets: an application's secrets, for its owner.  Values come
 * sealed to the keyset's encryption key and go to the keeper as they are; nobody gets one back. */
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct node *node, struct http_handle handle, const struct error *error)
{
    const char *hint = NULL;
    if (error->code == ERROR_SYSTEM || error->code == ERROR_CORRUPT ||
        error->code == ERROR_NO_SPACE)
        LOG_LIMITED(LOG_LEVEL_ERROR, "secrets", "error", error->text, NULL);
    if (error->code == ERROR_UNVERIFIED)
        hint = "the node's keyset may be another since: ask for evidence again and seal to that";
    gateway_answer_error(node->gateway, handle, error, hint);
}

/* false: the request was refused. */
static bool owner_of(struct node *node, const struct gateway_call *call, struct secret_owner *whose,
                     char name[NAME_SIZE_MAX + 1])
{
    struct error error;
    snprintf(name, NAME_SIZE_MAX + 1, "%.*s", (int)call->application.size,
             (const char *)call->application.data);
    const struct registry_entry *entry = registry_entry_find(node->registry, name);
    *whose = (struct secret_owner){ name, call->owner };
    if (entry != NULL && digest32_equal(&entry->owner, &call->owner))
        return true;
    error_set(&error, ERROR_NOT_FOUND, "you have no application %s here", name);
    fail(node, call->handle, &error);
    return false;
}

static bool name_take(char name[SECRET_NAME_SIZE_MAX + 1], struct bytes text, struct error *error)
{
    if (!secret_name_is_valid(text))
        return error_set(error, ERROR_INVALID,
                         "the name of a secret has 1 to %d letters, digits and . _ -, and begins "
                         "with none of . -",
                         SECRET_NAME_SIZE_MAX);
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    return true;
}

/* --- looking --- */

static void list_answer(struct node *node, const struct gateway_call *call, const char *name)
{
    char application[NAME_SIZE_MAX + 1];
    struct secret_owner whose;
    struct error error;
    json_t *list = NULL;
    if (!owner_of(node, call, &whose, application))
        return;
    if (secrets_list(node->secrets, &whose, name, node_now_s(), &list, &error))
        gateway_answer_json(node->gateway, call->handle, 200, list);
    else
        fail(node, call->handle, &error);
}

void api_secret_list(void *context, const struct gateway_call *call)
{
    list_answer(context, call, NULL);
}

void api_secret_get(void *context, const struct gateway_call *call)
{
    char name[SECRET_NAME_SIZE_MAX + 1];
    struct error error;
    if (name_take(name, call->secret, &error))
        list_answer(context, call, name);
    else
        fail(context, call->handle, &error);
}

/* --- setting --- */

struct intake {
    struct keeper_job job;
    struct node *node;
    struct http_handle handle;
    struct actor_text actor;
    struct secret_put put;
    int64_t not_before_s;
    struct buffer envelope, sealed;
};

static void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    buffer_done(&intake->envelope);
    buffer_done(&intake->sealed);
    free(intake);
}
DEFINE_AUTO(intake, intake_free)

static bool intake_run(struct keeper_job *job, struct keeper *keeper, struct error *error)
{
    struct intake *intake = (struct intake *)job;
    return keeper_admit(keeper, &intake->put.place, intake->not_before_s,
                        buffer_view(&intake->envelope), &intake->sealed, error);
}

static void intake_done(struct keeper_job *job, const struct error *failure)
{
    AUTO(intake) struct intake *intake = (struct intake *)job;
    struct node *node = intake->node;
    struct secret_put *put = &intake->put;
    struct change change = { put->place.owner, intake->actor.text, node_now_s() };
    struct error error;
    if (failure != NULL)
        node_keeper_failed(node, failure);
    if (node->stopping)
        return;
    put->sealed = buffer_view(&intake->sealed);
    if (failure != NULL)
        fail(node, intake->handle, failure);
    else if (!secrets_put(node->secrets, put, &change, &error))
        fail(node, intake->handle, &error);
    else
        gateway_answer_json(node->gateway, intake->handle, put->place.version == 1 ? 201 : 200,
                            json_pack("{s:s, s:I}", "name", put->place.name, "version",
                                      (json_int_t)put->place.version));
}

static bool body_read(struct intake *intake, const struct node *node, struct bytes body,
                      struct error *error)
{
    static const char *const keys[] = { "version", "key", "envelope", "overlap_s", NULL };
    AUTO_JSON json_t *root = NULL;
    struct secret_put *put = &intake->put;
    struct x25519_public key;
    const char *text;
    int64_t version;
    if (!json_parse(&root, body, error) || !json_check_keys(root, keys, "secret", error) ||
        !json_get_integer(root, "version", 1, KEYS_NUMBER_MAX, &version, error) ||
        !json_get_hex(root, "key", key.bytes, sizeof(key.bytes), error) ||
        !json_get_string(root, "envelope", &text, error))
        return false;
    put->place.version = (uint64_t)version;
    put->is_rotation = json_object_get(root, "overlap_s") != NULL;
    if (put->is_rotation &&
        !json_get_integer(root, "overlap_s", 0, SECRET_OVERLAP_S_MAX, &put->overlap_s, error))
        return false;
    const struct keyset *keyset = &node->identity.parsed;
    if (memcmp(key.bytes, keyset->encryption_key.bytes, sizeof(key.bytes)) != 0)
        return error_set(error, ERROR_UNVERIFIED,
                         "the secret is sealed to another keyset than the present one");
    intake->not_before_s = keyset->validity.not_before_s;
    size_t size, size_max = SECRET_ENVELOPE_OVERHEAD + SECRET_VALUE_SIZE_MAX;
    uint8_t *room = buffer_reserve(&intake->envelope, size_max);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    if (!base64_decode(room, size_max, &size, bytes_of_string(text)))
        return error_set(error, ERROR_INVALID, "the envelope is not base64 of at most %zu bytes",
                         size_max);
    if (size <= SECRET_ENVELOPE_OVERHEAD)
        return error_set(error, ERROR_INVALID, "the envelope is too short to hold anything");
    intake->envelope.size = size;
    put->size = size - SECRET_ENVELOPE_OVERHEAD;
    return true;
}

void api_secret_put(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    char application[NAME_SIZE_MAX + 1];
    struct secret_owner whose;
    struct error error;
    if (!owner_of(node, call, &whose, application))
        return;
    AUTO(intake) struct intake *intake = calloc(1, sizeof(*intake));
    if (intake == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for a secret");
        fail(node, call->handle, &error);
        return;
    }
    *intake = (struct intake){ .job = { .run = intake_run, .done = intake_done },
                               .node = node,
                               .handle = call->handle,
                               .actor = actor_of(call),
                               .put.place.owner = call->owner };
    buffer_init(&intake->envelope, SECRET_ENVELOPE_OVERHEAD + SECRET_VALUE_SIZE_MAX);
    buffer_init(&intake->sealed, STORE_VALUE_SIZE_MAX);
    snprintf(intake->put.place.application, sizeof(intake->put.place.application), "%s",
             application);
    if (name_take(intake->put.place.name, call->secret, &error) &&
        body_read(intake, node, call->request->body, &error))
        keeper_desk_leave(node->desk, &TAKE(intake)->job);
    else
        fail(node, call->handle, &error);
}

void api_secret_delete(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    char application[NAME_SIZE_MAX + 1], name[SECRET_NAME_SIZE_MAX + 1];
    struct actor_text actor = actor_of(call);
    struct change change = { call->owner, actor.text, node_now_s() };
    struct secret_owner whose;
    struct error error;
    if (!owner_of(node, call, &whose, application))
        return;
    if (!name_take(name, call->secret, &error) ||
        !secrets_remove(node->secrets, &whose, name, &change, &error)) {
        fail(node, call->handle, &error);
        return;
    }
    struct http_answer answer = { .status = 204 };
    gateway_answer(node->gateway, call->handle, &answer);
}
