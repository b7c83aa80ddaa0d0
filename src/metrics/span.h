/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of traces, and the bounded queue in which they wait for their export.
 *
 * A span that finds the queue full is dropped and counted: whoever traces never waits.  One
 * thread. */
#ifndef METRICS_SPAN_H
#define METRICS_SPAN_H

#include "base/error.h"
#include "metrics/trace_context.h"

enum span_kind { /* as OTLP numbers them */
    SPAN_INTERNAL = 1,
    SPAN_SERVER = 2,
    SPAN_CLIENT = 3
};

struct span_attribute {
    const char *name; /* a literal */
    bool is_number;
    int64_t number;
    char text[SPAN_TEXT_SIZE];
};

struct span {
    uint8_t trace_id[TRACE_ID_SIZE];
    uint8_t span_id[TRACE_SPAN_SIZE];
    uint8_t parent_id[TRACE_SPAN_SIZE]; /* zeros: the trace begins here */
    bool is_remote;                     /* the parent is somebody else's */
    enum span_kind kind;
    char name[SPAN_TEXT_SIZE];
    uint64_t start_ns, end_ns; /* since 1970 */
    bool has_failed;
    struct span_attribute attributes[SPAN_ATTRIBUTES_MAX];
    unsigned attribute_count;
};
/* Longer texts are cut; what is not UTF-8 is left out. */
void span_name(struct span *span, const char *name);
void span_text(struct span *span, const char *name, const char *text);
void span_number(struct span *span, const char *name, int64_t number);

struct span_queue;

/* `count_max` at least 1. */
MUST_CHECK bool span_queue_new(struct span_queue **queue, size_t count_max, struct error *error);
void span_queue_free(struct span_queue *queue);
DEFINE_AUTO(span_queue, span_queue_free)
void span_queue_add(struct span_queue *queue, const struct span *span);
size_t span_queue_count(const struct span_queue *queue);
uint64_t span_queue_dropped(const struct span_queue *queue);
/* The oldest, in order; span_queue_remove takes them out. */
const struct span *span_queue_at(const struct span_queue *queue, size_t index);
void span_queue_remove(struct span_queue *queue, size_t count);

/* Whether a trace that begins here is sampled: the same for everybody who sees its id.  `ratio` 0
 * to 1 (OpenTelemetry's TraceIdRatioBased). */
bool trace_is_sampled(const uint8_t trace_id[TRACE_ID_SIZE], double ratio);

#endif
