/* SPDX-License-Identifier: Apache-2.0 */
/* How much padding goes with the bytes of answers, so that whoever watches the wire learns a class
 * of sizes and not a size.  Counts only; TLS makes the padding (RFC 8446 5.4).  Internal to net. */
#ifndef NET_PADDING_H
#define NET_PADDING_H

#include "core/compiler.h"

struct padding {
    unsigned open; /* answers begun and not over */
    bool is_active;
    uint32_t size;     /* enum http_padding or a number of bytes */
    uint64_t expected; /* bytes of the answers, about */
    uint64_t plain;    /* bytes since the first of them began */
    uint64_t sent;     /* the same with padding */
};

/* `size` of struct http_answer, not HTTP_PAD_NONE. */
void padding_begin(struct padding *padding, uint32_t size, uint64_t expected);
void padding_end(struct padding *padding);
/* Padding for the next `size` bytes of plaintext, which hold the end of every answer that is over.
 */
uint64_t padding_take(struct padding *padding, size_t size);

#endif
