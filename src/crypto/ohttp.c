/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ohttp.h"

#include "core/reader.h"
#include "core/writer.h"
#include "crypto/limits.h"
#include "crypto/mac.h"
#include "crypto/random.h"

#include <string.h>

static const enum aead_kind kinds[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                        AEAD_CHACHA20_POLY1305 };

void ohttp_exchange_done(struct ohttp_exchange *exchange)
{
    secret_wipe(exchange, sizeof(*exchange));
}

void ohttp_keys_write(uint8_t text[OHTTP_KEYS_SIZE], const struct ohttp_key *key)
{
    struct writer writer = writer_into(text, OHTTP_KEYS_SIZE);
    write_u16_be(&writer, OHTTP_KEYS_SIZE - 2);
    write_u8(&writer, key->id);
    write_u16_be(&writer, HPKE_KEM_X25519);
    write_bytes(&writer, BYTES_OF(key->public_key.bytes));
    write_u16_be(&writer, (uint16_t)(4 * ARRAY_COUNT(kinds)));
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        write_u16_be(&writer, HPKE_KDF_SHA256);
        write_u16_be(&writer, hpke_aead_id(kinds[i]));
    }
    ASSERT(!writer.failed && writer.size == OHTTP_KEYS_SIZE);
}

/* ---- requests (section 4.3) ---- */

static void write_head(struct writer *writer, uint8_t key_id, enum aead_kind aead)
{
    write_u8(writer, key_id);
    write_u16_be(writer, HPKE_KEM_X25519);
    write_u16_be(writer, HPKE_KDF_SHA256);
    write_u16_be(writer, hpke_aead_id(aead));
}

/* "message/bhttp request", a zero, the head */
static struct bytes info_of(uint8_t space[64], uint8_t key_id, enum aead_kind aead)
{
    struct writer writer = writer_into(space, 64);
    write_bytes(&writer, BYTES_LITERAL("message/bhttp request"));
    write_u8(&writer, 0);
    write_head(&writer, key_id, aead);
    return writer_view(&writer);
}

/* The size of a key and of a nonce, whichever is larger. */
static size_t entropy_size(enum aead_kind aead)
{
    return MAX(aead_key_size(aead), (size_t)AEAD_NONCE_SIZE);
}

static void exchange_fill(struct ohttp_exchange *exchange, const struct hpke_context *context,
                          const struct x25519_public *encapsulated)
{
    *exchange = (struct ohttp_exchange){ .aead = context->aead, .encapsulated = *encapsulated };
    hpke_export(exchange->exported, entropy_size(context->aead), context,
                BYTES_LITERAL("message/bhttp response"));
}

bool ohttp_request_seal(struct buffer *sealed, struct ohttp_exchange *exchange,
                        const struct ohttp_key *key, enum aead_kind aead, struct bytes plain,
                        struct error *error)
{
    uint8_t space[64], head[OHTTP_HEAD_SIZE];
    struct writer writer = writer_into(head, sizeof(head));
    struct hpke_setup setup = { .aead = aead, .info = info_of(space, key->id, aead) };
    struct x25519_public encapsulated;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    if (!hpke_setup_sender(&context, &encapsulated, &setup, &key->public_key, error))
        return false;
    write_head(&writer, key->id, aead);
    buffer_append(sealed, writer_view(&writer));
    buffer_append(sealed, BYTES_OF(encapsulated.bytes));
    uint8_t *target = buffer_reserve(sealed, plain.size + AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "no room for a sealed request of %zu bytes",
                         plain.size);
    if (!hpke_seal(&context, target, plain, (struct bytes){ 0 }, error))
        return false;
    sealed->size += plain.size + AEAD_TAG_SIZE;
    exchange_fill(exchange, &context, &encapsulated);
    return true;
}

bool ohttp_request_parse(struct ohttp_request *request, struct bytes sealed, struct error *error)
{
    struct ohttp_request read;
    struct reader reader = reader_of(sealed);
    read.key_id = read_u8(&reader);
    uint16_t kem = read_u16_be(&reader), kdf = read_u16_be(&reader), aead = read_u16_be(&reader);
    read_into(&reader, read.encapsulated.bytes, sizeof(read.encapsulated.bytes));
    read.ciphertext = read_rest(&reader);
    if (reader.failed || read.ciphertext.size < AEAD_TAG_SIZE)
        return error_set(error, ERROR_INVALID, "the sealed request is cut off");
    if (kem != HPKE_KEM_X25519 || kdf != HPKE_KDF_SHA256 || !hpke_aead_of_id(&read.aead, aead))
        return error_set(error, ERROR_UNSUPPORTED,
                         "the sealed request is of algorithms %u, %u, %u, which there are not", kem,
                         kdf, aead);
    *request = read;
    return true;
}

bool ohttp_context_make(struct hpke_context *context, uint8_t key_id, enum aead_kind aead,
                        const struct x25519_public *encapsulated,
                        const struct secret32 *private_key, struct error *error)
{
    uint8_t space[64];
    struct hpke_setup setup = { .aead = aead, .info = info_of(space, key_id, aead) };
    return hpke_setup_recipient(context, &setup, encapsulated, private_key, error);
}

bool ohttp_request_open(struct buffer *plain, struct ohttp_exchange *exchange,
                        const struct ohttp_request *request, struct hpke_context *context,
                        struct error *error)
{
    size_t size = request->ciphertext.size - AEAD_TAG_SIZE;
    uint8_t *target = buffer_reserve(plain, size);
    if (target == NULL && size > 0)
        return error_set(error, ERROR_LIMIT, "no room for a request of %zu bytes", size);
    if (!hpke_open(context, target, request->ciphertext, (struct bytes){ 0 }, error))
        return error_set(error, ERROR_UNVERIFIED, "the sealed request does not open");
    plain->size += size;
    exchange_fill(exchange, context, &request->encapsulated);
    return true;
}

/* ---- responses (section 4.4) ---- */

static void response_keys(struct secret32 *key, struct aead_nonce *nonce,
                          const struct ohttp_exchange *exchange, const uint8_t *response_nonce)
{
    size_t size = entropy_size(exchange->aead);
    uint8_t salt[32 + 32];
    memcpy(salt, exchange->encapsulated.bytes, 32);
    memcpy(salt + 32, response_nonce, size);
    struct digest32 extracted =
        hmac_sha256(bytes_of(salt, 32 + size), bytes_of(exchange->exported, size));
    *key = (struct secret32){ 0 };
    hkdf_expand_sha256(key->bytes, aead_key_size(exchange->aead), &extracted, BYTES_LITERAL("key"));
    hkdf_expand_sha256(nonce->bytes, sizeof(nonce->bytes), &extracted, BYTES_LITERAL("nonce"));
    secret_wipe(&extracted, sizeof(extracted));
}

bool ohttp_response_seal_with(struct buffer *sealed, const struct ohttp_exchange *exchange,
                              struct bytes plain, const uint8_t *response_nonce,
                              struct error *error)
{
    AUTO_SECRET32 struct secret32 key;
    struct aead_nonce nonce;
    response_keys(&key, &nonce, exchange, response_nonce);
    buffer_append(sealed, bytes_of(response_nonce, entropy_size(exchange->aead)));
    uint8_t *target = buffer_reserve(sealed, plain.size + AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "no room for a sealed response of %zu bytes",
                         plain.size);
    if (!aead_seal_as(target, exchange->aead, &key, &nonce, plain, (struct bytes){ 0 }, error))
        return false;
    sealed->size += plain.size + AEAD_TAG_SIZE;
    return true;
}

bool ohttp_response_seal(struct buffer *sealed, const struct ohttp_exchange *exchange,
                         struct bytes plain, struct error *error)
{
    uint8_t nonce[32];
    random_bytes(nonce, sizeof(nonce));
    return ohttp_response_seal_with(sealed, exchange, plain, nonce, error);
}

bool ohttp_response_open(struct buffer *plain, const struct ohttp_exchange *exchange,
                         struct bytes sealed, struct error *error)
{
    size_t head = entropy_size(exchange->aead);
    AUTO_SECRET32 struct secret32 key;
    struct aead_nonce nonce;
    if (sealed.size < head + AEAD_TAG_SIZE)
        return error_set(error, ERROR_INVALID, "the sealed response is cut off");
    size_t size = sealed.size - head - AEAD_TAG_SIZE;
    uint8_t *target = buffer_reserve(plain, size);
    if (target == NULL && size > 0)
        return error_set(error, ERROR_LIMIT, "no room for a response of %zu bytes", size);
    response_keys(&key, &nonce, exchange, sealed.data);
    if (!aead_open_as(target, exchange->aead, &key, &nonce, bytes_part(sealed, head, sealed.size),
                      (struct bytes){ 0 }, error))
        return error_set(error, ERROR_UNVERIFIED, "the sealed response does not open");
    plain->size += size;
    return true;
}
