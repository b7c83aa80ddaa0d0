/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context (Recommendation, level 1, version 00): the fields traceparent and tracestate,
 * read strictly and written anew.
 *
 * Values only; no clock, no random numbers: ids come from the caller.  Never allocates.  What is
 * not well-formed is as if it were not there, as section 3.2.2 asks; a request is never refused for
 * it. */
#ifndef METRICS_TRACE_CONTEXT_H
#define METRICS_TRACE_CONTEXT_H

#include "core/bytes.h"
#include "metrics/limits.h"

enum {
    TRACE_ID_SIZE = 16,
    TRACE_SPAN_SIZE = 8,
    TRACE_PARENT_TEXT_SIZE = 56, /* "00-", 32 digits, "-", 16, "-", 2, NUL */
    TRACE_FLAG_SAMPLED = 1
};

/* What a traceparent says: a trace, one span in it, flags. */
struct trace_parent {
    uint8_t trace_id[TRACE_ID_SIZE];  /* never all zeros */
    uint8_t span_id[TRACE_SPAN_SIZE]; /* the same */
    uint8_t flags;                    /* those of version 00 alone */
};

/* One request's place in its trace. */
struct trace_context {
    struct trace_parent here;         /* its own span */
    bool has_caller;                  /* the trace began elsewhere */
    uint8_t caller[TRACE_SPAN_SIZE];  /* the span that asked; zeros when the trace begins here */
    char state[TRACE_STATE_SIZE_MAX]; /* not NUL-terminated; members as they came, joined by ',' */
    size_t state_size;
};

/* A traceparent of version 00, or the beginning of a later one that has the same. */
MUST_CHECK bool trace_parent_parse(struct trace_parent *parent, struct bytes text);
/* As version 00. */
void trace_parent_print(char text[TRACE_PARENT_TEXT_SIZE], const struct trace_parent *parent);

/* Adds the members of one tracestate field to `state`.  False, with an empty state, when a member
 * is malformed, a key appears twice, or there are more than 32 members or TRACE_STATE_SIZE_MAX
 * bytes. */
MUST_CHECK bool trace_state_add(struct trace_context *context, struct bytes field);

/* The caller's trace gets a new span, or a new trace begins.  `parent` NULL: nobody sent one (or
 * more than one, or a malformed one).  `fresh`: random bytes, none of which are used twice. */
void trace_context_begin(struct trace_context *context, const struct trace_parent *parent,
                         const uint8_t fresh[TRACE_ID_SIZE + TRACE_SPAN_SIZE]);
struct bytes trace_state(const struct trace_context *context);

#endif
