/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/platform/fake_document.h"

struct writer *fake_named(struct writer *writer, const char *name)
{
    cbor_write_text(writer, bytes_of_string(name));
    return writer;
}

size_t fake_document_make(uint8_t *target, const uint8_t *user_data, size_t user_data_size)
{
    uint8_t payload[4096], pcr[48] = { 1 };
    struct writer writer = writer_into(payload, sizeof(payload));
    cbor_write_map(&writer, 9);
    cbor_write_text(fake_named(&writer, "module_id"),
                    BYTES_LITERAL("i-0123456789abcdef0-enc0123456789abcdef"));
    cbor_write_text(fake_named(&writer, "digest"), BYTES_LITERAL("SHA384"));
    cbor_write_unsigned(fake_named(&writer, "timestamp"), 1750377600000);
    cbor_write_map(fake_named(&writer, "pcrs"), 1);
    cbor_write_unsigned(&writer, 0);
    cbor_write_bytes(&writer, BYTES_OF(pcr));
    cbor_write_bytes(fake_named(&writer, "certificate"), BYTES_LITERAL("leaf"));
    cbor_write_array(fake_named(&writer, "cabundle"), 1);
    cbor_write_bytes(&writer, BYTES_LITERAL("root"));
    cbor_write_null(fake_named(&writer, "public_key"));
    cbor_write_bytes(fake_named(&writer, "user_data"), bytes_of(user_data, user_data_size));
    cbor_write_null(fake_named(&writer, "nonce"));
    struct writer message = writer_into(target, FAKE_DOCUMENT_SIZE_MAX);
    uint8_t signature[96] = { 1 };
    cbor_write_array(&message, 4);
    cbor_write_bytes(&message, BYTES_LITERAL("\xa1\x01\x38\x22"));
    cbor_write_map(&message, 0);
    cbor_write_bytes(&message, writer_view(&writer));
    cbor_write_bytes(&message, BYTES_OF(signature));
    return message.size;
}
