/* SPDX-License-Identifier: Apache-2.0 */
/* Asking Intel's and AMD's services, by their rules: limits on time and size, three tries with
 * growing pauses for what may pass (no connection, timeouts, 429, 5xx), Retry-After kept, redirects
 * not followed.  What comes is handed on only when it is what was asked for. */
#ifndef COLLATERAL_SERVICE_H
#define COLLATERAL_SERVICE_H

#include "base/clock.h"
#include "collateral/cache.h"
#include "net/fetch.h"

/* How the network is reached; tests bring their own. */
struct collateral_network {
    void *context;
    bool (*fetch)(void *context, struct http_fetched *fetched, const struct http_fetch *request,
                  struct error *error);
    void (*pause)(void *context, uint64_t pause_ms);
    const struct clock *clock;
    struct bytes authorities;  /* PEM; empty: the system's */
    const char *const *places; /* of http_fetch_locate, NULL-terminated; or NULL */
    const char *intel_key;     /* subscription key for PCK certificates; NULL: none */
};
/* http_fetch, sleeping, the system's clock and authorities. */
extern const struct collateral_network collateral_network_system;

/* Into an initialised entry.  `deadline_ns` on the monotonic clock.  NOT_FOUND: the service does
 * not have it; DENIED; BUSY with *refused_until_s: it asked to wait for longer than there is time;
 * TIMEOUT, UNAVAILABLE, LIMIT, INVALID (not what was asked for).  The text names the address. */
MUST_CHECK bool collateral_service_ask(struct collateral_entry *entry,
                                       const struct collateral_wish *wish,
                                       const struct collateral_network *network,
                                       uint64_t deadline_ns, int64_t *refused_until_s,
                                       struct error *error);

#endif
