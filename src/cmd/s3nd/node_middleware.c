/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says of middleware, as the gateway has it. */
#include "cmd/s3nd/node.h"

static struct gateway_list list_of(const struct manifest_strings *strings)
{
    return (struct gateway_list){ strings->items, strings->count };
}

void node_middleware_of(struct gateway_middleware *asked, const struct application *application)
{
    const struct manifest_middleware *middleware = &application->manifest->middleware;
    const struct manifest_middleware_limits *limits = &middleware->limits;
    const struct manifest_middleware_cors *cors = &middleware->cors;
    const struct manifest_middleware_idempotency *idempotency = &middleware->idempotency;
    *asked = (struct gateway_middleware){
        .limits = { .body_size_max = (size_t)limits->body_kib << 10,
                    .per_address = { limits->per_address.per_minute, limits->per_address.burst },
                    .per_key = { limits->per_key.per_minute, limits->per_key.burst },
                    .concurrency = limits->concurrency,
                    .queue = limits->queue,
                    .queue_ms = limits->queue_ms },
        .cors = { .is_on = cors->is_given,
                  .has_credentials = cors->has_credentials,
                  .origins = list_of(&cors->origins),
                  .headers = list_of(&cors->headers),
                  .expose = list_of(&cors->expose),
                  .max_age_s = cors->max_age_s },
        .idempotency = { .is_on = idempotency->is_given,
                         .is_required = idempotency->is_required,
                         .refuses_concurrent = idempotency->refuses_concurrent,
                         .retention_s = idempotency->retention_s },
    };
}
