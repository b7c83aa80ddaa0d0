/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker that is not to be trusted may hand to the server as calls. */
#include "fuzz/fuzz.h"
#include "services/about.h"

static struct service_call *kept;

/* Every second call is answered later. */
static void some_run(void *context, struct service_call *call)
{
    unsigned *count = context;
    if ((*count)++ % 2 == 0) {
        kept = call;
        return;
    }
    service_answer(call, 7, call->strings[0]);
}

static void some_cancelled(void *context UNUSED, struct service_call *call)
{
    ASSERT(call == kept);
    kept = NULL;
}

static void listed(void *context, struct bytes answers)
{
    uint32_t count;
    bool is_list = call_answers_check(answers, &count);
    ASSERT(is_list && answers.size <= CALL_AREA_SIZE);
    (*(unsigned *)context)++;
}

void fuzz_one(struct bytes input)
{
    static const struct service_handler handlers[] = { { CALL_KV_GET, some_run },
                                                       { CALL_KV_SET, some_run },
                                                       { CALL_HTTP_FETCH, some_run } };
    static const struct service some = { .name = "some",
                                         .handlers = handlers,
                                         .handler_count = ARRAY_COUNT(handlers),
                                         .cancelled = some_cancelled };
    static const char *names[] = { "prices" };
    struct permissions permissions = permissions_default();
    unsigned count = 0, list_count = 0;
    struct error error;
    AUTO(services) struct services *services = NULL;
    struct service_scope *scope = NULL;
    permissions.lists[CALL_PERMISSION_KV] = (struct permission_list){ names, 1 };
    struct service_facts facts = { .application = "a",
                                   .function = "f",
                                   .version = "1",
                                   .permissions = &permissions,
                                   .call_count_max = 100 };
    bool is_ready = services_new(&services, &error) &&
                    services_add(services, &service_about, NULL, &error) &&
                    services_add(services, &some, &count, &error) &&
                    services_begin(services, &facts, &scope, &error);
    ASSERT(is_ready);
    /* Twice: the second time behind the first one's answers. */
    for (unsigned i = 0; i < 2; i++) {
        unsigned before = list_count;
        bool is_taken = services_run(scope, input, listed, &list_count);
        ASSERT(is_taken || list_count == before);
        while (kept != NULL && input.size % 3 != 0) {
            struct service_call *call = kept;
            kept = NULL;
            service_answer(call, 1, BYTES_LITERAL("later"));
        }
    }
    services_forget(scope);
    kept = NULL;
}
