/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a traceparent, every further one a tracestate: what is accepted is written as
 * something that is accepted again and means the same. */
#include "fuzz/fuzz.h"
#include "metrics/trace_context.h"

#include <string.h>

static void check_parent(struct bytes text)
{
    struct trace_parent parent, again;
    char printed[TRACE_PARENT_TEXT_SIZE];
    if (!trace_parent_parse(&parent, text))
        return;
    trace_parent_print(printed, &parent);
    ASSERT(trace_parent_parse(&again, bytes_of_string(printed)));
    ASSERT(memcmp(&parent, &again, sizeof(parent)) == 0);
}

void fuzz_one(struct bytes input)
{
    static struct trace_context context, again;
    struct bytes line = bytes_part(input, 0, bytes_find(input, '\n'));
    check_parent(line);
    context.state_size = again.state_size = 0;
    while (line.size < input.size) {
        input = bytes_part(input, line.size + 1, input.size);
        line = bytes_part(input, 0, bytes_find(input, '\n'));
        if (!trace_state_add(&context, line))
            ASSERT(context.state_size == 0);
    }
    ASSERT(trace_state_add(&again, trace_state(&context)));
    ASSERT(bytes_equal(trace_state(&context), trace_state(&again)));
}
