/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a list of resource attributes, what follows a collector's answer. */
#include "fuzz/fuzz.h"
#include "metrics/otlp.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    char attributes[512];
    struct error error;
    struct otlp_answer answer;
    struct bytes line = bytes_part(input, 0, bytes_find(input, '\n'));
    struct bytes text = bytes_part(line, 0, sizeof(attributes) - 1);
    if (text.size > 0)
        memcpy(attributes, text.data, text.size);
    attributes[text.size] = '\0';
    if (otlp_attributes_check(attributes, &error)) {
        AUTO_BUFFER struct buffer request;
        AUTO(span_queue) struct span_queue *queue = NULL;
        const struct otlp_resource resource = { "s", "v", "i", attributes };
        buffer_init(&request, OTLP_REQUEST_SIZE_MAX);
        ASSERT(span_queue_new(&queue, 1, &error));
        ASSERT(otlp_spans_write(&request, queue, 0, &resource, &error));
    }
    if (otlp_answer_read(&answer, bytes_part(input, line.size + 1, SIZE_MAX), &error))
        ASSERT(bytes_is_utf8(bytes_of_string(answer.message)));
}
