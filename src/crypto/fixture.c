/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/fixture.h"

#include "crypto/der.h"
#include "crypto/oid.h"
#include "crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPKI_SIZE_MAX = 1024,
    SIGNATURE_SIZE_MAX = 512
};

struct fixture_key {
    EVP_PKEY *pair;
    enum public_key_kind kind;
    uint8_t spki[SPKI_SIZE_MAX];
    size_t spki_size;
};

struct fixture_key *fixture_key_new(enum public_key_kind kind, unsigned bits)
{
    struct fixture_key *key = calloc(1, sizeof(*key));
    ASSERT(key != NULL);
    key->kind = kind;
    switch (kind) {
    case PUBLIC_KEY_P256:
        key->pair = EVP_EC_gen("P-256");
        break;
    case PUBLIC_KEY_P384:
        key->pair = EVP_EC_gen("P-384");
        break;
    case PUBLIC_KEY_RSA:
        key->pair = EVP_RSA_gen(bits);
        break;
    }
    ASSERT(key->pair != NULL);
    uint8_t *at = key->spki;
    int size = i2d_PUBKEY(key->pair, NULL);
    ASSERT(size > 0 && size <= SPKI_SIZE_MAX);
    key->spki_size = (size_t)i2d_PUBKEY(key->pair, &at);
    return key;
}

void fixture_key_free(struct fixture_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pair);
    free(key);
}

struct bytes fixture_key_spki(const struct fixture_key *key)
{
    return bytes_of(key->spki, key->spki_size);
}

static void set_padding(EVP_PKEY_CTX *context, enum fixture_algorithm algorithm)
{
    const EVP_MD *hash = algorithm == FIXTURE_PSS_SHA256     ? EVP_sha256()
                         : algorithm == FIXTURE_PSS_DEFAULTS ? EVP_sha1()
                                                             : EVP_sha384();
    int salt = algorithm == FIXTURE_PSS_SALT_32 || algorithm == FIXTURE_PSS_SALT_32_LIED ? 32 : -1;
    ASSERT(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1);
}

void fixture_sign(struct buffer *signature, const struct fixture_key *key,
                  enum fixture_algorithm algorithm, struct bytes message)
{
    const EVP_MD *hash = EVP_sha384();
    if (key->kind == PUBLIC_KEY_P256 || algorithm == FIXTURE_PSS_SHA256)
        hash = EVP_sha256();
    else if (algorithm == FIXTURE_PSS_DEFAULTS)
        hash = EVP_sha1();
    uint8_t space[SIGNATURE_SIZE_MAX];
    size_t size = sizeof(space);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context;
    ASSERT(EVP_DigestSignInit(context, &key_context, hash, NULL, key->pair) == 1);
    if (algorithm != FIXTURE_ECDSA && algorithm != FIXTURE_PKCS1)
        set_padding(key_context, algorithm);
    ASSERT(EVP_DigestSign(context, space, &size, message.data, message.size) == 1);
    EVP_MD_CTX_free(context);
    buffer_append(signature, bytes_of(space, size));
}

struct ecdsa384_signature fixture_sign384(const struct fixture_key *key, struct bytes message)
{
    struct ecdsa384_signature signature;
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, SIGNATURE_SIZE_MAX);
    fixture_sign(&der, key, FIXTURE_ECDSA, message);
    ASSERT(ecdsa384_signature_from_der(&signature, buffer_view(&der)));
    return signature;
}

static void write_hash(struct der_writer *der, bool is_sha256)
{
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID,
              is_sha256 ? BYTES_LITERAL("\x60\x86\x48\x01\x65\x03\x04\x02\x01") : oid_sha384);
    der_write(der, DER_NULL, (struct bytes){ 0 });
    der_close(der);
}

static void write_pss(struct der_writer *der, enum fixture_algorithm algorithm)
{
    bool is_sha256 = algorithm == FIXTURE_PSS_SHA256;
    der_open(der, DER_SEQUENCE);
    if (algorithm != FIXTURE_PSS_DEFAULTS) {
        der_open(der, DER_CONTEXT_0);
        write_hash(der, is_sha256);
        der_close(der);
        der_open(der, DER_CONTEXT_1);
        der_open(der, DER_SEQUENCE);
        der_write(der, DER_OID, oid_mgf1);
        write_hash(der, is_sha256);
        der_close(der);
        der_close(der);
        der_open(der, DER_CONTEXT_2);
        der_write_unsigned(der, algorithm == FIXTURE_PSS_SALT_32 || is_sha256 ? 32 : 48);
        der_close(der);
    }
    if (algorithm == FIXTURE_PSS_TRAILER) {
        der_open(der, DER_CONTEXT_3);
        der_write_unsigned(der, 1);
        der_close(der);
    }
    der_close(der);
}

static void write_algorithm(struct der_writer *der, const struct fixture_key *key,
                            enum fixture_algorithm algorithm)
{
    der_open(der, DER_SEQUENCE);
    if (algorithm == FIXTURE_ECDSA)
        der_write(der, DER_OID,
                  key->kind == PUBLIC_KEY_P384 ? oid_ecdsa_with_sha384 : oid_ecdsa_with_sha256);
    else if (algorithm == FIXTURE_PKCS1) {
        der_write(der, DER_OID, BYTES_LITERAL("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"));
        der_write(der, DER_NULL, (struct bytes){ 0 });
    } else {
        der_write(der, DER_OID, oid_rsassa_pss);
        write_pss(der, algorithm);
    }
    der_close(der);
}

static void write_name(struct der_writer *der, struct bytes parts, const char *name)
{
    der_open(der, DER_SEQUENCE);
    der_write_raw(der, parts);
    der_open(der, DER_SET);
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid_common_name);
    der_write(der, DER_UTF8_STRING, bytes_of_string(name));
    der_close(der);
    der_close(der);
    der_close(der);
}

static void write_extension(struct der_writer *der, const struct x509_extra_extension *extension)
{
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, extension->oid);
    if (extension->is_critical)
        der_write_boolean(der, true);
    der_write(der, DER_OCTET_STRING, extension->value);
    der_close(der);
}

static void write_extensions(struct der_writer *der, const struct fixture_certificate *content)
{
    static const char *const constraints[] = {
        [FIXTURE_CA] = "\x30\x03\x01\x01\xff",
        [FIXTURE_CA_OF_LEAVES] = "\x30\x06\x01\x01\xff\x02\x01",
        [FIXTURE_NOT_CA] = "\x30",
    };
    static const size_t constraint_sizes[] = {
        [FIXTURE_CA] = 5, [FIXTURE_CA_OF_LEAVES] = 8, [FIXTURE_NOT_CA] = 2
    };
    if (content->constraints == FIXTURE_NO_CONSTRAINTS && content->key_usage == NULL &&
        content->extension_count == 0)
        return;
    der_open(der, DER_CONTEXT_3);
    der_open(der, DER_SEQUENCE);
    /* The final NUL of the strings is their last byte. */
    if (content->constraints != FIXTURE_NO_CONSTRAINTS)
        write_extension(der, &(struct x509_extra_extension){
                                 .oid = oid_basic_constraints,
                                 .value = bytes_of(constraints[content->constraints],
                                                   constraint_sizes[content->constraints]),
                                 .is_critical = true });
    if (content->key_usage != NULL) {
        uint8_t value[] = { DER_BIT_STRING, 2, (uint8_t)content->key_usage[0],
                            (uint8_t)content->key_usage[1] };
        write_extension(der, &(struct x509_extra_extension){ .oid = oid_key_usage,
                                                             .value = BYTES_OF(value),
                                                             .is_critical = true });
    }
    for (size_t i = 0; i < content->extension_count; i++)
        write_extension(der, &content->extensions[i]);
    der_close(der);
    der_close(der);
}

/* Closes the signed part that was opened at `start`, and signs it. */
static void finish(struct buffer *target, struct der_writer *der, size_t start,
                   const struct fixture_key *issuer, enum fixture_algorithm algorithm)
{
    AUTO_BUFFER struct buffer signature;
    buffer_init(&signature, SIGNATURE_SIZE_MAX);
    fixture_sign(&signature, issuer, algorithm,
                 bytes_of(der->writer.data + start, der->writer.size - start));
    write_algorithm(der, issuer, algorithm);
    der_write_bits(der, buffer_view(&signature));
    der_close(der);
    struct bytes view = der_writer_view(der);
    ASSERT(view.size > 0);
    buffer_append(target, view);
}

void fixture_certificate(struct buffer *der, const struct fixture_certificate *content,
                         const struct fixture_key *subject, const struct fixture_key *issuer,
                         enum fixture_algorithm algorithm)
{
    uint8_t space[4 * X509_SIZE_MAX]; /* evidence may be inside */
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    size_t start = writer.writer.size;
    der_open(&writer, DER_SEQUENCE);
    der_open(&writer, DER_CONTEXT_0);
    der_write_unsigned(&writer, 2);
    der_close(&writer);
    der_write(&writer, DER_INTEGER,
              content->serial.size == 0 ? BYTES_LITERAL("\x05") : content->serial);
    write_algorithm(&writer, issuer, algorithm);
    write_name(&writer, content->name_parts, content->issuer);
    der_open(&writer, DER_SEQUENCE);
    der_write_time(&writer, content->not_before_s);
    der_write_time(&writer, content->not_after_s);
    der_close(&writer);
    write_name(&writer, content->name_parts, content->subject);
    der_write_raw(&writer, fixture_key_spki(subject));
    write_extensions(&writer, content);
    der_close(&writer);
    finish(der, &writer, start, issuer, algorithm);
}

static void write_entries(struct der_writer *der, const struct fixture_crl *content)
{
    static const struct x509_extra_extension reason = {
        .oid = { (const uint8_t *)"\x55\x1d\x15", 3 },
        .value = { (const uint8_t *)"\x0a\x01\x01", 3 },
    };
    der_open(der, DER_SEQUENCE);
    for (size_t i = 0; i < content->serial_count; i++) {
        der_open(der, DER_SEQUENCE);
        der_write(der, DER_INTEGER, content->serials[i]);
        der_write_time(der, content->this_update_s);
        if (i == 0) {
            der_open(der, DER_SEQUENCE);
            write_extension(
                der, content->entry_extension.oid.size == 0 ? &reason : &content->entry_extension);
            der_close(der);
        }
        der_close(der);
    }
    der_close(der);
}

void fixture_crl(struct buffer *der, const struct fixture_crl *content,
                 const struct fixture_key *issuer, enum fixture_algorithm algorithm)
{
    static uint8_t space[0xffff];
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    size_t start = writer.writer.size;
    der_open(&writer, DER_SEQUENCE);
    if (!content->is_v1)
        der_write_unsigned(&writer, 1);
    write_algorithm(&writer, issuer, algorithm);
    write_name(&writer, (struct bytes){ 0 }, content->issuer);
    der_write_time(&writer, content->this_update_s);
    if (content->next_update_s != 0)
        der_write_time(&writer, content->next_update_s);
    if (content->serial_count > 0)
        write_entries(&writer, content);
    if (content->extension_count > 0) {
        der_open(&writer, DER_CONTEXT_0);
        der_open(&writer, DER_SEQUENCE);
        for (size_t i = 0; i < content->extension_count; i++)
            write_extension(&writer, &content->extensions[i]);
        der_close(&writer);
        der_close(&writer);
    }
    der_close(&writer);
    finish(der, &writer, start, issuer, algorithm);
}
