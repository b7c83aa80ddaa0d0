/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is written again, and read again as the same. */
#include "fuzz/fuzz.h"
#include "metrics/protobuf.h"

static void put(struct buffer *message, const struct protobuf_field *field)
{
    switch (field->wire) {
    case PROTOBUF_VARINT:
        protobuf_put_varint(message, field->number, field->value);
        break;
    case PROTOBUF_FIXED64:
        protobuf_put_fixed64(message, field->number, field->value);
        break;
    case PROTOBUF_BYTES:
        protobuf_put_bytes(message, field->number, field->bytes);
        break;
    case PROTOBUF_FIXED32:
        protobuf_put_fixed32(message, field->number, (uint32_t)field->value);
        break;
    }
}

void fuzz_one(struct bytes input)
{
    struct reader reader = reader_of(input);
    struct protobuf_field field, again;
    while (protobuf_take(&reader, &field)) {
        AUTO_BUFFER struct buffer message;
        buffer_init(&message, input.size + 32);
        put(&message, &field);
        struct reader second = reader_of(buffer_view(&message));
        ASSERT(protobuf_take(&second, &again) && read_end(&second));
        ASSERT(again.number == field.number && again.wire == field.wire);
        ASSERT(again.value == field.value && bytes_equal(again.bytes, field.bytes));
    }
}
