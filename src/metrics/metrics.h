/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: counters, gauges and histograms with labels, as Prometheus or OpenMetrics text.
 *
 * A registry owns everything in it until it is freed.  Families are declared at start, by one
 * thread; series (a family with label values) may be asked for, and counted, by any thread:
 * counting is a relaxed atomic addition.  Above the limit of series all new label values share one
 * series labelled "other", so a stranger can't make it grow.  Names and limits are the
 * programmer's: breaking them is a bug (ASSERT).  Never opens a socket, never reads a clock.
 *
 * Formats: Prometheus text exposition 0.0.4; OpenMetrics 1.0 text, which has exemplars. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/buffer.h"
#include "base/error.h"
#include "metrics/limits.h"

struct metrics;
struct metrics_family;
struct metrics_series;

/* NULL for lack of memory. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
DEFINE_AUTO(metrics, metrics_free)

/* What a family is.  `labels` are names, NULL-terminated or NULL.  A counter's name ends in
 * "_total"; names end with their unit ("_seconds", "_bytes") before that.  All texts are literals:
 * they are kept, not copied. */
struct metrics_about {
    const char *name;
    const char *help;
    const char *const *labels;
};

struct metrics_family *metrics_counter(struct metrics *metrics, const struct metrics_about *about);
struct metrics_family *metrics_gauge(struct metrics *metrics, const struct metrics_about *about);
/* Its values are real numbers. */
struct metrics_family *metrics_gauge_real(struct metrics *metrics,
                                          const struct metrics_about *about);
/* `bounds` ascend and are upper bounds, inclusive, in the base unit (seconds, bytes); kept. */
struct metrics_family *metrics_histogram(struct metrics *metrics, const struct metrics_about *about,
                                         const double *bounds, size_t bound_count);
/* Buckets for durations in seconds, 50 us to 300 s. */
extern const double metrics_seconds[];
extern const size_t metrics_seconds_count;

/* The series with these label values (as many as the family has labels); the same call gives the
 * same series, so that it may be kept.  Never NULL: out of memory it is a series that is not
 * shown. */
struct metrics_series *metrics_series(struct metrics_family *family, const char *const *values);
/* Of a family without labels. */
struct metrics_series *metrics_only(struct metrics_family *family);
#define METRICS_SERIES(family, ...)                                                                \
    metrics_series((family), (const char *const[]){ __VA_ARGS__, NULL })

/* Counters and gauges. */
void metrics_add(struct metrics_series *series, uint64_t amount);
/* Gauges only. */
void metrics_subtract(struct metrics_series *series, uint64_t amount);
void metrics_set(struct metrics_series *series, int64_t value);
void metrics_set_real(struct metrics_series *series, double value);
/* Counters only: what another module has counted so far. */
void metrics_mirror(struct metrics_series *series, uint64_t total);
/* Histograms only. */
void metrics_observe(struct metrics_series *series, double value);
void metrics_observe_ns(struct metrics_series *series, uint64_t duration_ns);

/* One request that was observed: what leads from a histogram to it. */
struct metrics_exemplar {
    char request_id[33]; /* may be empty, then the exemplar is not shown */
    char trace_id[33];   /* empty: not traced */
    int64_t time_ms;     /* since 1970 */
};
/* The same, and each bucket keeps the latest. */
void metrics_observe_example(struct metrics_series *series, uint64_t duration_ns,
                             const struct metrics_exemplar *exemplar);

/* What a series has now: the count of a histogram; not of real gauges. */
int64_t metrics_value(const struct metrics_series *series);

/* Which part of a registry, in which format. */
struct metrics_view {
    bool is_openmetrics;
    const char *label;  /* only series that have this label, with a value that */
    const char *begins; /* begins so; NULL: all series */
};

/* All families in the order of their declaration, series in the order of their making. */
MUST_CHECK bool metrics_write(struct buffer *text, struct metrics *metrics,
                              const struct metrics_view *view, struct error *error);
#define METRICS_CONTENT_TYPE      "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_CONTENT_TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"
/* Whether an Accept field prefers OpenMetrics to plain text; none, or what can't be read, doesn't.
 */
bool metrics_prefers_open(struct bytes accept);

/* Drops what the view shows; whoever kept a series of it must not use it any more. */
void metrics_forget(struct metrics *metrics, const struct metrics_view *view);

#endif
