/* SPDX-License-Identifier: Apache-2.0 */
/* Many HTTP/1.1 requests at once to servers that nobody vouches for, over libcurl, on one thread
 * that waits for all of them together.
 *
 * One transfer is one request and one answer: no redirects, cookies, proxies, credentials or files
 * of the system; names are never looked up here: the caller gives the addresses, and every address
 * is shown to it again before a socket is made.  TLS 1.2 or newer, verified.  Answers are bounded
 * in time, in size after decoding, and in all their header lines, also those of interim answers and
 * trailers.  Connections are kept for requests that may be repeated. */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/trust.h"
#include "net/http.h"

#include <sys/socket.h>

enum {
    TRANSFER_FIELD_COUNT_MAX = 64,
    TRANSFER_HEAD_SIZE_MAX = 64 << 10, /* all lines of all heads of one answer */
    TRANSFER_LINE_COUNT_MAX = 256,
    TRANSFER_CONNECT_TIMEOUT_MS = 10000,
    TRANSFER_KEPT_COUNT_MAX = 32, /* connections */
    TRANSFER_KEPT_S_MAX = 30,     /* without a request */
    TRANSFERS_WATCH_COUNT_MAX = 160
};

struct transfers;
struct transfer;

struct transfers_options {
    const struct tls_trust *trust;
    /* Whether a connection to this address may be made. */
    bool (*is_allowed)(void *context, const struct sockaddr *address);
    void *context;
};

MUST_CHECK bool transfers_new(struct transfers **transfers, const struct transfers_options *options,
                              struct error *error);
/* All transfers must have gone. */
void transfers_free(struct transfers *transfers);
DEFINE_AUTO(transfers, transfers_free)

struct transfer_request {
    enum http_method method;
    const char *url;   /* in one form already: outbound/url.h */
    const char *place; /* "host:port:address,[address]"; NULL: the host is an address */
    const struct http_field *fields;
    size_t field_count;
    struct bytes body; /* borrowed until the end; sent when not empty, and with POST, PUT, PATCH */
    uint32_t timeout_ms;
    size_t body_size_max; /* of the answer, decoded */
};

struct transfer_answer {
    int status;
    struct http_field fields[TRANSFER_FIELD_COUNT_MAX]; /* lower-case names */
    size_t field_count;
    bool is_decoded; /* content-encoding was undone */
    struct bytes body;
};
/* `answer` is borrowed for the call; NULL: `error` says why.  TIMEOUT, LIMIT, UNVERIFIED (nobody
 * vouches for the certificate), DENIED (is_allowed), INVALID (what came is no answer), UNAVAILABLE.
 */
typedef void transfer_done(void *context, const struct transfer_answer *answer,
                           const struct error *error);
/* `done` once, from transfers_wait, unless cancelled. */
MUST_CHECK bool transfer_start(struct transfer **transfer, struct transfers *transfers,
                               const struct transfer_request *request, transfer_done *done,
                               void *context, struct error *error);
void transfer_cancel(struct transfer *transfer);

struct transfers_watch {
    int descriptor;
    bool for_writing;
    bool is_ready; /* set by transfers_wait */
};
/* Waits until something happens to a transfer or a watch, at most `timeout_ms`, and works on it. */
void transfers_wait(struct transfers *transfers, struct transfers_watch *watches, unsigned count,
                    int timeout_ms);

#endif
