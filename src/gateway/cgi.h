/* SPDX-License-Identifier: Apache-2.0 */
/* What passes between HTTP and a program that reads stdin and writes stdout (RFC 3875): variables
 * for a request, and the fields that its output may begin with.
 *
 * Request fields become HTTP_* variables, except those that programs trust for other reasons
 * (Proxy), those that another variable says, hop-by-hop ones, credentials and names with an
 * underscore, which would be mistaken for those with a hyphen. */
#ifndef GATEWAY_CGI_H
#define GATEWAY_CGI_H

#include "gateway/gateway.h"

struct cgi_answer {
    int status;
    struct http_field fields[HTTP_ANSWER_FIELD_COUNT_MAX]; /* lower-case names */
    size_t field_count;
    struct bytes body; /* of the output */
    char names[CGI_HEAD_SIZE_MAX];
};

/* Reads the fields at the front of an output, when it begins with some: the first line is
 * `Content-Type:`, `Status:` or `Location:` and all up to the first empty line are fields.
 * Otherwise, or when they break a rule, the whole output is the body: text/plain when it is UTF-8,
 * application/octet-stream when not. */
void cgi_answer_read(struct cgi_answer *answer, struct bytes output);

#endif
