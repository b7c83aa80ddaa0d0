/* SPDX-License-Identifier: Apache-2.0 */
/* One GET of something public (or a POST), over libcurl: blocking, TLS 1.2 or newer, no redirects,
 * no cookies, limits on time and size.
 *
 * Unlike net/client.h, which knows servers by key, this one believes certificate authorities (the
 * system's, or those given): what is fetched is signed by others and judged for itself, so TLS only
 * keeps strangers from seeing and spoiling it.  For the same reason plain HTTP can be allowed. */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/http.h"

enum {
    FETCH_URL_SIZE_MAX = 4096,
    FETCH_FIELD_SIZE_MAX = 64 << 10, /* all fields of an answer */
    FETCH_PLACE_SIZE = 400           /* text of http_fetch_locate */
};

struct http_fetch {
    const char *url; /* "https://...", or "http://..." where that is allowed */
    bool is_plain_allowed;
    struct bytes authorities; /* certificates, PEM; empty: the system's */
    const char *place;        /* of http_fetch_locate; NULL: the name is looked up */
    const struct http_field *fields;
    size_t field_count;
    bool is_post; /* instead of GET, with `content` */
    struct bytes content;
    uint32_t timeout_ms; /* of all of it */
    size_t body_size_max;
};

struct http_fetched {
    int status;
    uint64_t retry_after_s; /* Retry-After in either form; 0: the server said nothing */
    struct http_field fields[CLIENT_FIELD_COUNT_MAX]; /* lower-case names, borrow `memory` */
    size_t field_count;
    struct buffer body;
    struct buffer memory;
};
void http_fetched_done(struct http_fetched *fetched);
#define AUTO_HTTP_FETCHED __attribute__((cleanup(http_fetched_done)))

/* True for every complete answer whatever its status.  False: UNAVAILABLE (no connection, broken
 * off), UNVERIFIED (a certificate that nobody vouches for), TIMEOUT, LIMIT, INVALID (the URL). */
MUST_CHECK bool http_fetch(struct http_fetched *fetched, const struct http_fetch *request,
                           struct error *error);
/* The first field of that lower-case name; empty when absent. */
struct bytes http_fetched_value(const struct http_fetched *fetched, const char *name);

/* What libraries do once, done now, for a process that can't open files later. */
MUST_CHECK bool http_fetch_prepare(struct error *error);
/* Looks the URL's host up now, for a process that can't later. */
MUST_CHECK bool http_fetch_locate(char place[FETCH_PLACE_SIZE], const char *url,
                                  struct error *error);

#endif
