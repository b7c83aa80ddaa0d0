/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP 1.x (opentelemetry-proto, collector/metrics/v1 and collector/trace/v1): requests that export
 * a registry or spans, and the answers to them.
 *
 * Metrics are cumulative; a counter keeps its name without "_total", and units are UCUM's. Resource
 * attributes are given as "name=value,name=value" (OTEL_RESOURCE_ATTRIBUTES). */
#ifndef METRICS_OTLP_H
#define METRICS_OTLP_H

#include "metrics/metrics.h"
#include "metrics/span.h"

struct otlp_resource {
    const char *service;    /* service.name */
    const char *version;    /* service.version, and the scope's */
    const char *instance;   /* service.instance.id */
    const char *attributes; /* more, checked by otlp_attributes_check */
};
/* Pairs with percent-encoded values (W3C Baggage); INVALID names what is none. */
MUST_CHECK bool otlp_attributes_check(const char *attributes, struct error *error);

/* Times in nanoseconds since 1970: since when the registry counts, and now. */
MUST_CHECK bool otlp_metrics_write(struct buffer *request, struct metrics *metrics,
                                   const struct otlp_resource *resource, uint64_t start_ns,
                                   uint64_t now_ns, struct error *error);
/* The first `count` of the queue. */
MUST_CHECK bool otlp_spans_write(struct buffer *request, const struct span_queue *queue,
                                 size_t count, const struct otlp_resource *resource,
                                 struct error *error);

/* What a collector says of a request that it took (status 200). */
struct otlp_answer {
    uint64_t rejected; /* spans, or data points */
    char message[OTLP_MESSAGE_SIZE];
};
/* INVALID: no such answer. */
MUST_CHECK bool otlp_answer_read(struct otlp_answer *answer, struct bytes body,
                                 struct error *error);

#endif
