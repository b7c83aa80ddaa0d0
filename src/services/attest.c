/* SPDX-License-Identifier: Apache-2.0 */
#include "services/attest.h"

static void attest_run(void *context, struct service_call *call)
{
    const struct attest_source *source = context;
    AUTO_BUFFER struct buffer text;
    struct error error;
    uintptr_t count = (uintptr_t)service_state(call->scope, &service_attest);
    buffer_init(&text, SERVICE_ANSWER_SIZE_MAX);
    if (call->strings[0].size != ATTEST_NONCE_SIZE) {
        service_refuse(call, CALL_ERROR_INVALID, "a nonce has %d bytes", ATTEST_NONCE_SIZE);
        return;
    }
    if (count >= ATTEST_COUNT_MAX) {
        service_refuse(call, CALL_ERROR_LIMIT, "an invocation may ask for evidence %d times",
                       ATTEST_COUNT_MAX);
        return;
    }
    service_set_state(call->scope, &service_attest, (void *)(count + 1));
    if (!source->write(source->context, call->strings[0].data, &text, &error)) {
        service_refuse_error(call, &error);
        return;
    }
    service_answer(call, 0, buffer_view(&text));
}

static const struct service_handler handlers[] = { { CALL_ATTEST, attest_run } };
const struct service service_attest = { .name = "attest",
                                        .handlers = handlers,
                                        .handler_count = ARRAY_COUNT(handlers) };
