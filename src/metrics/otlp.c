/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/otlp.h"
#include "metrics/protobuf.h"
#include "metrics/registry.h"

#include "core/hex.h"

#include <stdio.h>
#include <string.h>

/* Field numbers, by message. */
enum {
    REQUEST_RESOURCES = 1,
    RESOURCE = 1,
    RESOURCE_SCOPES = 2,
    RESOURCE_ATTRIBUTES = 1,
    SCOPE = 1,
    SCOPE_ITEMS = 2,
    SCOPE_NAME = 1,
    SCOPE_VERSION = 2,
    KEY_VALUE_KEY = 1,
    KEY_VALUE_VALUE = 2,
    VALUE_STRING = 1,
    VALUE_INT = 3,
    METRIC_NAME = 1,
    METRIC_DESCRIPTION = 2,
    METRIC_UNIT = 3,
    METRIC_GAUGE = 5,
    METRIC_SUM = 7,
    METRIC_HISTOGRAM = 9,
    DATA_POINTS = 1,
    DATA_TEMPORALITY = 2,
    DATA_IS_MONOTONIC = 3,
    POINT_START = 2,
    POINT_TIME = 3,
    NUMBER_DOUBLE = 4,
    NUMBER_INT = 6,
    NUMBER_ATTRIBUTES = 7,
    HISTOGRAM_COUNT = 4,
    HISTOGRAM_SUM = 5,
    HISTOGRAM_BUCKETS = 6,
    HISTOGRAM_BOUNDS = 7,
    HISTOGRAM_EXEMPLARS = 8,
    HISTOGRAM_ATTRIBUTES = 9,
    EXEMPLAR_TIME = 2,
    EXEMPLAR_DOUBLE = 3,
    EXEMPLAR_TRACE_ID = 5,
    EXEMPLAR_ATTRIBUTES = 7,
    SPAN_TRACE_ID = 1,
    SPAN_ID = 2,
    SPAN_PARENT_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTES = 9,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16,
    STATUS_CODE = 3,
    ANSWER_PARTIAL = 1,
    PARTIAL_REJECTED = 1,
    PARTIAL_MESSAGE = 2
};

enum {
    CUMULATIVE = 2,
    STATUS_ERROR = 2,
    FLAGS_HAS_REMOTE = 0x100, /* it is known whether the parent is remote */
    FLAGS_IS_REMOTE = 0x200
};

static void put_text(struct buffer *message, uint32_t field, const char *name, struct bytes text)
{
    size_t pair = protobuf_open(message, field);
    protobuf_put_string(message, KEY_VALUE_KEY, name);
    size_t value = protobuf_open(message, KEY_VALUE_VALUE);
    protobuf_put_bytes(message, VALUE_STRING, text);
    protobuf_close(message, value);
    protobuf_close(message, pair);
}

static void put_number(struct buffer *message, uint32_t field, const char *name, int64_t number)
{
    size_t pair = protobuf_open(message, field);
    protobuf_put_string(message, KEY_VALUE_KEY, name);
    size_t value = protobuf_open(message, KEY_VALUE_VALUE);
    protobuf_put_varint(message, VALUE_INT, (uint64_t)number);
    protobuf_close(message, value);
    protobuf_close(message, pair);
}

/* --- resource --- */

struct pair {
    char name[OTLP_ATTRIBUTE_SIZE_MAX + 1];
    char value[OTLP_ATTRIBUTE_SIZE_MAX + 1];
    size_t value_size;
};

static bool percent_decode(struct pair *pair, struct bytes text)
{
    pair->value_size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%' && !hex_decode(&byte, 1, bytes_part(text, i + 1, 2)))
            return false;
        i += text.data[i] == '%' ? 2 : 0;
        pair->value[pair->value_size++] = (char)byte;
    }
    return bytes_is_utf8(bytes_of(pair->value, pair->value_size));
}

/* The first pair; *rest goes on behind it. */
static bool pair_take(struct pair *pair, struct bytes *rest)
{
    size_t size = bytes_find(*rest, ',');
    struct bytes text = bytes_trim(bytes_part(*rest, 0, size));
    *rest = bytes_part(*rest, MIN(size + 1, rest->size), SIZE_MAX);
    size_t at = bytes_find(text, '=');
    struct bytes name = bytes_trim(bytes_part(text, 0, at));
    struct bytes value = bytes_trim(bytes_part(text, MIN(at + 1, text.size), SIZE_MAX));
    if (at == text.size || name.size == 0 || name.size > OTLP_ATTRIBUTE_SIZE_MAX ||
        value.size > OTLP_ATTRIBUTE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    memcpy(pair->name, name.data, name.size);
    pair->name[name.size] = '\0';
    return percent_decode(pair, value);
}

bool otlp_attributes_check(const char *attributes, struct error *error)
{
    struct bytes rest = bytes_of_string(attributes);
    for (size_t count = 0; rest.size > 0; count++) {
        struct pair pair;
        struct bytes at = rest;
        if (count == OTLP_ATTRIBUTES_MAX || !pair_take(&pair, &rest))
            return error_set(error, ERROR_INVALID,
                             "%s: attributes are name=value,name=value, at most %d of them",
                             error_quote(at).text, OTLP_ATTRIBUTES_MAX);
    }
    return true;
}

static size_t resource_open(struct buffer *request, const struct otlp_resource *resource)
{
    size_t opened = protobuf_open(request, REQUEST_RESOURCES);
    size_t about = protobuf_open(request, RESOURCE);
    struct bytes rest = bytes_of_string(resource->attributes);
    struct pair pair;
    put_text(request, RESOURCE_ATTRIBUTES, "service.name", bytes_of_string(resource->service));
    put_text(request, RESOURCE_ATTRIBUTES, "service.version", bytes_of_string(resource->version));
    put_text(request, RESOURCE_ATTRIBUTES, "service.instance.id",
             bytes_of_string(resource->instance));
    while (rest.size > 0 && pair_take(&pair, &rest))
        if (strcmp(pair.name, "service.name") != 0)
            put_text(request, RESOURCE_ATTRIBUTES, pair.name,
                     bytes_of(pair.value, pair.value_size));
    protobuf_close(request, about);
    return opened;
}

static size_t scope_open(struct buffer *request, const struct otlp_resource *resource)
{
    size_t opened = protobuf_open(request, RESOURCE_SCOPES);
    size_t scope = protobuf_open(request, SCOPE);
    protobuf_put_string(request, SCOPE_NAME, "s3n");
    protobuf_put_string(request, SCOPE_VERSION, resource->version);
    protobuf_close(request, scope);
    return opened;
}

/* --- metrics --- */

struct times {
    uint64_t start_ns, now_ns;
};

static void put_labels(struct buffer *message, uint32_t field, const struct metrics_series *series)
{
    const struct metrics_family *family = series->family;
    for (size_t i = 0; i < family->label_count; i++)
        put_text(message, field, family->about.labels[i], bytes_of_string(series->values[i]));
}

static void put_number_point(struct buffer *message, const struct metrics_series *series,
                             const struct times *times)
{
    const struct metrics_family *family = series->family;
    size_t point = protobuf_open(message, DATA_POINTS);
    if (family->kind == METRICS_COUNTER)
        protobuf_put_fixed64(message, POINT_START, times->start_ns);
    protobuf_put_fixed64(message, POINT_TIME, times->now_ns);
    if (family->kind == METRICS_GAUGE_REAL)
        protobuf_put_double(message, NUMBER_DOUBLE, metrics_real(&series->sum));
    else
        protobuf_put_fixed64(message, NUMBER_INT, (uint64_t)metrics_value(series));
    put_labels(message, NUMBER_ATTRIBUTES, series);
    protobuf_close(message, point);
}

static void put_exemplar(struct buffer *message, const struct metrics_kept *kept)
{
    const struct metrics_exemplar *exemplar = &kept->exemplar;
    uint8_t trace_id[TRACE_ID_SIZE];
    if (!kept->is_there)
        return;
    size_t opened = protobuf_open(message, HISTOGRAM_EXEMPLARS);
    protobuf_put_fixed64(message, EXEMPLAR_TIME, (uint64_t)exemplar->time_ms * 1000000);
    protobuf_put_double(message, EXEMPLAR_DOUBLE, kept->value);
    if (hex_decode(trace_id, sizeof(trace_id), bytes_of_string(exemplar->trace_id)))
        protobuf_put_bytes(message, EXEMPLAR_TRACE_ID, BYTES_OF(trace_id));
    if (exemplar->request_id[0] != '\0')
        put_text(message, EXEMPLAR_ATTRIBUTES, "request_id", bytes_of_string(exemplar->request_id));
    protobuf_close(message, opened);
}

static void put_histogram_point(struct buffer *message, const struct metrics_series *series,
                                const struct times *times)
{
    const struct metrics_family *family = series->family;
    size_t point = protobuf_open(message, DATA_POINTS);
    uint64_t count = 0;
    protobuf_put_fixed64(message, POINT_START, times->start_ns);
    protobuf_put_fixed64(message, POINT_TIME, times->now_ns);
    size_t list = protobuf_open(message, HISTOGRAM_BUCKETS);
    for (size_t i = 0; i <= family->bound_count; i++) {
        uint64_t bucket = atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        protobuf_add_fixed64(message, bucket);
        count += bucket;
    }
    protobuf_close(message, list);
    protobuf_put_fixed64(message, HISTOGRAM_COUNT, count); /* what the buckets have */
    protobuf_put_double(message, HISTOGRAM_SUM, metrics_real(&series->sum));
    list = protobuf_open(message, HISTOGRAM_BOUNDS);
    for (size_t i = 0; i < family->bound_count; i++) {
        uint64_t bits;
        memcpy(&bits, &family->bounds[i], sizeof(bits));
        protobuf_add_fixed64(message, bits);
    }
    protobuf_close(message, list);
    for (size_t i = 0; series->kept != NULL && i <= family->bound_count; i++)
        put_exemplar(message, &series->kept[i]);
    put_labels(message, HISTOGRAM_ATTRIBUTES, series);
    protobuf_close(message, point);
}

static void put_data(struct buffer *message, const struct metrics_family *family,
                     const struct times *times)
{
    static const uint32_t fields[] = { [METRICS_COUNTER] = METRIC_SUM,
                                       [METRICS_GAUGE] = METRIC_GAUGE,
                                       [METRICS_GAUGE_REAL] = METRIC_GAUGE,
                                       [METRICS_HISTOGRAM] = METRIC_HISTOGRAM };
    size_t data = protobuf_open(message, fields[family->kind]);
    for (const struct metrics_series *at = family->first; at != NULL; at = at->next) {
        if (family->kind == METRICS_HISTOGRAM)
            put_histogram_point(message, at, times);
        else
            put_number_point(message, at, times);
    }
    if (family->kind == METRICS_COUNTER || family->kind == METRICS_HISTOGRAM)
        protobuf_put_varint(message, DATA_TEMPORALITY, CUMULATIVE);
    if (family->kind == METRICS_COUNTER)
        protobuf_put_varint(message, DATA_IS_MONOTONIC, 1);
    protobuf_close(message, data);
}

static void put_family(struct buffer *message, const struct metrics_family *family,
                       const struct times *times)
{
    const char *name = family->about.name;
    size_t size = strlen(name);
    if (family->first == NULL)
        return;
    if (family->kind == METRICS_COUNTER)
        size -= strlen("_total");
    const char *unit = metrics_unit(name, size);
    size_t metric = protobuf_open(message, SCOPE_ITEMS);
    protobuf_put_bytes(message, METRIC_NAME, bytes_of(name, size));
    protobuf_put_string(message, METRIC_DESCRIPTION, family->about.help);
    if (unit == NULL)
        protobuf_put_string(message, METRIC_UNIT, "1");
    else
        protobuf_put_string(message, METRIC_UNIT,
                            strcmp(unit, "seconds") == 0 ? "s"
                            : strcmp(unit, "bytes") == 0 ? "By"
                                                         : "{page}");
    put_data(message, family, times);
    protobuf_close(message, metric);
}

bool otlp_metrics_write(struct buffer *request, struct metrics *metrics,
                        const struct otlp_resource *resource, uint64_t start_ns, uint64_t now_ns,
                        struct error *error)
{
    const struct times times = { start_ns, now_ns };
    size_t opened = resource_open(request, resource), scope = scope_open(request, resource);
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->family_count; i++)
        put_family(request, &metrics->families[i], &times);
    pthread_mutex_unlock(&metrics->lock);
    protobuf_close(request, scope);
    protobuf_close(request, opened);
    return !request->failed ||
           error_set(error, ERROR_LIMIT, "metrics are longer than %zu bytes", request->size_max);
}

/* --- spans --- */

static void put_span(struct buffer *message, const struct span *span)
{
    static const uint8_t zeros[TRACE_SPAN_SIZE];
    bool has_parent = memcmp(span->parent_id, zeros, sizeof(zeros)) != 0;
    size_t opened = protobuf_open(message, SCOPE_ITEMS);
    protobuf_put_bytes(message, SPAN_TRACE_ID, BYTES_OF(span->trace_id));
    protobuf_put_bytes(message, SPAN_ID, BYTES_OF(span->span_id));
    if (has_parent)
        protobuf_put_bytes(message, SPAN_PARENT_ID, BYTES_OF(span->parent_id));
    protobuf_put_string(message, SPAN_NAME, span->name);
    protobuf_put_varint(message, SPAN_KIND, span->kind);
    protobuf_put_fixed64(message, SPAN_START, span->start_ns);
    protobuf_put_fixed64(message, SPAN_END, span->end_ns);
    for (unsigned i = 0; i < span->attribute_count; i++) {
        const struct span_attribute *attribute = &span->attributes[i];
        if (attribute->is_number)
            put_number(message, SPAN_ATTRIBUTES, attribute->name, attribute->number);
        else
            put_text(message, SPAN_ATTRIBUTES, attribute->name, bytes_of_string(attribute->text));
    }
    if (span->has_failed) {
        size_t status = protobuf_open(message, SPAN_STATUS);
        protobuf_put_varint(message, STATUS_CODE, STATUS_ERROR);
        protobuf_close(message, status);
    }
    protobuf_put_fixed32(message, SPAN_FLAGS,
                         TRACE_FLAG_SAMPLED | FLAGS_HAS_REMOTE |
                             (span->is_remote ? FLAGS_IS_REMOTE : 0u));
    protobuf_close(message, opened);
}

bool otlp_spans_write(struct buffer *request, const struct span_queue *queue, size_t count,
                      const struct otlp_resource *resource, struct error *error)
{
    size_t opened = resource_open(request, resource), scope = scope_open(request, resource);
    for (size_t i = 0; i < count; i++)
        put_span(request, span_queue_at(queue, i));
    protobuf_close(request, scope);
    protobuf_close(request, opened);
    return !request->failed ||
           error_set(error, ERROR_LIMIT, "spans are longer than %zu bytes", request->size_max);
}

/* --- answers --- */

static void partial_read(struct otlp_answer *answer, struct reader *reader)
{
    struct protobuf_field field;
    while (protobuf_take(reader, &field)) {
        if (field.number == PARTIAL_REJECTED && field.wire == PROTOBUF_VARINT)
            answer->rejected = (int64_t)field.value > 0 ? field.value : 0;
        else if (field.number == PARTIAL_MESSAGE && field.wire == PROTOBUF_BYTES)
            snprintf(answer->message, sizeof(answer->message), "%s", error_quote(field.bytes).text);
    }
}

bool otlp_answer_read(struct otlp_answer *answer, struct bytes body, struct error *error)
{
    struct otlp_answer read = { 0 };
    struct reader reader = reader_of(body);
    struct protobuf_field field;
    while (protobuf_take(&reader, &field)) {
        if (field.number != ANSWER_PARTIAL || field.wire != PROTOBUF_BYTES)
            continue;
        struct reader partial = reader_of(field.bytes);
        partial_read(&read, &partial);
        if (!read_end(&partial))
            reader_fail(&reader);
    }
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "the collector's answer is not of OTLP");
    *answer = read;
    return true;
}
