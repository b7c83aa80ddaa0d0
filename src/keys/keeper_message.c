/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keeper_message.h"

#include "core/checked.h"
#include "core/reader.h"
#include "core/writer.h"

#include <string.h>

void endorse_request_write(struct buffer *payload, const struct endorse_request *request)
{
    uint8_t data[ENDORSE_REQUEST_SIZE];
    struct writer writer = writer_into(data, sizeof(data));
    write_bytes(&writer, BYTES_OF(request->receipt_key.bytes));
    write_bytes(&writer, BYTES_OF(request->tls_key.bytes));
    write_u64_le(&writer, (uint64_t)request->validity.not_before_s);
    write_u64_le(&writer, (uint64_t)request->validity.not_after_s);
    buffer_append(payload, writer_view(&writer));
}

bool endorse_request_read(struct endorse_request *request, struct bytes payload,
                          struct error *error)
{
    struct reader reader = reader_of(payload);
    struct endorse_request parsed;
    read_into(&reader, parsed.receipt_key.bytes, sizeof(parsed.receipt_key.bytes));
    read_into(&reader, parsed.tls_key.bytes, sizeof(parsed.tls_key.bytes));
    bool fits = narrow_fits(read_u64_le(&reader), &parsed.validity.not_before_s);
    fits = narrow_fits(read_u64_le(&reader), &parsed.validity.not_after_s) && fits;
    if (!read_end(&reader) || !fits)
        return error_set(error, ERROR_INVALID, "not a request to endorse");
    *request = parsed;
    return true;
}

void evidence_request_write(struct buffer *payload, const struct evidence_request *request)
{
    buffer_append(payload, BYTES_OF(request->keyset.bytes));
    buffer_append(payload, BYTES_OF(request->nonce.bytes));
}

bool evidence_request_read(struct evidence_request *request, struct bytes payload,
                           struct error *error)
{
    struct reader reader = reader_of(payload);
    struct evidence_request parsed;
    read_into(&reader, parsed.keyset.bytes, sizeof(parsed.keyset.bytes));
    read_into(&reader, parsed.nonce.bytes, sizeof(parsed.nonce.bytes));
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "not a request for evidence");
    *request = parsed;
    return true;
}

void append_request_write(struct buffer *payload, const char *kind, const char *details)
{
    buffer_append(payload, bytes_of(kind, strlen(kind) + 1));
    buffer_append_string(payload, details);
}

bool append_request_read(struct append_request *request, struct bytes payload, struct error *error)
{
    struct append_request parsed = { 0 };
    size_t end = bytes_find(payload, 0);
    struct bytes details = bytes_part(payload, end + 1, payload.size);
    if (end == 0 || end >= payload.size || end > EVENT_KIND_SIZE_MAX || details.size == 0 ||
        details.size > EVENT_SIZE_MAX || bytes_find(details, 0) != details.size)
        return error_set(error, ERROR_INVALID, "not a request to append an event");
    memcpy(parsed.kind, payload.data, end);
    memcpy(parsed.details, details.data, details.size);
    *request = parsed;
    return true;
}

void seal_request_write(struct buffer *payload, const struct seal_request *request)
{
    uint8_t data[2 + STORE_SPACE_SIZE_MAX + 4];
    struct writer writer = writer_into(data, sizeof(data));
    struct bytes space = bytes_of_string(request->space);
    write_u16_le(&writer, (uint16_t)space.size);
    write_bytes(&writer, space);
    write_u32_le(&writer, (uint32_t)request->associated.size);
    ASSERT(!writer.failed);
    buffer_append(payload, writer_view(&writer));
    buffer_append(payload, request->associated);
    buffer_append(payload, request->body);
}

bool seal_request_read(struct seal_request *request, struct bytes payload, struct error *error)
{
    struct reader reader = reader_of(payload);
    struct seal_request parsed = { 0 };
    struct bytes space =
        read_bytes(&reader, read_count(&reader, read_u16_le(&reader), STORE_SPACE_SIZE_MAX, 1));
    parsed.associated = read_bytes(
        &reader, read_count(&reader, read_u32_le(&reader), STORE_ASSOCIATED_SIZE_MAX, 1));
    parsed.body = read_rest(&reader);
    if (reader.failed || space.size == 0 || bytes_find(space, 0) != space.size ||
        parsed.body.size > KEEPER_SEAL_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "not a request to seal or open");
    memcpy(parsed.space, space.data, space.size);
    *request = parsed;
    return true;
}

void unseal_request_write(struct buffer *payload, const struct unseal_request *request)
{
    uint8_t text[UNSEAL_REQUEST_SIZE];
    struct writer writer = writer_into(text, sizeof(text));
    write_u64_le(&writer, (uint64_t)request->not_before_s);
    write_u8(&writer, request->key_id);
    write_u16_le(&writer, hpke_aead_id(request->aead));
    write_bytes(&writer, BYTES_OF(request->encapsulated.bytes));
    buffer_append(payload, writer_view(&writer));
}

bool unseal_request_read(struct unseal_request *request, struct bytes payload, struct error *error)
{
    struct reader reader = reader_of(payload);
    struct unseal_request read = { .not_before_s = (int64_t)read_u64_le(&reader),
                                   .key_id = read_u8(&reader) };
    uint16_t aead = read_u16_le(&reader);
    read_into(&reader, read.encapsulated.bytes, sizeof(read.encapsulated.bytes));
    if (!read_end(&reader) || !hpke_aead_of_id(&read.aead, aead))
        return error_set(error, ERROR_INVALID, "malformed unseal request");
    *request = read;
    return true;
}

static void text_write(struct writer *writer, const char *text)
{
    struct bytes bytes = bytes_of_string(text);
    write_u16_le(writer, (uint16_t)bytes.size);
    write_bytes(writer, bytes);
}

static void place_write(struct writer *writer, const struct secret_place *place)
{
    text_write(writer, place->application);
    text_write(writer, place->name);
    write_bytes(writer, BYTES_OF(place->owner.bytes));
    write_u64_le(writer, place->version);
}

/* A NUL inside is no text. */
static void text_read(struct reader *reader, char *text, size_t size_max)
{
    struct bytes bytes =
        read_bytes(reader, read_count(reader, read_u16_le(reader), (uint32_t)size_max, 1));
    if (reader->failed || bytes_find(bytes, 0) != bytes.size) {
        reader->failed = true;
        return;
    }
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
}

static void place_read(struct reader *reader, struct secret_place *place)
{
    text_read(reader, place->application, KEYS_NAME_SIZE_MAX);
    text_read(reader, place->name, SECRET_NAME_SIZE_MAX);
    read_into(reader, place->owner.bytes, sizeof(place->owner.bytes));
    place->version = read_u64_le(reader);
}

void admit_request_write(struct buffer *payload, const struct admit_request *request)
{
    uint8_t head[PLACE_SIZE_MAX + 8];
    struct writer writer = writer_into(head, sizeof(head));
    place_write(&writer, &request->place);
    write_u64_le(&writer, (uint64_t)request->not_before_s);
    ASSERT(!writer.failed);
    buffer_append(payload, writer_view(&writer));
    buffer_append(payload, request->envelope);
}

bool admit_request_read(struct admit_request *request, struct bytes payload, struct error *error)
{
    struct reader reader = reader_of(payload);
    struct admit_request parsed = { 0 };
    place_read(&reader, &parsed.place);
    bool fits = narrow_fits(read_u64_le(&reader), &parsed.not_before_s);
    parsed.envelope = read_rest(&reader);
    if (reader.failed || !fits)
        return error_set(error, ERROR_INVALID, "not a request to take a secret");
    *request = parsed;
    return true;
}

void release_request_write(struct buffer *payload, const struct release_request *request)
{
    uint8_t head[PLACE_SIZE_MAX + 32];
    struct writer writer = writer_into(head, sizeof(head));
    place_write(&writer, &request->place);
    write_bytes(&writer, BYTES_OF(request->receiver.bytes));
    ASSERT(!writer.failed);
    buffer_append(payload, writer_view(&writer));
    buffer_append(payload, request->sealed);
}

bool release_request_read(struct release_request *request, struct bytes payload,
                          struct error *error)
{
    struct reader reader = reader_of(payload);
    struct release_request parsed = { 0 };
    place_read(&reader, &parsed.place);
    read_into(&reader, parsed.receiver.bytes, sizeof(parsed.receiver.bytes));
    parsed.sealed = read_rest(&reader);
    if (reader.failed)
        return error_set(error, ERROR_INVALID, "not a request for a secret");
    *request = parsed;
    return true;
}

static void part_write(struct buffer *payload, struct bytes part)
{
    uint8_t size[4];
    struct writer writer = writer_into(size, sizeof(size));
    write_u32_le(&writer, (uint32_t)part.size);
    buffer_append(payload, BYTES_OF(size));
    buffer_append(payload, part);
}

static struct bytes part_read(struct reader *reader)
{
    return read_bytes(reader, read_count(reader, read_u32_le(reader), KEY_MESSAGE_SIZE_MAX, 1));
}

void key_request_write(struct buffer *payload, const struct key_use *use)
{
    uint8_t head[3 + 4 + 2 + KEYS_NAME_SIZE_MAX + 2 + KEY_PATH_SIZE_MAX + 64];
    struct writer writer = writer_into(head, sizeof(head));
    write_u8(&writer, (uint8_t)use->operation);
    write_u8(&writer, (uint8_t)use->place.algorithm);
    write_u8(&writer, use->is_digest ? 1 : 0);
    write_u32_le(&writer, use->size);
    text_write(&writer, use->place.application);
    text_write(&writer, use->place.path);
    write_bytes(&writer, BYTES_OF(use->place.owner.bytes));
    write_bytes(&writer, BYTES_OF(use->receiver.bytes));
    ASSERT(!writer.failed);
    buffer_append(payload, writer_view(&writer));
    part_write(payload, use->info);
    part_write(payload, use->encapsulated);
    part_write(payload, use->associated);
    buffer_append(payload, use->message);
}

bool key_request_read(struct key_use *use, struct bytes payload, struct error *error)
{
    struct reader reader = reader_of(payload);
    struct key_use parsed = { 0 };
    uint8_t operation = read_u8(&reader), algorithm = read_u8(&reader);
    uint8_t is_digest = read_u8(&reader);
    parsed.size = read_u32_le(&reader);
    text_read(&reader, parsed.place.application, KEYS_NAME_SIZE_MAX);
    text_read(&reader, parsed.place.path, KEY_PATH_SIZE_MAX);
    read_into(&reader, parsed.place.owner.bytes, sizeof(parsed.place.owner.bytes));
    read_into(&reader, parsed.receiver.bytes, sizeof(parsed.receiver.bytes));
    parsed.info = part_read(&reader);
    parsed.encapsulated = part_read(&reader);
    parsed.associated = part_read(&reader);
    parsed.message = read_rest(&reader);
    if (reader.failed || operation > KEY_USE_OPEN || is_digest > 1 ||
        !key_algorithm_of_number(&parsed.place.algorithm, algorithm))
        return error_set(error, ERROR_INVALID, "not a request for the use of a key");
    parsed.operation = (enum key_operation)operation;
    parsed.is_digest = is_digest == 1;
    *use = parsed;
    return true;
}
