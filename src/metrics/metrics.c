/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum metrics_kind {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_HISTOGRAM
};

struct metrics_series {
    struct metrics_family *family;
    struct metrics_series *next;
    char *values[METRICS_LABELS_MAX];
    atomic_llong value;     /* counter, gauge; histogram: count of all observations */
    _Atomic uint64_t sum;   /* histogram: bits of a double */
    atomic_ullong *buckets; /* histogram: per bucket, not cumulative; one more for +Inf */
};

struct metrics_family {
    enum metrics_kind kind;
    struct metrics_about about;
    size_t label_count;
    const double *bounds;
    size_t bound_count;
    struct metrics *metrics;
    struct metrics_series *first, *last;
    size_t series_count;
    struct metrics_series unseen; /* stands in when memory runs out; has no buckets */
};

struct metrics {
    pthread_mutex_t lock; /* of the lists; values are atomic */
    struct metrics_family families[METRICS_FAMILIES_MAX];
    size_t family_count;
};

const double metrics_seconds[] = { 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                   0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                   0.5,     1,      2.5,     5,      10 };
const size_t metrics_seconds_count = ARRAY_COUNT(metrics_seconds);

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics != NULL)
        pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

static void series_free(struct metrics_series *series)
{
    for (size_t i = 0; i < METRICS_LABELS_MAX; i++)
        free(series->values[i]);
    free(series->buckets);
    free(series);
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->family_count; i++) {
        struct metrics_series *series = metrics->families[i].first;
        while (series != NULL) {
            struct metrics_series *next = series->next;
            series_free(series);
            series = next;
        }
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* Metric names may hold colons, which are left to recording rules; label names may not. */
static bool is_name(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++) {
        bool is_letter = (name[i] >= 'a' && name[i] <= 'z') || name[i] == '_';
        if (!is_letter && (i == 0 || name[i] < '0' || name[i] > '9'))
            return false;
    }
    return name[0] != '\0' && strncmp(name, "__", 2) != 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static struct metrics_family *add_family(struct metrics *metrics, enum metrics_kind kind,
                                         const struct metrics_about *about)
{
    ASSERT(metrics->family_count < METRICS_FAMILIES_MAX);
    ASSERT(is_name(about->name));
    ASSERT((kind == METRICS_COUNTER) == ends_with(about->name, "_total"));
    for (size_t i = 0; i < metrics->family_count; i++)
        ASSERT(strcmp(metrics->families[i].about.name, about->name) != 0);
    struct metrics_family *family = &metrics->families[metrics->family_count++];
    *family = (struct metrics_family){ .kind = kind, .about = *about, .metrics = metrics };
    family->unseen.family = family;
    while (about->labels != NULL && about->labels[family->label_count] != NULL) {
        const char *label = about->labels[family->label_count++];
        ASSERT(family->label_count <= METRICS_LABELS_MAX);
        ASSERT(is_name(label) && strcmp(label, "le") != 0);
    }
    return family;
}

struct metrics_family *metrics_counter(struct metrics *metrics, const struct metrics_about *about)
{
    return add_family(metrics, METRICS_COUNTER, about);
}

struct metrics_family *metrics_gauge(struct metrics *metrics, const struct metrics_about *about)
{
    return add_family(metrics, METRICS_GAUGE, about);
}

struct metrics_family *metrics_histogram(struct metrics *metrics, const struct metrics_about *about,
                                         const double *bounds, size_t bound_count)
{
    ASSERT(bound_count > 0 && bound_count <= METRICS_BOUNDS_MAX);
    for (size_t i = 1; i < bound_count; i++)
        ASSERT(bounds[i - 1] < bounds[i]);
    struct metrics_family *family = add_family(metrics, METRICS_HISTOGRAM, about);
    family->bounds = bounds;
    family->bound_count = bound_count;
    return family;
}

/* Labels must be UTF-8; what is not is not worth a series of its own. */
static struct bytes label_value(const char *text)
{
    struct bytes value = bytes_part(bytes_of_string(text), 0, METRICS_LABEL_VALUE_SIZE_MAX);
    while (value.size > 0 && !bytes_is_utf8(value) && value.size > METRICS_LABEL_VALUE_SIZE_MAX - 4)
        value.size--; /* a character was cut */
    return bytes_is_utf8(value) ? value : BYTES_LITERAL("other");
}

static struct metrics_series *find_series(struct metrics_family *family, const struct bytes *values)
{
    for (struct metrics_series *at = family->first; at != NULL; at = at->next) {
        size_t same = 0;
        while (same < family->label_count && bytes_equal_string(values[same], at->values[same]))
            same++;
        if (same == family->label_count)
            return at;
    }
    return NULL;
}

static struct metrics_series *make_series(struct metrics_family *family, const struct bytes *values)
{
    struct metrics_series *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->family = family;
    bool complete = true;
    if (family->kind == METRICS_HISTOGRAM) {
        made->buckets = calloc(family->bound_count + 1, sizeof(*made->buckets));
        complete = made->buckets != NULL;
    }
    for (size_t i = 0; i < family->label_count; i++) {
        made->values[i] = strndup((const char *)values[i].data, values[i].size);
        complete = complete && made->values[i] != NULL;
    }
    if (!complete) {
        series_free(made);
        return NULL;
    }
    return made;
}

static struct metrics_series *find_or_make(struct metrics_family *family, struct bytes *values)
{
    struct metrics_series *found = find_series(family, values);
    if (found != NULL)
        return found;
    /* The last place is kept for all that come too late. */
    if (family->series_count + 1 >= METRICS_SERIES_MAX) {
        for (size_t i = 0; i < family->label_count; i++)
            values[i] = BYTES_LITERAL("other");
        found = find_series(family, values);
        if (found != NULL)
            return found;
    }
    struct metrics_series *made = make_series(family, values);
    if (made == NULL)
        return &family->unseen;
    if (family->last == NULL)
        family->first = made;
    else
        family->last->next = made;
    family->last = made;
    family->series_count++;
    return made;
}

struct metrics_series *metrics_series(struct metrics_family *family, const char *const *values)
{
    struct bytes parts[METRICS_LABELS_MAX];
    for (size_t i = 0; i < family->label_count; i++) {
        ASSERT(values[i] != NULL);
        parts[i] = label_value(values[i]);
    }
    pthread_mutex_lock(&family->metrics->lock);
    struct metrics_series *series = find_or_make(family, parts);
    pthread_mutex_unlock(&family->metrics->lock);
    return series;
}

struct metrics_series *metrics_only(struct metrics_family *family)
{
    ASSERT(family->label_count == 0);
    return metrics_series(family, NULL);
}

void metrics_add(struct metrics_series *series, uint64_t amount)
{
    ASSERT(series->family->kind != METRICS_HISTOGRAM);
    atomic_fetch_add_explicit(&series->value, (long long)amount, memory_order_relaxed);
}

void metrics_subtract(struct metrics_series *series, uint64_t amount)
{
    ASSERT(series->family->kind == METRICS_GAUGE);
    atomic_fetch_sub_explicit(&series->value, (long long)amount, memory_order_relaxed);
}

void metrics_set(struct metrics_series *series, int64_t value)
{
    ASSERT(series->family->kind == METRICS_GAUGE);
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metrics_mirror(struct metrics_series *series, uint64_t total)
{
    ASSERT(series->family->kind == METRICS_COUNTER);
    atomic_store_explicit(&series->value, (long long)total, memory_order_relaxed);
}

static void add_to_sum(struct metrics_series *series, double value)
{
    uint64_t before = atomic_load_explicit(&series->sum, memory_order_relaxed), after;
    do {
        double sum;
        memcpy(&sum, &before, sizeof(sum));
        sum += value;
        memcpy(&after, &sum, sizeof(after));
    } while (!atomic_compare_exchange_weak_explicit(&series->sum, &before, after,
                                                    memory_order_relaxed, memory_order_relaxed));
}

void metrics_observe(struct metrics_series *series, double value)
{
    const struct metrics_family *family = series->family;
    ASSERT(family->kind == METRICS_HISTOGRAM);
    size_t bucket = 0;
    while (bucket < family->bound_count && !(value <= family->bounds[bucket]))
        bucket++;
    if (series->buckets != NULL)
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    add_to_sum(series, value);
    atomic_fetch_add_explicit(&series->value, 1, memory_order_relaxed);
}

void metrics_observe_ns(struct metrics_series *series, uint64_t duration_ns)
{
    metrics_observe(series, (double)duration_ns / 1e9);
}

int64_t metrics_value(const struct metrics_series *series)
{
    return atomic_load_explicit(&series->value, memory_order_relaxed);
}

static void write_escaped(struct buffer *text, const char *value, bool is_label)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            buffer_append_string(text, "\\n");
        else if (*at == '\\' || (*at == '"' && is_label))
            buffer_format(text, "\\%c", *at);
        else
            buffer_append(text, bytes_of(at, 1));
    }
}

/* {name="value",...}, with `le` last in a histogram's buckets. */
static void write_labels(struct buffer *text, const struct metrics_series *series, const char *le)
{
    const struct metrics_family *family = series->family;
    if (family->label_count == 0 && le == NULL)
        return;
    buffer_append_string(text, "{");
    for (size_t i = 0; i < family->label_count; i++) {
        buffer_format(text, "%s%s=\"", i == 0 ? "" : ",", family->about.labels[i]);
        write_escaped(text, series->values[i], true);
        buffer_append_string(text, "\"");
    }
    if (le != NULL)
        buffer_format(text, "%sle=\"%s\"", family->label_count == 0 ? "" : ",", le);
    buffer_append_string(text, "}");
}

static void write_histogram(struct buffer *text, const struct metrics_series *series)
{
    const struct metrics_family *family = series->family;
    unsigned long long count = 0;
    for (size_t i = 0; i <= family->bound_count; i++) {
        char le[32] = "+Inf";
        if (i < family->bound_count)
            snprintf(le, sizeof(le), "%g", family->bounds[i]);
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        buffer_format(text, "%s_bucket", family->about.name);
        write_labels(text, series, le);
        buffer_format(text, " %llu\n", count);
    }
    uint64_t bits = atomic_load_explicit(&series->sum, memory_order_relaxed);
    double sum;
    memcpy(&sum, &bits, sizeof(sum));
    buffer_format(text, "%s_sum", family->about.name);
    write_labels(text, series, NULL);
    buffer_format(text, " %.17g\n%s_count", sum, family->about.name);
    write_labels(text, series, NULL);
    /* Not series->value: the count has to be what the last bucket said. */
    buffer_format(text, " %llu\n", count);
}

static void write_family(struct buffer *text, const struct metrics_family *family)
{
    static const char *const kinds[] = {
        [METRICS_COUNTER] = "counter", [METRICS_GAUGE] = "gauge", [METRICS_HISTOGRAM] = "histogram"
    };
    if (family->first == NULL)
        return;
    buffer_format(text, "# HELP %s ", family->about.name);
    write_escaped(text, family->about.help, false);
    buffer_format(text, "\n# TYPE %s %s\n", family->about.name, kinds[family->kind]);
    for (const struct metrics_series *at = family->first; at != NULL; at = at->next) {
        if (family->kind == METRICS_HISTOGRAM) {
            write_histogram(text, at);
            continue;
        }
        buffer_append_string(text, family->about.name);
        write_labels(text, at, NULL);
        buffer_format(text, " %lld\n", (long long)metrics_value(at));
    }
}

bool metrics_write(struct buffer *text, struct metrics *metrics, struct error *error)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->family_count; i++)
        write_family(text, &metrics->families[i]);
    pthread_mutex_unlock(&metrics->lock);
    return !text->failed ||
           error_set(error, ERROR_LIMIT, "metrics are longer than %zu bytes", text->size_max);
}
