/* SPDX-License-Identifier: Apache-2.0 */
/* Records of an opened log, as lines: for people, or one JSON object each. */
#ifndef S3N_LOGS_SHOW_H
#define S3N_LOGS_SHOW_H

#include "base/buffer.h"
#include "logs/record.h"

struct logs_filter {
    int64_t since_ms;     /* 0: all */
    unsigned level;       /* this one and worse */
    const char *function; /* NULL: all */
    const char *request;  /* the first digits of a request's or invocation's id; NULL: all */
    bool json;
};

/* Appends what the filter lets through; CORRUPT for what are no records.  *is_in_line, false at
 * first: the last line goes on in the next records. */
MUST_CHECK bool logs_show(struct buffer *target, struct bytes records,
                          const struct logs_filter *filter, bool *is_in_line, struct error *error);

#endif
