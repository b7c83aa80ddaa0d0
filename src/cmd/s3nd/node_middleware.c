/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says of routes and middleware, as the gateway has it. */
#include "base/log.h"
#include "cmd/s3nd/node.h"

/* Borrows from the manifest. */
struct node_middleware {
    struct gateway_middleware asked;
    struct gateway_page pages[MIDDLEWARE_PAGE_COUNT_MAX];
};

static struct gateway_list list_of(const struct manifest_strings *strings)
{
    return (struct gateway_list){ strings->items, strings->count };
}

static void middleware_of(struct node_middleware *made, const struct application *application)
{
    struct gateway_middleware *asked = &made->asked;
    const struct manifest_middleware *middleware = &application->manifest->middleware;
    const struct manifest_middleware_errors *errors = &middleware->errors;
    for (size_t i = 0; i < errors->page_count; i++)
        made->pages[i] = (struct gateway_page){ errors->pages[i].status, errors->pages[i].file };
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
        .assets = { .index = middleware->assets.index,
                    .cache_control = middleware->assets.cache_control },
        .pages = { .function = errors->function,
                   .items = made->pages,
                   .count = errors->page_count },
        .idempotency = { .is_on = idempotency->is_given,
                         .is_required = idempotency->is_required,
                         .refuses_concurrent = idempotency->refuses_concurrent,
                         .retention_s = idempotency->retention_s },
    };
}

/* --- routes --- */

/* The manifest's set of methods as the gateway has it. */
static uint32_t http_methods_of(uint32_t methods)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        enum http_method method;
        const char *name = manifest_method_name((enum manifest_method)i);
        if ((methods & (1u << i)) != 0 && http_method_parse(&method, bytes_of_string(name)))
            bits |= 1u << method;
    }
    return bits;
}

static void release_of(struct gateway_release *release, struct gateway_route *routes,
                       struct node_middleware *middleware, const struct application *application,
                       unsigned weight)
{
    const struct manifest *manifest = application->manifest;
    middleware_of(middleware, application);
    for (size_t i = 0; i < manifest->route_count; i++)
        routes[i] = (struct gateway_route){ .folder = manifest->routes[i].folder,
                                            .pattern = manifest->routes[i].route,
                                            .function = manifest->routes[i].function,
                                            .methods = http_methods_of(manifest->routes[i].methods),
                                            .is_sealed_only = manifest->routes[i].is_sealed_only,
                                            .auth = (enum gateway_auth)manifest->routes[i].auth };
    *release = (struct gateway_release){
        application->version_number, weight, routes, manifest->route_count, &middleware->asked,
        application->owner
    };
}

void node_publish_routes(struct node *node, const char *name, const struct registry_entry *entry)
{
    struct gateway_route routes[GATEWAY_RELEASE_COUNT_MAX][MANIFEST_ROUTE_COUNT_MAX];
    struct gateway_release releases[GATEWAY_RELEASE_COUNT_MAX];
    struct node_middleware middleware[GATEWAY_RELEASE_COUNT_MAX];
    struct error error;
    size_t count = 0;
    if (entry == NULL || entry->served == NULL) {
        gateway_routes_remove(node->gateway, name);
        return;
    }
    release_of(&releases[count++], routes[0], &middleware[0], entry->served, 100 - entry->weight);
    node_issuers_expect(node->issuers, entry->served->manifest);
    if (entry->canary != NULL)
        release_of(&releases[count++], routes[1], &middleware[1], entry->canary, entry->weight);
    if (entry->canary != NULL)
        node_issuers_expect(node->issuers, entry->canary->manifest);
    if (!gateway_routes_set(node->gateway, name, releases, count, &error))
        log_error("routes", &error);
}
