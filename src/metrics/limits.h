/* SPDX-License-Identifier: Apache-2.0 */
/* Named limits of metrics: what a registry may hold, however often strangers cause new labels. */
#ifndef METRICS_LIMITS_H
#define METRICS_LIMITS_H

enum {
    METRICS_FAMILIES_MAX = 256,         /* names of a registry */
    METRICS_SERIES_MAX = 4096,          /* combinations of label values of one family */
    METRICS_SLOTS = 64,                 /* of a family's hash table */
    METRICS_LABELS_MAX = 4,             /* labels of a family */
    METRICS_BOUNDS_MAX = 24,            /* buckets of a histogram, +Inf not counted */
    METRICS_LABEL_VALUE_SIZE_MAX = 128, /* longer values are cut */
    TRACE_STATE_SIZE_MAX = 1024,   /* of a request's tracestate; the specification asks for 512 */
    SPAN_TEXT_SIZE = 80,           /* names and texts of a span, with the final NUL */
    SPAN_ATTRIBUTES_MAX = 8,       /* of a span */
    SPANS_MAX = 65536,             /* that wait for their export */
    OTLP_ATTRIBUTES_MAX = 32,      /* of a resource */
    OTLP_ATTRIBUTE_SIZE_MAX = 128, /* name, value as it is written */
    OTLP_MESSAGE_SIZE = 128,       /* of a collector's answer, quoted */
    OTLP_REQUEST_SIZE_MAX = 32 << 20,
    METRICS_TEXT_SIZE_MAX = 16 << 20 /* bytes of the exposition */
};

#endif
