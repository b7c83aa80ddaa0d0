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
    TRACE_STATE_SIZE_MAX = 1024,     /* of a request's tracestate; the specification asks for 512 */
    METRICS_TEXT_SIZE_MAX = 16 << 20 /* bytes of the exposition */
};

#endif
