/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of all applications that ask others: one each (outbound/line.h), from its first request
 * until it has asked nobody for a while.  When all are taken, whoever needs one gets that of the
 * application that has asked nobody for longest; while all are at work, none.  One thread. */
#ifndef OUTBOUND_LINES_H
#define OUTBOUND_LINES_H

#include "outbound/line.h"

struct lines;

struct lines_options {
    /* For each line; but its callbacks get contexts[i] of the line's place. */
    struct line_options line;
    void *contexts[LINES_COUNT_MAX];
};

MUST_CHECK bool lines_new(struct lines **lines, const struct lines_options *options,
                          struct error *error);
void lines_free(struct lines *lines);
DEFINE_AUTO(lines, lines_free)

/* Good until the next call of lines_tick or lines_get.  BUSY: all others are at work. */
MUST_CHECK bool lines_get(struct line **line, struct lines *lines, const char *application,
                          const struct digest32 *owner, struct error *error);
/* line_tick of each; those that are idle go.  How many are left. */
unsigned lines_tick(struct lines *lines);

#endif
