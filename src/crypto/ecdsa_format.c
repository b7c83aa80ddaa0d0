/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which P-256 keys travel: SubjectPublicKeyInfo, PKCS #8, PEM, JWK. */
#include "crypto/base64.h"
#include "crypto/der.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/pem.h"
#include "crypto/signature_der.h"

#include <string.h>

enum {
    PKCS8_SIZE = 138,    /* as written here */
    PKCS8_SIZE_MAX = 256 /* with the options that others write */
};

/* SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING 04 x y }, up to x. */
static const uint8_t spki_prefix[27] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
/* The AlgorithmIdentifier inside it. */
static const struct bytes key_algorithm = { spki_prefix + 2, 21 };

struct ecdsa_spki ecdsa_public_to_spki(const struct ecdsa_public *key)
{
    struct ecdsa_spki spki;
    memcpy(spki.bytes, spki_prefix, sizeof(spki_prefix));
    memcpy(spki.bytes + sizeof(spki_prefix), key->bytes, sizeof(key->bytes));
    return spki;
}

bool ecdsa_public_view_spki(struct ecdsa_public *key, struct bytes spki)
{
    if (spki.size != ECDSA_SPKI_SIZE || !bytes_starts_with(spki, BYTES_OF(spki_prefix)))
        return false;
    memcpy(key->bytes, spki.data + sizeof(spki_prefix), sizeof(key->bytes));
    return true;
}

bool ecdsa_public_from_spki(struct ecdsa_public *key, struct bytes spki, struct error *error)
{
    struct ecdsa_public parsed;
    if (!ecdsa_public_view_spki(&parsed, spki))
        return error_set(error, ERROR_INVALID, "not the DER of a P-256 public key");
    if (!ecdsa_public_check(&parsed, error))
        return false;
    *key = parsed;
    return true;
}

struct digest32 ecdsa_public_id(const struct ecdsa_public *key)
{
    struct ecdsa_spki spki = ecdsa_public_to_spki(key);
    return sha256_of(BYTES_OF(spki.bytes));
}

void ecdsa_public_to_pem(struct buffer *pem, const struct ecdsa_public *key)
{
    struct ecdsa_spki spki = ecdsa_public_to_spki(key);
    pem_append(pem, "PUBLIC KEY", BYTES_OF(spki.bytes));
}

bool ecdsa_public_from_pem(struct ecdsa_public *key, struct bytes pem, struct error *error)
{
    uint8_t spki[ECDSA_SPKI_SIZE];
    size_t size;
    struct reader text = reader_of(pem);
    if (!pem_read(&text, "PUBLIC KEY", spki, sizeof(spki), &size, error))
        return false;
    if (!pem_is_end(&text))
        return error_set(error, ERROR_INVALID, "PEM text goes on behind the public key");
    return ecdsa_public_from_spki(key, bytes_of(spki, size), error);
}

/* RFC 5958 around RFC 5915, with the public key as openssl puts it there. */
bool ecdsa_key_to_pem(struct secret_buffer *pem, const struct ecdsa_key *key, struct error *error)
{
    static const char label[] = "PRIVATE KEY";
    uint8_t space[PKCS8_SIZE];
    uint8_t point[65] = { 4 };
    memcpy(point + 1, ecdsa_key_public(key)->bytes, 64);
    AUTO_SECRET32 struct secret32 scalar;
    ecdsa_key_export(&scalar, key);
    struct der_writer der = der_writer_into(space, sizeof(space));
    der_open(&der, DER_SEQUENCE);
    der_write_unsigned(&der, 0);
    der_write_raw(&der, key_algorithm);
    der_open(&der, DER_OCTET_STRING);
    der_open(&der, DER_SEQUENCE);
    der_write_unsigned(&der, 1);
    der_write(&der, DER_OCTET_STRING, BYTES_OF(scalar.bytes));
    der_open(&der, DER_CONTEXT_1);
    der_write_bits(&der, BYTES_OF(point));
    der_close(&der);
    der_close(&der);
    der_close(&der);
    der_close(&der);
    struct bytes content = der_writer_view(&der);
    ASSERT(content.size == PKCS8_SIZE);
    AUTO_SECRET_BUFFER struct secret_buffer text = { 0 };
    bool is_made = secret_buffer_init(&text, pem_text_size(label, content.size), error);
    if (is_made) {
        struct writer writer = writer_into(text.data, text.size);
        pem_write(&writer, label, content);
        *pem = text;
        text = (struct secret_buffer){ 0 };
    }
    secret_wipe(space, sizeof(space));
    return is_made;
}

static bool scalar_of_pkcs8(struct secret32 *scalar, struct bytes content)
{
    struct reader outer = reader_of(content);
    struct reader info = der_enter(&outer, DER_SEQUENCE);
    bool is_version_0 = der_read_unsigned(&info, 0) == 0;
    struct bytes algorithm = read_bytes(&info, key_algorithm.size);
    struct reader wrapped = der_enter(&info, DER_OCTET_STRING);
    struct reader key = der_enter(&wrapped, DER_SEQUENCE);
    bool is_version_1 = der_read_unsigned(&key, 1) == 1;
    struct bytes number = der_read(&key, DER_OCTET_STRING);
    if (der_peek(&key) == DER_CONTEXT_0)
        der_read(&key, DER_CONTEXT_0);
    if (der_peek(&key) == DER_CONTEXT_1)
        der_read(&key, DER_CONTEXT_1);
    if (!read_end(&key) || !read_end(&wrapped) || !read_end(&info) || !read_end(&outer) ||
        !is_version_0 || !is_version_1 || !bytes_equal(algorithm, key_algorithm) ||
        number.size != sizeof(scalar->bytes))
        return false;
    memcpy(scalar->bytes, number.data, number.size);
    return true;
}

bool ecdsa_key_from_pem(struct ecdsa_key **key, struct bytes pem, struct error *error)
{
    AUTO_SECRET_BUFFER struct secret_buffer content = { 0 };
    if (!secret_buffer_init(&content, PKCS8_SIZE_MAX, error))
        return false;
    size_t size;
    struct reader text = reader_of(pem);
    if (!pem_read(&text, "PRIVATE KEY", content.data, content.size, &size, error))
        return false;
    AUTO_SECRET32 struct secret32 scalar;
    if (!pem_is_end(&text) || !scalar_of_pkcs8(&scalar, bytes_of(content.data, size)))
        return error_set(error, ERROR_INVALID, "not a P-256 private key in PKCS #8");
    return ecdsa_key_import(key, &scalar, error);
}

json_t *ecdsa_public_to_jwk(const struct ecdsa_public *key)
{
    char x[44];
    char y[44];
    base64url_encode(x, bytes_of(key->bytes, 32));
    base64url_encode(y, bytes_of(key->bytes + 32, 32));
    return json_pack("{s:s, s:s, s:s, s:s}", "crv", "P-256", "kty", "EC", "x", x, "y", y);
}

static bool has_value(const json_t *jwk, const char *name, const char *value)
{
    const json_t *member = json_object_get(jwk, name);
    return json_is_string(member) &&
           bytes_equal_string(bytes_of(json_string_value(member), json_string_length(member)),
                              value);
}

static bool read_coordinate(uint8_t *target, const json_t *jwk, const char *name)
{
    const json_t *member = json_object_get(jwk, name);
    size_t size = 0;
    return json_is_string(member) &&
           base64url_decode(target, 32, &size,
                            bytes_of(json_string_value(member), json_string_length(member))) &&
           size == 32;
}

bool ecdsa_public_from_jwk(struct ecdsa_public *key, const json_t *jwk, struct error *error)
{
    struct ecdsa_public parsed;
    if (!json_is_object(jwk) || !has_value(jwk, "kty", "EC") || !has_value(jwk, "crv", "P-256"))
        return error_set(error, ERROR_INVALID, "JWK is not a P-256 public key");
    size_t known = 4;
    if (json_object_get(jwk, "kid") != NULL)
        known++;
    if (json_object_get(jwk, "alg") != NULL) {
        known++;
        if (!has_value(jwk, "alg", "ES256"))
            return error_set(error, ERROR_INVALID, "JWK is not for ES256");
    }
    if (json_object_get(jwk, "use") != NULL) {
        known++;
        if (!has_value(jwk, "use", "sig"))
            return error_set(error, ERROR_INVALID, "JWK is not for signatures");
    }
    if (json_object_size(jwk) != known)
        return error_set(error, ERROR_INVALID, "JWK has members that a public key does not have");
    if (!read_coordinate(parsed.bytes, jwk, "x") || !read_coordinate(parsed.bytes + 32, jwk, "y"))
        return error_set(error, ERROR_INVALID, "JWK has no coordinates x and y of 32 bytes");
    if (!ecdsa_public_check(&parsed, error))
        return false;
    *key = parsed;
    return true;
}
