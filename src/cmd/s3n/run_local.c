/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/run_local.h"

#include "base/file.h"
#include "keys/function_key.h"
#include "services/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- secrets --- */

static bool value_read(struct bytes *value, const char *name, const char *path, struct error *error)
{
    struct buffer content;
    buffer_init(&content, SECRET_VALUE_SIZE_MAX);
    const char *variable = path == NULL ? getenv(name) : NULL;
    if (path != NULL && !file_read(&content, path, error))
        return false;
    if (path == NULL && variable == NULL)
        return error_set(error, ERROR_USAGE, "the environment has no %s (or: --secret %s=@FILE)",
                         name, name);
    if (path == NULL)
        buffer_append_string(&content, variable);
    if (content.failed)
        return error_set(error, ERROR_LIMIT, "a secret has at most %d bytes",
                         SECRET_VALUE_SIZE_MAX);
    *value = buffer_view(&content);
    return value->size > 0 || error_set(error, ERROR_INVALID, "%s: a secret is not empty", name);
}

static bool secret_add(struct run_secrets *secrets, const char *given, struct error *error)
{
    struct run_secret *secret = &secrets->list[secrets->count];
    const char *equals = strchr(given, '=');
    struct bytes name = bytes_of(given, equals == NULL ? strlen(given) : (size_t)(equals - given));
    if (!permission_check(CALL_PERMISSION_SECRETS, name, error))
        return false;
    if (equals != NULL && equals[1] != '@')
        return error_set(error, ERROR_USAGE,
                         "a secret's value is no argument, which others can see: NAME=@FILE, or "
                         "NAME for the variable of the environment");
    snprintf(secret->name, sizeof(secret->name), "%.*s", (int)name.size, (const char *)name.data);
    for (size_t i = 0; i < secrets->count; i++) {
        if (strcmp(secrets->list[i].name, secret->name) == 0)
            return error_set(error, ERROR_USAGE, "%s is given twice", secret->name);
    }
    secrets->count++;
    return value_read(&secret->value, secret->name, equals == NULL ? NULL : equals + 2, error);
}

bool run_secrets_read(struct run_secrets *secrets, const struct option_list *given,
                      struct error *error)
{
    for (size_t i = 0; i < given->count; i++) {
        if (!secret_add(secrets, given->items[i], error))
            return error_within(error, "--secret");
    }
    return true;
}

static void secret_run(void *context, struct service_call *call)
{
    const struct run_secrets *secrets = context;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct run_secret *secret = &secrets->list[i];
        if (!bytes_equal(bytes_of_string(secret->name), call->strings[0]))
            continue;
        if (call->numbers[0] > 1)
            service_refuse(call, CALL_ERROR_NOT_FOUND, "secret %s has one version here",
                           secret->name);
        else
            service_answer(call, 0, secret->value);
        return;
    }
    ASSERT(false); /* the permissions are the names */
}

static const struct service_handler secret_handlers[] = { { CALL_SECRET_GET, secret_run } };
const struct service run_secret = { .name = "secret",
                                    .handlers = secret_handlers,
                                    .handler_count = ARRAY_COUNT(secret_handlers) };

/* --- keys --- */

/* Everybody's: SHA-256 of a text. */
static struct secret32 development_root(void)
{
    struct digest32 digest = sha256_of(bytes_of_string("s3n run: development keys"));
    struct secret32 root;
    memcpy(root.bytes, digest.bytes, sizeof(root.bytes));
    return root;
}

/* False: refused. */
static bool place_take(const bool *is_allowed, struct key_place *place, struct service_call *call,
                       enum key_algorithm algorithm)
{
    struct bytes path = call->strings[0];
    if (!*is_allowed) {
        service_refuse(call, CALL_ERROR_DENIED, "no permission for keys");
        return false;
    }
    *place = (struct key_place){ .application = "run", .algorithm = algorithm };
    if (!key_path_is_valid(path)) {
        service_refuse(call, CALL_ERROR_INVALID, "%s is no path of a key", error_quote(path).text);
        return false;
    }
    memcpy(place->path, path.data, path.size);
    return true;
}

static bool asymmetric_take(const bool *is_allowed, struct key_place *place,
                            struct service_call *call, uint64_t number)
{
    enum key_algorithm algorithm;
    if (key_algorithm_of_number(&algorithm, number) && algorithm != KEY_ALGORITHM_HKDF)
        return place_take(is_allowed, place, call, algorithm);
    service_refuse(call, CALL_ERROR_UNSUPPORTED,
                   "algorithms are 1 P-256, 2 secp256k1, 3 Ed25519, 4 X25519");
    return false;
}

static void give(struct service_call *call, bool is_done, const struct buffer *result,
                 const struct error *error)
{
    if (is_done)
        service_answer(call, 0, buffer_view(result));
    else
        service_refuse_error(call, error);
}

static void public_run(void *context, struct service_call *call)
{
    struct secret32 root = development_root();
    struct key_place place;
    struct key_public key;
    struct error error;
    if (!asymmetric_take(context, &place, call, call->numbers[0]))
        return;
    if (function_key_public(&key, &root, &place, &error))
        service_answer(call, 0, bytes_of(key.bytes, key.size));
    else
        service_refuse_error(call, &error);
}

static void sign_run(void *context, struct service_call *call)
{
    struct secret32 root = development_root();
    AUTO_BUFFER struct buffer signature;
    struct key_place place;
    struct error error;
    uint64_t number = call->numbers[0];
    buffer_init(&signature, KEY_SIGNATURE_SIZE_MAX);
    if (asymmetric_take(context, &place, call, number & ~(uint64_t)KEY_OF_DIGEST))
        give(call,
             function_key_sign(&signature, &root, &place, (number & KEY_OF_DIGEST) != 0,
                               call->strings[1], &error),
             &signature, &error);
}

static void derive_run(void *context, struct service_call *call)
{
    struct secret32 root = development_root();
    AUTO_BUFFER struct buffer derived;
    struct key_place place;
    struct error error;
    size_t size = (size_t)call->numbers[0];
    buffer_init(&derived, KEY_DERIVED_SIZE_MAX);
    if (place_take(context, &place, call, KEY_ALGORITHM_HKDF))
        give(call, function_key_derive(&derived, &root, &place, size, &error), &derived, &error);
}

static void open_run(void *context, struct service_call *call)
{
    const struct key_sealed sealed = { call->strings[1], call->strings[2], call->strings[3],
                                       call->strings[4] };
    struct secret32 root = development_root();
    AUTO_BUFFER struct buffer plain;
    struct key_place place;
    struct error error;
    buffer_init(&plain, KEY_MESSAGE_SIZE_MAX);
    if (place_take(context, &place, call, KEY_ALGORITHM_X25519))
        give(call, function_key_open(&plain, &root, &place, &sealed, &error), &plain, &error);
}

static const struct service_handler key_handlers[] = {
    { CALL_KEY_PUBLIC, public_run },
    { CALL_KEY_SIGN, sign_run },
    { CALL_KEY_DERIVE, derive_run },
    { CALL_HPKE_OPEN, open_run },
};
const struct service run_key = { .name = "key",
                                 .handlers = key_handlers,
                                 .handler_count = ARRAY_COUNT(key_handlers) };
