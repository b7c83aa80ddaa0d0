/* SPDX-License-Identifier: Apache-2.0 */
/* What an application's manifest asks of the stages in front of its functions: [middleware] of
 * s3n.toml, one struct a unit (docs/middleware.md).
 *
 * Values only.  Zeroed means: nothing is asked. */
#ifndef GATEWAY_MIDDLEWARE_H
#define GATEWAY_MIDDLEWARE_H

#include "base/error.h"

/* A bucket of `burst` tokens that fills at `per_minute`; each request takes one. */
struct gateway_rate {
    uint32_t per_minute; /* 0: no limit */
    uint32_t burst;
};

struct gateway_admission {
    size_t body_size_max; /* of a request; 0: the node's */
    struct gateway_rate per_address, per_key;
    uint32_t concurrency; /* requests under way at once; 0: as many as come */
    uint32_t queue;       /* that wait for one of these to end */
    uint32_t queue_ms;    /* for so long */
};

struct gateway_list {
    const char *const *items;
    size_t count;
};

/* Cross-origin requests of browsers (Fetch, section 3.2). */
struct gateway_cors {
    bool is_on;
    bool has_credentials;
    struct gateway_list origins; /* as browsers write them (base/origin.h), or "*" alone */
    struct gateway_list headers; /* of requests, lower case */
    struct gateway_list expose;  /* of answers, lower case */
    uint32_t max_age_s;          /* that a preflight's answer is good for */
};

/* Requests that may be repeated. */
struct gateway_idempotency {
    bool is_on;
    bool is_required;        /* requests that change something have a key */
    bool refuses_concurrent; /* else a second one waits for the first */
    uint32_t retention_s;    /* of what was answered */
};

/* Files that are answered without a function. */
struct gateway_assets {
    const char *index;         /* of folders; NULL: index.html */
    const char *cache_control; /* NULL: no-cache */
};

/* HTML for refusals and failures, to clients that ask for HTML. */
struct gateway_page {
    int status;       /* 404, or 4 and 5 for all that have no page of their own */
    const char *file; /* path in the archive */
};
struct gateway_pages {
    const char *function; /* whose files they are */
    const struct gateway_page *items;
    size_t count;
};

struct gateway_middleware {
    struct gateway_admission limits;
    struct gateway_cors cors;
    struct gateway_idempotency idempotency;
    struct gateway_assets assets;
    struct gateway_pages pages;
};

#endif
