/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol buffers' wire format (protobuf.dev, "Encoding"): as much of it as OTLP needs.  Written
 * canonically, zeros and empty strings too; read without memory, groups refused. */
#ifndef METRICS_PROTOBUF_H
#define METRICS_PROTOBUF_H

#include "base/buffer.h"
#include "core/reader.h"

enum protobuf_wire {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2,
    PROTOBUF_FIXED32 = 5
};

void protobuf_put_varint(struct buffer *message, uint32_t field, uint64_t value);
void protobuf_put_fixed64(struct buffer *message, uint32_t field, uint64_t value);
void protobuf_put_fixed32(struct buffer *message, uint32_t field, uint32_t value);
void protobuf_put_double(struct buffer *message, uint32_t field, double value);
void protobuf_put_bytes(struct buffer *message, uint32_t field, struct bytes value);
void protobuf_put_string(struct buffer *message, uint32_t field, const char *value);
/* A message, or a packed list, between the two; they nest. */
size_t protobuf_open(struct buffer *message, uint32_t field);
void protobuf_close(struct buffer *message, size_t opened);
/* Of a packed list. */
void protobuf_add_fixed64(struct buffer *message, uint64_t value);

struct protobuf_field {
    uint32_t number;
    enum protobuf_wire wire;
    uint64_t value;     /* of numbers */
    struct bytes bytes; /* borrowed */
};
/* The next field.  False at the end, and when the reader failed: malformed. */
bool protobuf_take(struct reader *reader, struct protobuf_field *field);

#endif
