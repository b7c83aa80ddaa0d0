/* SPDX-License-Identifier: Apache-2.0 */
#include "state/states_parts.h"

#include "core/hex.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/mac.h"

#include <string.h>

enum {
    RECORD_VERSION = 1,
};

void record_key(const struct states *states, const char *space, struct bytes name,
                char key[RECORD_KEY_SIZE])
{
    uint8_t data[STATE_SPACE_SIZE_MAX + KV_NAME_SIZE_MAX];
    struct writer writer = writer_into(data, sizeof(data));
    write_bytes(&writer, bytes_of(space, strlen(space) + 1));
    write_bytes(&writer, name);
    ASSERT(!writer.failed);
    struct digest32 mac = hmac_sha256(BYTES_OF(states->names.bytes), writer_view(&writer));
    hex_encode(key, BYTES_OF(mac.bytes));
}

void record_write(struct buffer *record, const struct state_write *write)
{
    uint8_t head[1 + 8 + 2];
    struct writer writer = writer_into(head, sizeof(head));
    write_u8(&writer, RECORD_VERSION);
    write_u64_le(&writer, (uint64_t)write->expires_ms);
    write_u16_le(&writer, (uint16_t)write->name.size);
    buffer_append(record, writer_view(&writer));
    buffer_append(record, write->name);
    buffer_append(record, write->value);
}

bool record_read(struct bytes record, struct state_write *write, struct error *error)
{
    struct reader reader = reader_of(record);
    uint8_t version = read_u8(&reader);
    struct state_write parsed = { .expires_ms = (int64_t)read_u64_le(&reader), .is_live = true };
    parsed.name = read_bytes(&reader, read_u16_le(&reader));
    parsed.value = read_rest(&reader);
    if (reader.failed || version != RECORD_VERSION || parsed.expires_ms < 0 ||
        parsed.name.size == 0 || parsed.name.size > KV_NAME_SIZE_MAX ||
        parsed.value.size > KV_VALUE_SIZE_MAX)
        return error_set(error, ERROR_CORRUPT, "a record of the state has the wrong form");
    *write = parsed;
    return true;
}

void head_write(struct buffer *record, const struct state_head *head)
{
    uint8_t data[1 + 8 + 8 + 32];
    struct writer writer = writer_into(data, sizeof(data));
    write_u8(&writer, RECORD_VERSION);
    write_u64_le(&writer, head->revision);
    write_u64_le(&writer, (uint64_t)head->clock_ms);
    write_bytes(&writer, BYTES_OF(head->digest.bytes));
    buffer_append(record, writer_view(&writer));
}

bool head_read(struct bytes record, struct state_head *head, struct error *error)
{
    struct reader reader = reader_of(record);
    struct state_head parsed = { .revision = 0 };
    uint8_t version = read_u8(&reader);
    parsed.revision = read_u64_le(&reader);
    parsed.clock_ms = (int64_t)read_u64_le(&reader);
    read_into(&reader, parsed.digest.bytes, sizeof(parsed.digest.bytes));
    if (!read_end(&reader) || version != RECORD_VERSION || parsed.clock_ms < 0)
        return error_set(error, ERROR_CORRUPT, "the state's head has the wrong form");
    *head = parsed;
    return true;
}
