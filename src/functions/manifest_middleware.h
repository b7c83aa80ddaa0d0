/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest's table [middleware] in both forms: one row of a table per unit, so that an unknown
 * unit is an unknown key (docs/middleware.md).  Internal to functions, but for the values. */
#ifndef FUNCTIONS_MANIFEST_MIDDLEWARE_H
#define FUNCTIONS_MANIFEST_MIDDLEWARE_H

#include "base/json.h"
#include "functions/manifest_reader.h"

struct manifest_strings {
    const char **items; /* in the manifest's order, none twice */
    size_t count;
};

struct manifest_rate {
    uint32_t per_minute; /* 0: no limit */
    uint32_t burst;
};

/* [middleware.limits] */
struct manifest_middleware_limits {
    bool is_given;
    uint32_t body_kib; /* 0: the node's limit */
    struct manifest_rate per_address, per_key;
    uint32_t concurrency; /* 0: no limit */
    uint32_t queue, queue_ms;
};

/* [middleware.cors] */
struct manifest_middleware_cors {
    bool is_given;
    bool has_credentials;
    struct manifest_strings origins, headers, expose;
    uint32_t max_age_s;
};

/* [middleware.idempotency] */
struct manifest_middleware_idempotency {
    bool is_given;
    bool is_required;
    bool refuses_concurrent;
    uint32_t retention_s;
};

/* [middleware.assets]: of routes with `static` */
struct manifest_middleware_assets {
    bool is_given;
    bool compresses;
    const char *index;
    const char *cache_control;
};

/* [middleware.errors] */
struct manifest_page {
    int status; /* 404; 4 and 5 stand for "4xx" and "5xx" */
    const char *file;
};
struct manifest_middleware_errors {
    bool is_given;
    const char *function; /* whose files the pages are */
    struct manifest_page *pages;
    size_t page_count;
};

struct manifest_middleware {
    struct manifest_middleware_limits limits;
    struct manifest_middleware_cors cors;
    struct manifest_middleware_idempotency idempotency;
    struct manifest_middleware_assets assets;
    struct manifest_middleware_errors errors;
};

MUST_CHECK bool manifest_read_middleware(struct manifest_middleware *middleware,
                                         const struct manifest_table *root, struct error *error);
/* A new object of the resolved form; NULL when no unit is given. */
json_t *manifest_middleware_tree(const struct manifest_middleware *middleware);

#endif
