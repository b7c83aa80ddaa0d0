/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields: those that a function wants sent, and those that it is shown of an answer.
 *
 * A request's are lines "name: value", each ended by a line feed (the last one may lack it).  Names
 * are tokens, each at most once; those that frame a message, choose the host or belong to a proxy
 * are refused.  Names that begin with "s3n-" are orders to the node and never sent:
 *     s3n-redirect: follow | manual     (follow)
 *     s3n-timeout-ms: N
 * Never allocates. */
#ifndef OUTBOUND_HEAD_H
#define OUTBOUND_HEAD_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/http.h"
#include "outbound/limits.h"

struct head {
    struct http_field fields[HEAD_FIELD_COUNT_MAX]; /* lower-case names */
    size_t count;
    bool is_manual;      /* redirects are answers like any other */
    uint32_t timeout_ms; /* 0: nothing said */
    char names[HEAD_SIZE_MAX];
};

/* Values borrow `text`, names `head`. */
MUST_CHECK bool head_parse(struct head *head, struct bytes text, struct error *error);
/* Whether the field may be sent at all. */
bool head_name_is_forbidden(struct bytes name);
/* Whether it may go to another origin than the one that it was meant for: what can't be a
 * credential. */
bool head_name_is_portable(struct bytes name);
/* Whether it describes a body, which a redirect may drop. */
bool head_name_is_of_body(struct bytes name);
/* Whether a function is shown it. */
bool head_name_is_shown(struct bytes name);
/* The answer as a function gets it: "STATUS URL\n", the fields, an empty line, the body. */
void head_answer_write(struct buffer *text, unsigned status, struct bytes url,
                       const struct http_field *fields, size_t count);

#endif
