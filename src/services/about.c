/* SPDX-License-Identifier: Apache-2.0 */
#include "services/about.h"

#include <stdio.h>

/* Names and versions have no characters that JSON would escape (functions/manifest.h). */
static void about_run(void *context UNUSED, struct service_call *call)
{
    const struct service_facts *facts = call->facts;
    char text[512];
    int size = snprintf(text, sizeof(text),
                        "{\"application\":\"%s\",\"function\":\"%s\",\"invocation\":\"%s\","
                        "\"version\":\"%s\"}",
                        facts->application, facts->function, facts->id, facts->version);
    ASSERT(size > 0 && (size_t)size < sizeof(text));
    service_answer(call, 0, bytes_of(text, (size_t)size));
}

static const struct service_handler handlers[] = { { CALL_ABOUT, about_run } };
const struct service service_about = { .name = "about",
                                       .handlers = handlers,
                                       .handler_count = ARRAY_COUNT(handlers) };
