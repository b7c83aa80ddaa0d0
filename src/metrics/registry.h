/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry holds inside: for the units of this module that write it out. */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include "metrics/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

enum metrics_kind {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_GAUGE_REAL,
    METRICS_HISTOGRAM
};

/* The latest observation of a bucket that had one. */
struct metrics_kept {
    bool is_there;
    double value;
    struct metrics_exemplar exemplar;
};

struct metrics_series {
    struct metrics_family *family;
    struct metrics_series *next;      /* in the order of their making */
    struct metrics_series *next_slot; /* with the same hash */
    uint32_t hash;
    char *values[METRICS_LABELS_MAX];
    atomic_llong value;        /* counter, gauge; histogram: count of all observations */
    _Atomic uint64_t sum;      /* histogram: bits of a double; so is a real gauge's value */
    atomic_ullong *buckets;    /* histogram: per bucket, not cumulative; one more for +Inf */
    struct metrics_kept *kept; /* the same; NULL: none yet; under the lock */
};

struct metrics_family {
    enum metrics_kind kind;
    struct metrics_about about;
    size_t label_count;
    const double *bounds;
    size_t bound_count;
    struct metrics *metrics;
    struct metrics_series *first, *last;
    struct metrics_series *slots[METRICS_SLOTS];
    size_t series_count;
    struct metrics_series unseen; /* stands in when memory runs out; has no buckets */
};

struct metrics {
    pthread_mutex_t lock; /* of the lists; values are atomic */
    struct metrics_family families[METRICS_FAMILIES_MAX];
    size_t family_count;
};

double metrics_real(const _Atomic uint64_t *bits);
/* "seconds" of "s3n_cron_lag_seconds"; NULL: the name has no unit. */
const char *metrics_unit(const char *name, size_t size);
/* Whether a view shows it. */
bool metrics_is_shown(const struct metrics_series *series, const struct metrics_view *view);

#endif
