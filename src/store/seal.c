/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal.h"

#include "core/writer.h"

#include <string.h>

enum seal_type {
    SEAL_TYPE_RECORD = 1,
    SEAL_TYPE_CHUNK = 2,
    SEAL_TYPE_INDEX_KEY = 3,
};

struct associated {
    uint8_t data[STORE_ASSOCIATED_SIZE_MAX];
    struct writer writer;
};

static void write_text(struct writer *writer, const char *text)
{
    struct bytes bytes = bytes_of_string(text);
    ASSERT(bytes.size <= UINT16_MAX);
    write_u16_le(writer, (uint16_t)bytes.size);
    write_bytes(writer, bytes);
}

static struct bytes associated_with_record(struct associated *associated, struct store_key key,
                                           uint64_t revision)
{
    associated->writer = writer_into(associated->data, sizeof(associated->data));
    write_u8(&associated->writer, SEAL_TYPE_RECORD);
    write_text(&associated->writer, key.space);
    write_text(&associated->writer, key.key);
    write_u64_le(&associated->writer, revision);
    ASSERT(!associated->writer.failed);
    return writer_view(&associated->writer);
}

static struct bytes associated_with_chunk(struct associated *associated,
                                          const struct chunk_place *place)
{
    associated->writer = writer_into(associated->data, sizeof(associated->data));
    write_u8(&associated->writer, SEAL_TYPE_CHUNK);
    write_bytes(&associated->writer, BYTES_OF(place->digest.bytes));
    write_u64_le(&associated->writer, place->blob_size);
    write_u64_le(&associated->writer, place->index);
    write_u64_le(&associated->writer, place->count);
    return writer_view(&associated->writer);
}

bool record_seal(const struct sealer *sealer, struct store_key key, uint64_t revision,
                 struct bytes value, struct buffer *sealed, struct error *error)
{
    struct associated associated;
    return sealer->seal(sealer->context, key.space,
                        associated_with_record(&associated, key, revision), value, sealed, error);
}

bool record_open(const struct sealer *sealer, struct store_key key, uint64_t revision,
                 struct bytes sealed, struct buffer *value, struct error *error)
{
    struct associated associated;
    return sealer->open(sealer->context, key.space,
                        associated_with_record(&associated, key, revision), sealed, value, error);
}

bool chunk_seal(const struct sealer *sealer, const struct chunk_place *place, struct bytes part,
                struct buffer *sealed, struct error *error)
{
    struct associated associated;
    return sealer->seal(sealer->context, STORE_SPACE_BLOBS,
                        associated_with_chunk(&associated, place), part, sealed, error);
}

bool chunk_open(const struct sealer *sealer, const struct chunk_place *place, struct bytes sealed,
                struct buffer *part, struct error *error)
{
    struct associated associated;
    return sealer->open(sealer->context, STORE_SPACE_BLOBS,
                        associated_with_chunk(&associated, place), sealed, part, error);
}

bool index_key_seal(const struct sealer *sealer, struct bytes key, struct buffer *sealed,
                    struct error *error)
{
    uint8_t type = SEAL_TYPE_INDEX_KEY;
    return sealer->seal(sealer->context, STORE_SPACE_HEAD, bytes_of(&type, 1), key, sealed, error);
}

bool index_key_open(const struct sealer *sealer, struct bytes sealed, struct buffer *key,
                    struct error *error)
{
    uint8_t type = SEAL_TYPE_INDEX_KEY;
    return sealer->open(sealer->context, STORE_SPACE_HEAD, bytes_of(&type, 1), sealed, key, error);
}
