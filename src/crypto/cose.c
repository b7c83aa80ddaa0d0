/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cose.h"

#include "crypto/hash.h"
#include "crypto/limits.h"

#include <string.h>

enum {
    TAG_SIGN1 = 18,
    LABEL_ALGORITHM = 1,
    LABEL_CRITICAL = 2,
    LABEL_CONTENT_TYPE = 3,
    LABEL_KEY_ID = 4,
    HEAD_SIZE_MAX = 9 /* of a CBOR item before its content */
};

static bool refuse(enum cose_fault *fault, enum cose_fault what, struct error *error,
                   const char *text)
{
    *fault = what;
    return error_set(error, ERROR_INVALID, "COSE message: %s", text);
}

/* The next label as it is encoded; *number is 0 for a text. */
static struct bytes read_label(struct reader *reader, int64_t *number)
{
    const uint8_t *start = reader->at;
    *number = 0;
    if (cbor_peek(reader) == CBOR_TEXT)
        cbor_read_text(reader);
    else
        *number = cbor_read_integer(reader);
    return bytes_of(start, (size_t)(reader->at - start));
}

/* Whether a map, whose head was read, has this label. */
static bool has_label(struct reader map, size_t count, struct bytes label)
{
    for (size_t i = 0; i < count && !map.failed; i++) {
        int64_t number;
        if (bytes_equal(read_label(&map, &number), label))
            return true;
        cbor_read_item(&map);
    }
    return false;
}

/* The labels that must be understood, each of which must be protected (RFC 9052 section 3.1). */
static void read_critical(struct reader *reader, struct reader map, size_t count)
{
    size_t labels = cbor_read_array(reader, COSE_HEADER_COUNT_MAX);
    if (labels == 0)
        reader_fail(reader);
    for (size_t i = 0; i < labels; i++) {
        int64_t number;
        struct bytes label = read_label(reader, &number);
        if (number < LABEL_ALGORITHM || number > LABEL_KEY_ID || !has_label(map, count, label))
            reader_fail(reader);
    }
}

/* The headers of one map that mean something here.  Fails the reader on wrong types. */
static void read_headers(struct cose_sign1 *message, struct reader *reader, size_t count,
                         bool is_protected)
{
    struct reader map = *reader;
    for (size_t i = 0; i < count; i++) {
        int64_t label;
        read_label(reader, &label);
        bool is_text = cbor_peek(reader) == CBOR_TEXT;
        if (label == LABEL_ALGORITHM && is_protected) {
            message->has_algorithm = true;
            if (is_text)
                cbor_read_text(reader);
            else
                message->algorithm = cbor_read_integer(reader);
        } else if (label == LABEL_CRITICAL) {
            read_critical(reader, map, count);
            if (!is_protected)
                reader_fail(reader);
        } else if (label == LABEL_CONTENT_TYPE && !is_text) {
            cbor_read_unsigned(reader);
        } else if (label == LABEL_KEY_ID) {
            message->has_key_id = true;
            message->key_id = cbor_read_bytes(reader);
        } else {
            cbor_read_item(reader);
        }
    }
}

static bool read_protected(struct cose_sign1 *message, enum cbor_order order, struct reader *map)
{
    *map = reader_of(message->protected_part);
    if (message->protected_part.size == 0)
        return true;
    *map = cbor_reader_of(message->protected_part, order);
    message->protected_count = cbor_read_map(map, COSE_HEADER_COUNT_MAX);
    struct reader reader = *map;
    read_headers(message, &reader, message->protected_count, true);
    return read_end(&reader);
}

bool cose_sign1_parse(struct cose_sign1 *message, struct bytes source, enum cbor_order order,
                      enum cose_fault *fault, struct error *error)
{
    struct bytes first = cbor_first(source, order);
    if (first.size == 0)
        return refuse(fault, COSE_FAULT_FORMAT, error, "not CBOR in its one form");
    if (first.size != source.size)
        return refuse(fault, COSE_FAULT_TRAILING_DATA, error, "bytes behind it");
    struct cose_sign1 parsed = { .is_tagged = false };
    struct reader reader = reader_of(first);
    if (cbor_peek(&reader) == CBOR_TAG) {
        parsed.is_tagged = true;
        if (cbor_read_tag(&reader) != TAG_SIGN1)
            return refuse(fault, COSE_FAULT_FORMAT, error, "another tag than 18");
    }
    if (cbor_read_array(&reader, 4) != 4)
        return refuse(fault, COSE_FAULT_FORMAT, error, "not an array of four");
    parsed.protected_part = cbor_read_bytes(&reader);
    struct reader protected_map;
    if (reader.failed || !read_protected(&parsed, order, &protected_map))
        return refuse(fault, COSE_FAULT_FORMAT, error, "protected headers");
    parsed.unprotected_count = cbor_read_map(&reader, COSE_HEADER_COUNT_MAX);
    struct reader unprotected_map = reader;
    read_headers(&parsed, &reader, parsed.unprotected_count, false);
    if (reader.failed)
        return refuse(fault, COSE_FAULT_FORMAT, error, "unprotected headers");
    for (size_t i = 0; i < parsed.unprotected_count; i++) {
        int64_t number;
        if (has_label(protected_map, parsed.protected_count, read_label(&unprotected_map, &number)))
            return refuse(fault, COSE_FAULT_FORMAT, error, "a header is in both maps");
        cbor_read_item(&unprotected_map);
    }
    parsed.payload = cbor_read_bytes(&reader);
    parsed.signature = cbor_read_bytes(&reader);
    if (!read_end(&reader))
        return refuse(fault, COSE_FAULT_FORMAT, error, "payload or signature");
    *message = parsed;
    return true;
}

/* Hashes the Sig_structure of section 4.4 without laying it out. */
static struct hash *hash_message(enum hash_kind kind, struct bytes protected_part,
                                 struct bytes external, struct bytes payload)
{
    struct hash *hash = hash_new(kind);
    const struct bytes parts[] = { protected_part, external, payload };
    uint8_t head[2 * HEAD_SIZE_MAX];
    struct writer writer = writer_into(head, sizeof(head));
    cbor_write_array(&writer, 4);
    cbor_write_text(&writer, BYTES_LITERAL("Signature1"));
    hash_update(hash, writer_view(&writer));
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        writer = writer_into(head, sizeof(head));
        cbor_write_bytes_head(&writer, parts[i].size);
        hash_update(hash, writer_view(&writer));
        hash_update(hash, parts[i]);
    }
    return hash;
}

bool cose_sign1_verify(const struct cose_sign1 *message, const struct public_key *key,
                       struct bytes external, struct error *error)
{
    bool is_p256 = key->kind == PUBLIC_KEY_P256 && message->algorithm == COSE_ES256;
    bool is_p384 = key->kind == PUBLIC_KEY_P384 && message->algorithm == COSE_ES384;
    struct ecdsa_signature p256;
    struct ecdsa384_signature p384;
    size_t size = is_p256 ? sizeof(p256.bytes) : sizeof(p384.bytes);
    if (!message->has_algorithm || (!is_p256 && !is_p384) || message->signature.size != size)
        return error_set(error, ERROR_UNVERIFIED, "signature is not of this key's kind");
    AUTO(hash)
    struct hash *hash = hash_message(is_p256 ? HASH_SHA256 : HASH_SHA384, message->protected_part,
                                     external, message->payload);
    if (is_p256) {
        struct digest32 digest = hash_finish32(hash);
        memcpy(p256.bytes, message->signature.data, sizeof(p256.bytes));
        return ecdsa_verify(&key->p256, &digest, &p256, error);
    }
    struct digest48 digest = hash_finish48(hash);
    memcpy(p384.bytes, message->signature.data, sizeof(p384.bytes));
    return ecdsa384_verify(&key->p384, &digest, &p384, error);
}

bool cose_sign1_sign(struct buffer *message, struct bytes payload, struct bytes external,
                     struct bytes key_id, const struct ecdsa_key *key, struct error *error)
{
    static const uint8_t protected_part[] = { 0xa1, LABEL_ALGORITHM, 0x20 | (-1 - COSE_ES256) };
    AUTO(hash)
    struct hash *hash = hash_message(HASH_SHA256, BYTES_OF(protected_part), external, payload);
    struct digest32 digest = hash_finish32(hash);
    struct ecdsa_signature signature;
    if (!ecdsa_sign(&signature, key, &digest, error))
        return false;
    size_t size_max = payload.size + key_id.size + sizeof(signature.bytes) + 8 * HEAD_SIZE_MAX;
    uint8_t *space = buffer_reserve(message, size_max);
    if (space == NULL)
        return error_set(error, ERROR_LIMIT, "COSE message is too large");
    struct writer writer = writer_into(space, size_max);
    cbor_write_tag(&writer, TAG_SIGN1);
    cbor_write_array(&writer, 4);
    cbor_write_bytes(&writer, BYTES_OF(protected_part));
    cbor_write_map(&writer, key_id.size == 0 ? 0 : 1);
    if (key_id.size != 0) {
        cbor_write_unsigned(&writer, LABEL_KEY_ID);
        cbor_write_bytes(&writer, key_id);
    }
    cbor_write_bytes(&writer, payload);
    cbor_write_bytes(&writer, BYTES_OF(signature.bytes));
    ASSERT(!writer.failed);
    message->size += writer.size;
    return true;
}
