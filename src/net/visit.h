/* SPDX-License-Identifier: Apache-2.0 */
/* A visit to a server that is no node and keeps its session by one cookie: JSON posted or things
 * got, the named cookie given back, no other state.  Redirects are answers, never followed. */
#ifndef NET_VISIT_H
#define NET_VISIT_H

#include "net/client.h"

enum {
    VISIT_COOKIE_SIZE_MAX = 512 /* of its value; a longer one is LIMIT */
};

struct http_visit {
    struct http_client *client; /* borrowed */
    const char *cookie;         /* its name */
    char value[VISIT_COOKIE_SIZE_MAX + 1];
};

/* POST of JSON when there is a body, GET without.  Appends the answer's body, whatever its status;
 * LIMIT when that doesn't fit the buffer.  `context` is a struct http_visit. */
MUST_CHECK bool http_visit_exchange(void *context, const char *path, struct bytes body, int *status,
                                    struct buffer *answer, struct error *error);

#endif
