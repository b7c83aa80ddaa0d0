/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as text: Prometheus 0.0.4 and OpenMetrics 1.0.  The second wants families of counters
 * without "_total" in their names, a unit where the name ends in one, "le" with a point, an end
 * mark, and allows exemplars. */
#include "core/bytes.h"
#include "metrics/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
    struct buffer *text;
    const struct metrics_view *view;
};

static void write_escaped(struct buffer *text, const char *value, bool escapes_quotes)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            buffer_append_string(text, "\\n");
        else if (*at == '\\' || (*at == '"' && escapes_quotes))
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

static void write_exemplar(struct buffer *text, const struct metrics_kept *kept)
{
    const struct metrics_exemplar *exemplar = &kept->exemplar;
    if (!kept->is_there || exemplar->request_id[0] == '\0')
        return;
    buffer_format(text, " # {request_id=\"%s\"", exemplar->request_id);
    if (exemplar->trace_id[0] != '\0')
        buffer_format(text, ",trace_id=\"%s\"", exemplar->trace_id);
    buffer_format(text, "} %.9g %lld.%03lld", kept->value, (long long)(exemplar->time_ms / 1000),
                  (long long)(exemplar->time_ms % 1000));
}

/* A bound as both formats have it. */
static void print_bound(char text[32], double bound, bool is_openmetrics)
{
    snprintf(text, 32, "%g", bound);
    if (is_openmetrics && strpbrk(text, ".e") == NULL)
        snprintf(text, 32, "%g.0", bound);
}

static void write_histogram(const struct page *page, const struct metrics_series *series)
{
    const struct metrics_family *family = series->family;
    struct buffer *text = page->text;
    unsigned long long count = 0;
    for (size_t i = 0; i <= family->bound_count; i++) {
        char le[32] = "+Inf";
        if (i < family->bound_count)
            print_bound(le, family->bounds[i], page->view->is_openmetrics);
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        buffer_format(text, "%s_bucket", family->about.name);
        write_labels(text, series, le);
        buffer_format(text, " %llu", count);
        if (page->view->is_openmetrics && series->kept != NULL)
            write_exemplar(text, &series->kept[i]);
        buffer_append_string(text, "\n");
    }
    buffer_format(text, "%s_sum", family->about.name);
    write_labels(text, series, NULL);
    buffer_format(text, " %.17g\n%s_count", metrics_real(&series->sum), family->about.name);
    write_labels(text, series, NULL);
    /* Not series->value: the count has to be what the last bucket said. */
    buffer_format(text, " %llu\n", count);
}

const char *metrics_unit(const char *name, size_t size)
{
    static const char *const units[] = { "seconds", "bytes", "pages" };
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        size_t unit_size = strlen(units[i]);
        if (size > unit_size + 1 && name[size - unit_size - 1] == '_' &&
            memcmp(name + size - unit_size, units[i], unit_size) == 0)
            return units[i];
    }
    return NULL;
}

static void write_head(const struct page *page, const struct metrics_family *family)
{
    static const char *const kinds[] = { [METRICS_COUNTER] = "counter",
                                         [METRICS_GAUGE] = "gauge",
                                         [METRICS_GAUGE_REAL] = "gauge",
                                         [METRICS_HISTOGRAM] = "histogram" };
    const char *name = family->about.name;
    bool is_open = page->view->is_openmetrics;
    size_t size = strlen(name);
    if (is_open && family->kind == METRICS_COUNTER)
        size -= strlen("_total");
    const char *unit = metrics_unit(name, size);
    buffer_format(page->text, "# HELP %.*s ", (int)size, name);
    write_escaped(page->text, family->about.help, is_open);
    buffer_format(page->text, "\n# TYPE %.*s %s\n", (int)size, name, kinds[family->kind]);
    if (is_open && unit != NULL)
        buffer_format(page->text, "# UNIT %.*s %s\n", (int)size, name, unit);
}

static void write_series(const struct page *page, const struct metrics_series *series)
{
    const struct metrics_family *family = series->family;
    if (family->kind == METRICS_HISTOGRAM) {
        write_histogram(page, series);
        return;
    }
    buffer_append_string(page->text, family->about.name);
    write_labels(page->text, series, NULL);
    if (family->kind == METRICS_GAUGE_REAL)
        buffer_format(page->text, " %.9g\n", metrics_real(&series->sum));
    else
        buffer_format(page->text, " %lld\n", (long long)metrics_value(series));
}

static void write_family(const struct page *page, const struct metrics_family *family)
{
    bool has_head = false;
    for (const struct metrics_series *at = family->first; at != NULL; at = at->next) {
        if (!metrics_is_shown(at, page->view))
            continue;
        if (!has_head)
            write_head(page, family);
        has_head = true;
        write_series(page, at);
    }
}

bool metrics_write(struct buffer *text, struct metrics *metrics, const struct metrics_view *view,
                   struct error *error)
{
    const struct page page = { text, view };
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->family_count; i++)
        write_family(&page, &metrics->families[i]);
    pthread_mutex_unlock(&metrics->lock);
    if (view->is_openmetrics)
        buffer_append_string(text, "# EOF\n");
    return !text->failed ||
           error_set(error, ERROR_LIMIT, "metrics are longer than %zu bytes", text->size_max);
}

/* --- Accept --- */

/* What stands before the separator; *text goes on behind it. */
static struct bytes piece_take(struct bytes *text, char separator)
{
    size_t size = 0;
    while (size < text->size && text->data[size] != (uint8_t)separator)
        size++;
    struct bytes piece = bytes_of(text->data, size);
    *text = bytes_part(*text, MIN(size + 1, text->size), SIZE_MAX);
    return bytes_trim(piece);
}

static bool is_word(struct bytes text, const char *word)
{
    if (text.size != strlen(word))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (uint8_t)word[i])
            return false;
    }
    return true;
}

/* A weight in thousandths (RFC 9110 section 12.4.2); -1: it is none. */
static int weight_of(struct bytes text)
{
    int weight = 0, unit = 1000;
    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.size > 1 && text.data[1] != '.'))
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 1)
            continue;
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        weight += (text.data[i] - '0') * unit;
        unit /= 10;
    }
    return weight > 1000 ? -1 : weight;
}

bool metrics_prefers_open(struct bytes accept)
{
    int open = 0, plain = 0, any = 0;
    while (accept.size > 0) {
        struct bytes range = piece_take(&accept, ',');
        struct bytes type = piece_take(&range, ';');
        int weight = 1000;
        bool is_known = true; /* version 1.0.0 is what there is */
        while (range.size > 0) {
            struct bytes value = piece_take(&range, ';');
            struct bytes name = piece_take(&value, '=');
            if (is_word(name, "q"))
                weight = weight_of(value);
            else if (is_word(name, "version"))
                is_known = is_word(value, "1.0.0");
        }
        if (weight < 0)
            return false;
        if (is_word(type, "application/openmetrics-text") && is_known)
            open = MAX(open, weight);
        else if (is_word(type, "text/plain") || is_word(type, "text/*"))
            plain = MAX(plain, weight);
        else if (is_word(type, "*/*"))
            any = MAX(any, weight);
    }
    return open > 0 && open >= MAX(plain, any);
}
