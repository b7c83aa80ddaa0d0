/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gateway: one version's middleware, shared by its routes and by the requests that entered
 * under it. */
#ifndef GATEWAY_RULES_H
#define GATEWAY_RULES_H

#include "core/bytes.h"
#include "gateway/middleware.h"

struct arena;

struct rules {
    unsigned holders;
    struct arena *arena;
    struct gateway_middleware asked; /* own copies */
    const char *cors_headers;        /* joined by commas */
    const char *cors_expose;
    char cors_max_age[12];
};

/* A copy; *rules is NULL when `asked` is. */
MUST_CHECK bool rules_new(struct rules **rules, const struct gateway_middleware *asked,
                          struct error *error);
struct rules *rules_hold(struct rules *rules);
void rules_release(struct rules *rules);

#endif
