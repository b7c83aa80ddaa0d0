/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwe.h"

#include "core/json_reader.h"
#include "core/writer.h"
#include "crypto/aead.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/jwe_key.h"
#include "crypto/limits.h"
#include "crypto/openssl.h"

#include <stdlib.h>
#include <string.h>

enum {
    WRAPPED_SIZE_MAX = 512, /* an RSA block, or a wrapped key */
    WRAP_OVERHEAD = 8,      /* RFC 3394 */
    OTHER_INFO_SIZE_MAX = 256
};

static void cipher_release(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}
#define AUTO_CIPHER __attribute__((cleanup(cipher_release)))
static void memory_release(uint8_t **memory)
{
    free(*memory);
}
#define AUTO_MEMORY __attribute__((cleanup(memory_release)))

/* The message's parts, as text. */
struct parts {
    struct bytes header, wrapped, nonce, content, tag;
    struct bytes associated; /* "aad"; empty when it is not there */
};

struct header {
    enum aead_kind content;
    uint8_t x[JWE_COORDINATE_MAX], y[JWE_COORDINATE_MAX]; /* "epk" */
    uint8_t producer[JWE_PARTY_SIZE_MAX], consumer[JWE_PARTY_SIZE_MAX];
    size_t producer_size, consumer_size; /* "apu", "apv" */
    bool has_algorithm, has_content, has_point;
};

/* ---- what the message says ---- */

static bool parts_of_compact(struct parts *parts, struct bytes text)
{
    struct bytes *const targets[] = { &parts->header, &parts->wrapped, &parts->nonce,
                                      &parts->content, &parts->tag };
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        size_t end = bytes_find(text, '.');
        *targets[i] = bytes_part(text, 0, end);
        if ((end == text.size) != (i == ARRAY_COUNT(targets) - 1))
            return false;
        text = bytes_part(text, end + 1, text.size);
    }
    return true;
}

static bool parts_of_json(struct parts *parts, struct bytes text)
{
    static const char *const refused[] = { "header", "unprotected", "recipients" };
    const struct {
        const char *name;
        struct bytes *target;
    } rows[] = { { "protected", &parts->header }, { "encrypted_key", &parts->wrapped },
                 { "iv", &parts->nonce },         { "ciphertext", &parts->content },
                 { "tag", &parts->tag },          { "aad", &parts->associated } };
    struct json_reader json;
    struct json_text name;
    json_reader_init(&json, text);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        size_t row = 0;
        for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
            if (json_text_equal(name, refused[i]))
                json_reader_fail(&json);
        }
        while (row < ARRAY_COUNT(rows) && !json_text_equal(name, rows[row].name))
            row++;
        if (row == ARRAY_COUNT(rows)) {
            json_skip(&json);
            continue;
        }
        /* base64url needs no escapes; one that is there decodes to nothing */
        *rows[row].target = json_read_string(&json).raw;
    }
    return json_read_end(&json);
}

static void read_base64url(struct json_reader *json, void *target, size_t capacity, size_t *size)
{
    struct json_text text = json_read_string(json);
    if (text.has_escapes || !base64url_decode(target, capacity, size, text.raw))
        json_reader_fail(json);
}

/* A coordinate has exactly its size, leading zeros included. */
static void read_coordinate(struct json_reader *json, uint8_t *target, size_t expected)
{
    size_t size = 0;
    read_base64url(json, target, expected, &size);
    if (size != expected)
        json_reader_fail(json);
}

static void read_point(struct json_reader *json, struct header *header, const struct jwe_key *key)
{
    const struct jwe_curve *curve = jwe_key_curve(key);
    bool has_type = false, has_curve = false, has_x = false, has_y = false;
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "kty")) {
            has_type = json_text_equal(json_read_string(json), "EC");
        } else if (json_text_equal(name, "crv")) {
            has_curve = json_text_equal(json_read_string(json), curve->name);
        } else if (json_text_equal(name, "x")) {
            read_coordinate(json, header->x, curve->coordinate);
            has_x = true;
        } else if (json_text_equal(name, "y")) {
            read_coordinate(json, header->y, curve->coordinate);
            has_y = true;
        } else {
            json_skip(json);
        }
    }
    header->has_point = has_type && has_curve && has_x && has_y;
    if (!header->has_point)
        json_reader_fail(json);
}

static void read_content(struct json_reader *json, struct header *header)
{
    struct json_text text = json_read_string(json);
    bool is_short = json_text_equal(text, "A128GCM");
    if (!is_short && !json_text_equal(text, "A256GCM"))
        json_reader_fail(json);
    header->content = is_short ? AEAD_AES_128_GCM : AEAD_AES_256_GCM;
    header->has_content = true;
}

static void read_parameter(struct json_reader *json, struct json_text name, struct header *header,
                           const struct jwe_key *key)
{
    bool agrees = jwe_key_kind(key) != JWE_RSA;
    if (json_text_equal(name, "alg")) {
        header->has_algorithm =
            json_text_equal(json_read_string(json), jwe_algorithm_name(jwe_key_algorithm(key)));
    } else if (json_text_equal(name, "enc")) {
        read_content(json, header);
    } else if (json_text_equal(name, "crit") || json_text_equal(name, "zip")) {
        json_reader_fail(json);
    } else if (agrees && json_text_equal(name, "epk")) {
        read_point(json, header, key);
    } else if (agrees && json_text_equal(name, "apu")) {
        read_base64url(json, header->producer, sizeof(header->producer), &header->producer_size);
    } else if (agrees && json_text_equal(name, "apv")) {
        read_base64url(json, header->consumer, sizeof(header->consumer), &header->consumer_size);
    } else {
        json_skip(json);
    }
}

static bool header_parse(struct header *header, struct bytes text, const struct jwe_key *key)
{
    uint8_t space[JWE_HEADER_SIZE_MAX];
    struct json_reader json;
    struct json_text name;
    size_t size;
    *header = (struct header){ 0 };
    if (!base64url_decode(space, sizeof(space), &size, text))
        return false;
    json_reader_init(&json, bytes_of(space, size));
    json_enter_object(&json);
    while (json_next_member(&json, &name))
        read_parameter(&json, name, header, key);
    return json_read_end(&json) && header->has_algorithm && header->has_content &&
           header->has_point == (jwe_key_kind(key) != JWE_RSA);
}

/* ---- the content's key ---- */

static void write_sized(struct writer *writer, struct bytes bytes)
{
    write_u32_be(writer, (uint32_t)bytes.size);
    write_bytes(writer, bytes);
}

/* Concat KDF (SP 800-56A section 5.8.1, RFC 7518 section 4.6.2), one round of SHA-256. */
static void derive_wrapping_key(struct secret32 *wrapping, struct bytes shared, size_t size,
                                const struct header *header, const char *algorithm)
{
    uint8_t space[OTHER_INFO_SIZE_MAX + JWE_COORDINATE_MAX];
    struct writer input = writer_into(space, sizeof(space));
    write_u32_be(&input, 1);
    write_bytes(&input, shared);
    write_sized(&input, bytes_of_string(algorithm));
    write_sized(&input, bytes_of(header->producer, header->producer_size));
    write_sized(&input, bytes_of(header->consumer, header->consumer_size));
    write_u32_be(&input, (uint32_t)size * 8);
    ASSERT(!input.failed);
    struct digest32 digest = sha256_of(writer_view(&input));
    memcpy(wrapping->bytes, digest.bytes, sizeof(wrapping->bytes));
    secret_wipe(&digest, sizeof(digest));
    secret_wipe(space, sizeof(space));
}

/* RFC 3394: the key inside, whose integrity value is checked. */
static bool unwrap(struct secret32 *key, size_t size, const struct secret32 *wrapping,
                   size_t wrapping_size, struct bytes wrapped)
{
    uint8_t space[JWE_CEK_MAX + WRAP_OVERHEAD];
    int written = 0;
    if (wrapped.size != size + WRAP_OVERHEAD)
        return false;
    AUTO_CIPHER EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher =
        EVP_CIPHER_fetch(NULL, wrapping_size == 16 ? "AES-128-WRAP" : "AES-256-WRAP", NULL);
    if (context != NULL)
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool done = context != NULL && cipher != NULL &&
                EVP_DecryptInit_ex2(context, cipher, wrapping->bytes, NULL, NULL) == 1 &&
                EVP_DecryptUpdate(context, space, &written, wrapped.data, (int)wrapped.size) == 1 &&
                written == (int)size;
    EVP_CIPHER_free(cipher);
    if (done)
        memcpy(key->bytes, space, size);
    secret_wipe(space, sizeof(space));
    return done;
}

static bool content_key_agree(struct secret32 *content_key, size_t size, const struct jwe_key *key,
                              const struct header *header, struct bytes wrapped)
{
    uint8_t shared[JWE_COORDINATE_MAX];
    enum jwe_algorithm algorithm = jwe_key_algorithm(key);
    size_t wrapping_size = algorithm == JWE_ECDH_ES_A128KW ? 16 : 32;
    AUTO_SECRET32 struct secret32 wrapping;
    if (!jwe_key_agree(shared, key, header->x, header->y))
        return false;
    derive_wrapping_key(&wrapping, bytes_of(shared, jwe_key_curve(key)->coordinate), wrapping_size,
                        header, jwe_algorithm_name(algorithm));
    secret_wipe(shared, sizeof(shared));
    return unwrap(content_key, size, &wrapping, wrapping_size, wrapped);
}

static bool content_key_open(struct secret32 *content_key, const struct jwe_key *key,
                             const struct header *header, struct bytes text)
{
    uint8_t wrapped[WRAPPED_SIZE_MAX];
    size_t size, expected = aead_key_size(header->content), found = 0;
    if (!base64url_decode(wrapped, sizeof(wrapped), &size, text))
        return false;
    if (jwe_key_kind(key) != JWE_RSA)
        return content_key_agree(content_key, expected, key, header, bytes_of(wrapped, size));
    return jwe_key_decrypt(content_key->bytes, &found, key, bytes_of(wrapped, size)) &&
           found == expected;
}

/* ---- the content ---- */

/* header, or header "." aad */
static bool associated_make(struct buffer *associated, const struct parts *parts)
{
    buffer_append(associated, parts->header);
    if (parts->associated.size > 0 && !bytes_equal(parts->associated, parts->header)) {
        buffer_append_string(associated, ".");
        buffer_append(associated, parts->associated);
    }
    return !associated->failed;
}

/* The content with its tag behind, decoded: *size bytes of the caller's. */
static uint8_t *sealed_decode(const struct parts *parts, size_t *size)
{
    size_t room = parts->content.size, content, tag;
    uint8_t *sealed = malloc(room + AEAD_TAG_SIZE);
    if (sealed == NULL)
        return NULL;
    if (!base64url_decode(sealed, room, &content, parts->content) ||
        !base64url_decode(sealed + content, AEAD_TAG_SIZE, &tag, parts->tag) ||
        tag != AEAD_TAG_SIZE) {
        free(sealed);
        return NULL;
    }
    *size = content + tag;
    return sealed;
}

static bool content_open(struct secret_buffer *plain, const struct parts *parts,
                         enum aead_kind kind, const struct secret32 *content_key,
                         struct error *error)
{
    struct aead_nonce nonce;
    size_t nonce_size, size;
    AUTO_BUFFER struct buffer associated;
    buffer_init(&associated, JWE_SIZE_MAX);
    AUTO_MEMORY uint8_t *sealed = sealed_decode(parts, &size);
    if (sealed == NULL || !associated_make(&associated, parts) ||
        !base64url_decode(nonce.bytes, sizeof(nonce.bytes), &nonce_size, parts->nonce) ||
        nonce_size != sizeof(nonce.bytes))
        return error_set(error, ERROR_INVALID, "the encrypted message is not well-formed");
    AUTO_SECRET_BUFFER struct secret_buffer opened = { 0 };
    if (!secret_buffer_init(&opened, size - AEAD_TAG_SIZE, error) ||
        !aead_open_as(opened.data, kind, content_key, &nonce, bytes_of(sealed, size),
                      buffer_view(&associated), error))
        return false;
    *plain = opened;
    opened = (struct secret_buffer){ 0 };
    return true;
}

bool jwe_open(struct secret_buffer *plain, const struct jwe_key *key, struct bytes message,
              struct error *error)
{
    struct parts parts = { 0 };
    struct header header;
    if (message.size > JWE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "an encrypted message of %zu bytes, at most %d",
                         message.size, JWE_SIZE_MAX);
    bool is_compact = message.size > 0 && message.data[0] == 'e';
    if (!(is_compact ? parts_of_compact : parts_of_json)(&parts, message))
        return error_set(error, ERROR_INVALID, "the encrypted message is not well-formed");
    if (!header_parse(&header, parts.header, key))
        return error_set(error, ERROR_INVALID, "the encrypted message is not of the form %s",
                         jwe_algorithm_name(jwe_key_algorithm(key)));
    AUTO_SECRET32 struct secret32 content_key = { 0 };
    if (!content_key_open(&content_key, key, &header, parts.wrapped)) {
        crypto_error(error, ERROR_UNVERIFIED, "");
        return error_set(error, ERROR_UNVERIFIED, "the encrypted message does not open");
    }
    return content_open(plain, &parts, header.content, &content_key, error);
}
