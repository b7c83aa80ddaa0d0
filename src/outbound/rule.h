/* SPDX-License-Identifier: Apache-2.0 */
/* What a function may ask for: one line of `permissions.http` is one rule (docs/outbound.md).
 *
 *     [METHOD[,METHOD...] " "] scheme "://" host [":" port] [path]
 *
 * Methods: GET and HEAD when none is named.  Host: a name, an address, or "*." and a name of at
 * least two labels, which then stands for every name below it and not for itself.  Port: the
 * scheme's when none is given.  Path: whole segments from the start ("/v1" has "/v1" and "/v1/a",
 * not "/v10"); with one, a URL whose path hides separators in escapes is refused.  Everything is
 * compared in the form of outbound/url.h.  Never allocates. */
#ifndef OUTBOUND_RULE_H
#define OUTBOUND_RULE_H

#include "net/http.h"
#include "outbound/url.h"

enum {
    RULE_SIZE_MAX = 512
};

struct rule {
    unsigned methods; /* bit: 1 << enum http_method */
    bool is_wildcard; /* host is what stands behind "*." */
    struct url url;   /* target: the path */
};

MUST_CHECK bool rule_parse(struct rule *rule, struct bytes text, struct error *error);
bool rule_has(const struct rule *rule, enum http_method method, const struct url *url);
/* The narrowest line that would permit a request: without its path; "POST https://a.example". */
enum {
    RULE_TEXT_SIZE = URL_ORIGIN_SIZE + 16
};
void rule_suggest(char text[RULE_TEXT_SIZE], enum http_method method, const struct url *url);

#endif
