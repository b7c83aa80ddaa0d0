/* SPDX-License-Identifier: Apache-2.0 */
/* The service of `http_fetch`: a function asks a server, if its permissions have the address
 * (docs/outbound.md).  Checks the request, hands it to the process that is allowed to, and answers
 * with "STATUS URL", the header fields and the body.  What was asked and what was answered is in
 * the receipt, by digest. */
#ifndef SERVICES_HTTP_H
#define SERVICES_HTTP_H

#include "base/clock.h"
#include "outbound/line.h"
#include "services/services.h"

enum {
    HTTP_COUNT_MAX = 16,          /* requests of one invocation */
    HTTP_BODY_SIZE_MAX = 3 << 20, /* of an answer, decoded */
};

/* How a request of a function ended, for whoever counts. */
struct http_ending {
    /* "2xx" to "5xx" by the status; "failed", "timeout", "limit", "unavailable", "cancelled" (its
     * invocation ended); "refused-rule": its permissions lack it, nobody was asked;
     * "refused-redirect": they lack where a redirect led; "refused-address": the node's operator
     * does not allow it. */
    const char *outcome;
    bool was_asked; /* else nothing below is set */
    uint64_t duration_ns;
    uint64_t sent_size, received_size; /* of the bodies, as the function has them */
};

/* Who makes the request: line_fetch and line_cancel of the application's line. */
struct http_port {
    void *context;
    bool (*fetch)(void *context, const struct service_facts *facts,
                  const struct outbound_request *request, line_done *done, void *done_context,
                  struct line_ticket **ticket, struct error *error);
    void (*cancel)(void *context, struct line_ticket *ticket);
    void (*ended)(void *context, const struct service_facts *facts,
                  const struct http_ending *ending);
    const struct clock *clock;
};

/* Context: a struct http_port. */
extern const struct service service_http;

/* The digests of receipts; what they are over is docs/outbound.md's to say.  `fields` are lines
 * "name: value\n". */
struct digest32 http_request_digest(enum http_method method, struct bytes url, struct bytes fields,
                                    struct bytes body);
struct digest32 http_answer_digest(unsigned status, struct bytes url, struct bytes fields,
                                   struct bytes body);
struct digest32 http_failure_digest(enum call_error code);

#endif
