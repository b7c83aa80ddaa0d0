/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/span.h"

#include <stdlib.h>
#include <string.h>

struct span_queue {
    size_t count_max, first, count;
    uint64_t dropped;
    struct span spans[];
};

static void text_set(char target[SPAN_TEXT_SIZE], const char *text)
{
    struct bytes value = bytes_part(bytes_of_string(text), 0, SPAN_TEXT_SIZE - 1);
    while (value.size > SPAN_TEXT_SIZE - 4 && !bytes_is_utf8(value))
        value.size--; /* a character was cut */
    if (!bytes_is_utf8(value))
        value.size = 0;
    if (value.size > 0)
        memcpy(target, value.data, value.size);
    target[value.size] = '\0';
}

void span_name(struct span *span, const char *name)
{
    text_set(span->name, name);
}

static struct span_attribute *attribute_add(struct span *span, const char *name)
{
    ASSERT(span->attribute_count < SPAN_ATTRIBUTES_MAX);
    struct span_attribute *attribute = &span->attributes[span->attribute_count++];
    attribute->name = name;
    attribute->is_number = false;
    return attribute;
}

void span_text(struct span *span, const char *name, const char *text)
{
    text_set(attribute_add(span, name)->text, text);
}

void span_number(struct span *span, const char *name, int64_t number)
{
    struct span_attribute *attribute = attribute_add(span, name);
    attribute->is_number = true;
    attribute->number = number;
}

bool span_queue_new(struct span_queue **queue, size_t count_max, struct error *error)
{
    ASSERT(count_max > 0 && count_max <= SPANS_MAX);
    struct span_queue *made = calloc(1, sizeof(*made) + count_max * sizeof(made->spans[0]));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for traces");
    made->count_max = count_max;
    *queue = made;
    return true;
}

void span_queue_free(struct span_queue *queue)
{
    free(queue);
}

void span_queue_add(struct span_queue *queue, const struct span *span)
{
    if (queue->count == queue->count_max) {
        queue->dropped++;
        return;
    }
    queue->spans[(queue->first + queue->count++) % queue->count_max] = *span;
}

size_t span_queue_count(const struct span_queue *queue)
{
    return queue->count;
}

uint64_t span_queue_dropped(const struct span_queue *queue)
{
    return queue->dropped;
}

const struct span *span_queue_at(const struct span_queue *queue, size_t index)
{
    ASSERT(index < queue->count);
    return &queue->spans[(queue->first + index) % queue->count_max];
}

void span_queue_remove(struct span_queue *queue, size_t count)
{
    ASSERT(count <= queue->count);
    queue->first = (queue->first + count) % queue->count_max;
    queue->count -= count;
}

bool trace_is_sampled(const uint8_t trace_id[TRACE_ID_SIZE], double ratio)
{
    uint64_t number = 0;
    for (size_t i = 8; i < TRACE_ID_SIZE; i++)
        number = number << 8 | trace_id[i];
    /* 63 bits, so that implementations without unsigned numbers agree. */
    return ratio >= 1 || (double)(number >> 1) < ratio * 9223372036854775808.0;
}
