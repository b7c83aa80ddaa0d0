/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/registry.h"

#include <stdlib.h>
#include <string.h>

const double metrics_seconds[] = { 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                   0.01,    0.025,  0.05,    0.1,    0.25,  0.5,    1,
                                   2.5,     5,      10,      30,     60,    300 };
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
    free(series->kept);
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

/* Whether two are the same where names of counters stand without "_total" (OpenMetrics). */
static bool names_clash(const char *a, const char *b)
{
    size_t a_size = strlen(a) - (ends_with(a, "_total") ? 6 : 0);
    size_t b_size = strlen(b) - (ends_with(b, "_total") ? 6 : 0);
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

static struct metrics_family *add_family(struct metrics *metrics, enum metrics_kind kind,
                                         const struct metrics_about *about)
{
    ASSERT(metrics->family_count < METRICS_FAMILIES_MAX);
    ASSERT(is_name(about->name));
    ASSERT((kind == METRICS_COUNTER) == ends_with(about->name, "_total"));
    for (size_t i = 0; i < metrics->family_count; i++)
        ASSERT(!names_clash(metrics->families[i].about.name, about->name));
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

struct metrics_family *metrics_gauge_real(struct metrics *metrics,
                                          const struct metrics_about *about)
{
    return add_family(metrics, METRICS_GAUGE_REAL, about);
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

/* FNV-1a; the number of series is limited, so nobody gains by collisions. */
static uint32_t hash_of(const struct metrics_family *family, const struct bytes *values)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < family->label_count; i++) {
        for (size_t j = 0; j < values[i].size; j++)
            hash = (hash ^ values[i].data[j]) * 16777619u;
        hash = (hash ^ 0xffu) * 16777619u;
    }
    return hash;
}

static struct metrics_series *find_series(struct metrics_family *family, const struct bytes *values,
                                          uint32_t hash)
{
    struct metrics_series *at = family->slots[hash % METRICS_SLOTS];
    for (; at != NULL; at = at->next_slot) {
        size_t same = 0;
        while (same < family->label_count && at->hash == hash &&
               bytes_equal_string(values[same], at->values[same]))
            same++;
        if (same == family->label_count && at->hash == hash)
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
    uint32_t hash = hash_of(family, values);
    struct metrics_series *found = find_series(family, values, hash);
    if (found != NULL)
        return found;
    /* The last place is kept for all that come too late. */
    if (family->series_count + 1 >= METRICS_SERIES_MAX) {
        for (size_t i = 0; i < family->label_count; i++)
            values[i] = BYTES_LITERAL("other");
        hash = hash_of(family, values);
        found = find_series(family, values, hash);
        if (found != NULL)
            return found;
    }
    struct metrics_series *made = make_series(family, values);
    if (made == NULL)
        return &family->unseen;
    made->hash = hash;
    made->next_slot = family->slots[hash % METRICS_SLOTS];
    family->slots[hash % METRICS_SLOTS] = made;
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
    ASSERT(series->family->kind == METRICS_COUNTER || series->family->kind == METRICS_GAUGE);
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

void metrics_set_real(struct metrics_series *series, double value)
{
    uint64_t bits;
    ASSERT(series->family->kind == METRICS_GAUGE_REAL);
    memcpy(&bits, &value, sizeof(bits));
    atomic_store_explicit(&series->sum, bits, memory_order_relaxed);
}

double metrics_real(const _Atomic uint64_t *bits)
{
    uint64_t loaded = atomic_load_explicit(bits, memory_order_relaxed);
    double value;
    memcpy(&value, &loaded, sizeof(value));
    return value;
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

static size_t bucket_of(const struct metrics_family *family, double value)
{
    size_t bucket = 0;
    while (bucket < family->bound_count && !(value <= family->bounds[bucket]))
        bucket++;
    return bucket;
}

void metrics_observe(struct metrics_series *series, double value)
{
    const struct metrics_family *family = series->family;
    ASSERT(family->kind == METRICS_HISTOGRAM);
    if (series->buckets != NULL)
        atomic_fetch_add_explicit(&series->buckets[bucket_of(family, value)], 1,
                                  memory_order_relaxed);
    add_to_sum(series, value);
    atomic_fetch_add_explicit(&series->value, 1, memory_order_relaxed);
}

void metrics_observe_ns(struct metrics_series *series, uint64_t duration_ns)
{
    metrics_observe(series, (double)duration_ns / 1e9);
}

void metrics_observe_example(struct metrics_series *series, uint64_t duration_ns,
                             const struct metrics_exemplar *exemplar)
{
    double value = (double)duration_ns / 1e9;
    struct metrics_family *family = series->family;
    metrics_observe(series, value);
    if (series->buckets == NULL)
        return;
    pthread_mutex_lock(&family->metrics->lock);
    if (series->kept == NULL)
        series->kept = calloc(family->bound_count + 1, sizeof(*series->kept));
    if (series->kept != NULL)
        series->kept[bucket_of(family, value)] = (struct metrics_kept){ true, value, *exemplar };
    pthread_mutex_unlock(&family->metrics->lock);
}

bool metrics_is_shown(const struct metrics_series *series, const struct metrics_view *view)
{
    const struct metrics_family *family = series->family;
    if (view->label == NULL)
        return true;
    for (size_t i = 0; i < family->label_count; i++)
        if (strcmp(family->about.labels[i], view->label) == 0)
            return strncmp(series->values[i], view->begins, strlen(view->begins)) == 0;
    return false;
}

static void slot_leave(struct metrics_family *family, const struct metrics_series *series)
{
    struct metrics_series **at = &family->slots[series->hash % METRICS_SLOTS];
    while (*at != series)
        at = &(*at)->next_slot;
    *at = series->next_slot;
}

void metrics_forget(struct metrics *metrics, const struct metrics_view *view)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->family_count; i++) {
        struct metrics_family *family = &metrics->families[i];
        struct metrics_series **at = &family->first;
        family->last = NULL;
        while (*at != NULL) {
            struct metrics_series *series = *at;
            if (!metrics_is_shown(series, view)) {
                family->last = series;
                at = &series->next;
                continue;
            }
            slot_leave(family, series);
            *at = series->next;
            family->series_count--;
            series_free(series);
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}

int64_t metrics_value(const struct metrics_series *series)
{
    return atomic_load_explicit(&series->value, memory_order_relaxed);
}
