/* SPDX-License-Identifier: Apache-2.0 */
/* What a server that is not to be trusted may ask its keeper for secrets and
 * keys: the first byte chooses the request.  What is read says the same when it
 * is written again, and is then served. */
#include "fuzz/fuzz.h"
#include "keys/keeper_message.h"

static const struct secret32 root = { { 1, 2, 3 } };

static void is_again(const struct buffer *written, struct bytes payload)
{
    ASSERT(!written->failed && bytes_equal(buffer_view(written), payload));
}

static void admit(struct bytes payload)
{
    struct admit_request request;
    struct error error;
    AUTO_BUFFER struct buffer written, sealed;
    buffer_init(&written, 1 << 20);
    buffer_init(&sealed, 1 << 20);
    if (!admit_request_read(&request, payload, &error))
        return;
    admit_request_write(&written, &request);
    is_again(&written, payload);
    (void)!secret_admit(&sealed, &root, &request.place, &root, request.envelope, &error);
}

static void release(struct bytes payload)
{
    struct release_request request;
    struct error error;
    AUTO_BUFFER struct buffer written, value;
    buffer_init(&written, 1 << 20);
    buffer_init(&value, 1 << 20);
    if (!release_request_read(&request, payload, &error))
        return;
    release_request_write(&written, &request);
    is_again(&written, payload);
    (void)!secret_open(&value, &root, &request.place, request.sealed, &error);
}

static void use_key(struct bytes payload)
{
    struct key_use use;
    struct key_public public_key;
    struct error error;
    AUTO_BUFFER struct buffer written, result;
    buffer_init(&written, 1 << 20);
    buffer_init(&result, 1 << 20);
    if (!key_request_read(&use, payload, &error))
        return;
    key_request_write(&written, &use);
    is_again(&written, payload);
    const struct key_sealed sealed = { use.info, use.encapsulated, use.associated, use.message };
    (void)!function_key_public(&public_key, &root, &use.place, &error);
    (void)!function_key_sign(&result, &root, &use.place, use.is_digest, use.message, &error);
    (void)!function_key_derive(&result, &root, &use.place, use.size, &error);
    (void)!function_key_open(&result, &root, &use.place, &sealed, &error);
}

void fuzz_one(struct bytes input)
{
    if (input.size == 0)
        return;
    struct bytes payload = bytes_part(input, 1, input.size);
    switch (input.data[0] % 3) {
    case 0:
        admit(payload);
        break;
    case 1:
        release(payload);
        break;
    default:
        use_key(payload);
        break;
    }
}
