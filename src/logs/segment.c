/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/segment.h"

#include "base/secret.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/random.h"

#include <inttypes.h>
#include <string.h>

enum {
    SEGMENT_VERSION = 1
};
static const struct hpke_setup setup = { .aead = AEAD_AES_256_GCM,
                                         .info = BYTES_LITERAL("s3n/log/1") };

struct digest32 log_stream_of(const char *application, const struct digest32 *owner)
{
    uint8_t text[16 + 32 + LOG_NAME_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    write_bytes(&writer, BYTES_LITERAL("s3n/log/stream/1"));
    write_bytes(&writer, BYTES_OF(owner->bytes));
    write_bytes(&writer, bytes_part(bytes_of_string(application), 0, LOG_NAME_SIZE_MAX));
    return sha256_of(writer_view(&writer));
}

static void head_write(struct writer *writer, const struct log_segment_head *head, size_t readers)
{
    write_u32_le(writer, LOG_SEGMENT_MAGIC);
    write_u16_le(writer, SEGMENT_VERSION);
    write_u16_le(writer, (uint16_t)readers);
    write_bytes(writer, BYTES_OF(head->stream.bytes));
    write_u64_le(writer, head->number);
    write_bytes(writer, BYTES_OF(head->previous.bytes));
    write_u64_le(writer, (uint64_t)head->first_ms);
    write_u64_le(writer, (uint64_t)head->last_ms);
}

static bool reader_write(struct writer *writer, const struct ecdsa_public *reader,
                         const struct secret32 *content, struct bytes head, struct error *error)
{
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    struct digest32 id = ecdsa_public_id(reader);
    struct ecdsa_public encapsulated;
    uint8_t sealed[sizeof(content->bytes) + AEAD_TAG_SIZE];
    if (!hpke_p256_setup_sender(&context, &encapsulated, &setup, reader, error) ||
        !hpke_seal(&context, sealed, BYTES_OF(content->bytes), head, error))
        return false;
    write_bytes(writer, BYTES_OF(id.bytes));
    write_bytes(writer, BYTES_OF(encapsulated.bytes));
    write_bytes(writer, BYTES_OF(sealed));
    return true;
}

bool log_segment_seal(struct buffer *target, const struct log_segment_head *head,
                      const struct ecdsa_public *readers, size_t reader_count, struct bytes records,
                      struct error *error)
{
    static const struct aead_nonce nonce; /* the key is for one message */
    AUTO_SECRET32 struct secret32 content;
    if (reader_count == 0 || reader_count > LOG_READER_COUNT_MAX ||
        records.size > LOG_SEGMENT_PLAIN_MAX)
        return error_set(error, ERROR_LIMIT, "too large a log segment, or readers %zu",
                         reader_count);
    size_t before = LOG_SEGMENT_HEAD_SIZE + reader_count * LOG_SEGMENT_READER_SIZE;
    size_t size = before + 4 + records.size + AEAD_TAG_SIZE;
    uint8_t *room = buffer_reserve(target, size);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a log segment");
    struct writer writer = writer_into(room, before + 4);
    head_write(&writer, head, reader_count);
    struct bytes head_bytes = bytes_of(room, LOG_SEGMENT_HEAD_SIZE);
    random_secret32(&content);
    for (size_t i = 0; i < reader_count; i++) {
        if (!reader_write(&writer, &readers[i], &content, head_bytes, error))
            return false;
    }
    write_u32_le(&writer, (uint32_t)(records.size + AEAD_TAG_SIZE));
    ASSERT(!writer.failed);
    if (!aead_seal(room + before + 4, &content, &nonce, records, bytes_of(room, before), error))
        return false;
    target->size += size;
    return true;
}

bool log_segment_view(struct log_segment *segment, struct bytes source, struct error *error)
{
    struct reader reader = reader_of(source);
    uint32_t magic = read_u32_le(&reader);
    uint16_t version = read_u16_le(&reader);
    struct log_segment read = { .reader_count = read_u16_le(&reader), .whole = source };
    read_into(&reader, read.head.stream.bytes, sizeof(read.head.stream.bytes));
    read.head.number = read_u64_le(&reader);
    read_into(&reader, read.head.previous.bytes, sizeof(read.head.previous.bytes));
    read.head.first_ms = (int64_t)read_u64_le(&reader);
    read.head.last_ms = (int64_t)read_u64_le(&reader);
    if (magic != LOG_SEGMENT_MAGIC || version != SEGMENT_VERSION || read.reader_count == 0 ||
        read.reader_count > LOG_READER_COUNT_MAX || read.head.number == 0)
        return error_set(error, ERROR_CORRUPT, "not a log segment");
    read.readers = read_bytes(&reader, read.reader_count * LOG_SEGMENT_READER_SIZE);
    read.associated = bytes_part(source, 0, reader_offset(&reader));
    read.sealed = read_bytes(&reader, read_u32_le(&reader));
    if (!read_end(&reader) || read.sealed.size < AEAD_TAG_SIZE ||
        read.sealed.size > LOG_SEGMENT_PLAIN_MAX + (size_t)AEAD_TAG_SIZE)
        return error_set(error, ERROR_CORRUPT, "a log segment does not match its length");
    *segment = read;
    return true;
}

/* The content key, from the entry that is for `key`. */
static bool content_open(struct secret32 *content, const struct log_segment *segment,
                         const struct ecdsa_key *key, struct error *error)
{
    struct reader reader = reader_of(segment->readers);
    struct digest32 wanted = ecdsa_public_id(ecdsa_key_public(key)), id;
    for (size_t i = 0; i < segment->reader_count; i++) {
        AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
        struct ecdsa_public encapsulated;
        read_into(&reader, id.bytes, sizeof(id.bytes));
        read_into(&reader, encapsulated.bytes, sizeof(encapsulated.bytes));
        struct bytes sealed = read_bytes(&reader, sizeof(content->bytes) + AEAD_TAG_SIZE);
        if (!digest32_equal(&id, &wanted))
            continue;
        if (hpke_p256_setup_recipient(&context, &setup, &encapsulated, key, error) &&
            hpke_open(&context, content->bytes, sealed,
                      bytes_part(segment->whole, 0, LOG_SEGMENT_HEAD_SIZE), error))
            return true;
        return error_set(error, ERROR_UNVERIFIED, "log segment %" PRIu64 " was changed",
                         segment->head.number);
    }
    return error_set(error, ERROR_DENIED, "log segment %" PRIu64 " is not sealed to your key",
                     segment->head.number);
}

bool log_segment_open(struct buffer *records, const struct log_segment *segment,
                      const struct ecdsa_key *key, struct error *error)
{
    static const struct aead_nonce nonce;
    AUTO_SECRET32 struct secret32 content;
    size_t size = segment->sealed.size - AEAD_TAG_SIZE;
    if (!content_open(&content, segment, key, error))
        return false;
    uint8_t *room = buffer_reserve(records, MAX(size, (size_t)1));
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    if (!aead_open(room, &content, &nonce, segment->sealed, segment->associated, error))
        return error_set(error, ERROR_UNVERIFIED, "log segment %" PRIu64 " was changed",
                         segment->head.number);
    records->size += size;
    return true;
}

bool log_chain_follow(struct log_chain *chain, const struct log_segment *segment,
                      struct error *error)
{
    const struct log_segment_head *head = &segment->head;
    if (chain->is_begun) {
        if (!digest32_equal(&chain->stream, &head->stream))
            return error_set(error, ERROR_UNVERIFIED,
                             "log segment %" PRIu64 " is another application's", head->number);
        if (head->number != chain->number + 1)
            return error_set(error, ERROR_UNVERIFIED, "log segment %" PRIu64 " is missing",
                             chain->number + 1);
        if (!digest32_equal(&head->previous, &chain->digest))
            return error_set(error, ERROR_UNVERIFIED,
                             "log segment %" PRIu64 " does not follow the one before it",
                             head->number);
    }
    *chain = (struct log_chain){ .is_begun = true,
                                 .stream = head->stream,
                                 .number = head->number,
                                 .digest = sha256_of(segment->whole) };
    return true;
}
