/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors 0 to 2, which live in the mailbox.  There are no others. */
#ifndef GUEST_STDIO_H
#define GUEST_STDIO_H

#include "core/compiler.h"

enum stream {
    STREAM_CLOSED,
    STREAM_INPUT,
    STREAM_OUTPUT,
    STREAM_ERRORS
};

enum {
    STDIO_COUNT = 3
};

/* Opens the three descriptors.  A reactor's output is its answer, so what it prints goes to the
 * log. */
void stdio_init(bool is_reactor);
/* Standard input from its beginning; a reactor has none. */
void stdio_rewind(bool is_reactor);
/* What `fd` is; STREAM_CLOSED for every number that is not open. */
enum stream stdio_stream(uint32_t fd);
/* Bytes of stdin that can be read at once. */
uint64_t stdio_input_left(void);
/* Appends to stdout or stderr; leaves the micro-VM when the area is full. */
void stdio_write(enum stream stream, const uint8_t *from, uint64_t size);

#endif
