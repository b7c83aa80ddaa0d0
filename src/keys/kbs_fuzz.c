/* SPDX-License-Identifier: Apache-2.0 */
/* A broker that answers anything: the first byte says to which step. */
#include "fuzz/fuzz.h"
#include "keys/kbs.h"

static bool answer(struct kbs_session *session, unsigned steps, struct bytes input)
{
    AUTO_BUFFER struct buffer body;
    AUTO_SECRET_BUFFER struct secret_buffer resource = { 0 };
    struct error error;
    buffer_init(&body, 1 << 20);
    struct bytes challenge = BYTES_LITERAL("{\"nonce\":\"AA==\",\"extra-params\":\"\"}");
    struct bytes token = BYTES_LITERAL("{\"token\":\"e30.e30.AA\"}");
    ASSERT(kbs_write_request(&body, session, &error));
    if (!kbs_read_challenge(session, 200, steps == 0 ? input : challenge, &error))
        return false;
    ASSERT(kbs_write_attestation(&body, session, &error));
    if (steps == 0 || !kbs_read_token(session, 200, steps == 1 ? input : token, 1, &error))
        return false;
    return steps > 1 &&
           kbs_read_resource(&resource, session, steps == 2 ? 200 : 404, input, &error);
}

void fuzz_one(struct bytes input)
{
    AUTO(kbs_session) struct kbs_session *session = NULL;
    struct kbs_options options = { .is_sample = true, .resource = "a/b/c" };
    struct error error;
    if (input.size == 0)
        return;
    ASSERT(kbs_session_new(&session, NULL, &options, &error));
    ASSERT(!answer(session, input.data[0] % 4, bytes_part(input, 1, input.size)) ||
           input.data[0] % 4 == 2);
}
