/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"
#include "crypto/hash.h"
#include "crypto/oid.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "crypto/x509.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    SERIAL_SIZE = 16,
    KEY_ID_SIZE = 20,
    CONTEXT_PRIMITIVE = 0x80
};

static void write_algorithm(struct der_writer *der)
{
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid_ecdsa_with_sha256);
    der_close(der);
}

static void write_name_part(struct der_writer *der, struct bytes oid, const char *value)
{
    if (value == NULL)
        return;
    der_open(der, DER_SET);
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid);
    der_write(der, DER_UTF8_STRING, bytes_of_string(value));
    der_close(der);
    der_close(der);
}

static void write_subject(struct der_writer *der, const struct x509_request *request)
{
    der_open(der, DER_SEQUENCE);
    write_name_part(der, oid_organization, request->organization);
    write_name_part(der, oid_common_name, request->common_name);
    der_close(der);
}

/* Opens an extension up to its value; closed by close_extension. */
static void open_extension(struct der_writer *der, struct bytes oid, bool is_critical)
{
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid);
    if (is_critical)
        der_write_boolean(der, true);
    der_open(der, DER_OCTET_STRING);
}

static void close_extension(struct der_writer *der)
{
    der_close(der);
    der_close(der);
}

/* RFC 7093 section 2, method 1. */
static struct digest32 key_id_of(const struct ecdsa_public *key)
{
    uint8_t point[65] = { 4 };
    memcpy(point + 1, key->bytes, sizeof(key->bytes));
    return sha256_of(BYTES_OF(point));
}

static void write_key_ids(struct der_writer *der, const struct ecdsa_public *subject,
                          const struct ecdsa_public *issuer)
{
    struct digest32 id = key_id_of(subject);
    open_extension(der, oid_subject_key_id, false);
    der_write(der, DER_OCTET_STRING, bytes_of(id.bytes, KEY_ID_SIZE));
    close_extension(der);
    id = key_id_of(issuer);
    open_extension(der, oid_authority_key_id, false);
    der_open(der, DER_SEQUENCE);
    der_write(der, CONTEXT_PRIMITIVE, bytes_of(id.bytes, KEY_ID_SIZE));
    der_close(der);
    close_extension(der);
}

static void write_usage(struct der_writer *der, const struct x509_request *request)
{
    open_extension(der, oid_basic_constraints, true);
    der_open(der, DER_SEQUENCE);
    if (request->is_ca) {
        der_write_boolean(der, true);
        if (request->path_length >= 0)
            der_write_unsigned(der, (uint64_t)request->path_length);
    }
    der_close(der);
    close_extension(der);
    /* Unused bits first: keyCertSign and cRLSign are bits 5 and 6, digitalSignature is bit 0. */
    static const uint8_t ca_usage[] = { 1, 0x06 };
    static const uint8_t leaf_usage[] = { 7, 0x80 };
    open_extension(der, oid_key_usage, true);
    der_write(der, DER_BIT_STRING, request->is_ca ? BYTES_OF(ca_usage) : BYTES_OF(leaf_usage));
    close_extension(der);
    if (request->is_tls_server) {
        open_extension(der, oid_extended_key_usage, false);
        der_open(der, DER_SEQUENCE);
        der_write(der, DER_OID, oid_server_auth);
        der_close(der);
        close_extension(der);
    }
}

static void write_alternative_names(struct der_writer *der, const char *const *names)
{
    if (names == NULL || names[0] == NULL)
        return;
    open_extension(der, oid_subject_alt_name, false);
    der_open(der, DER_SEQUENCE);
    for (size_t i = 0; names[i] != NULL; i++) {
        uint8_t address[16];
        if (inet_pton(AF_INET, names[i], address) == 1)
            der_write(der, CONTEXT_PRIMITIVE | 7, bytes_of(address, 4));
        else if (inet_pton(AF_INET6, names[i], address) == 1)
            der_write(der, CONTEXT_PRIMITIVE | 7, bytes_of(address, 16));
        else
            der_write(der, CONTEXT_PRIMITIVE | 2, bytes_of_string(names[i]));
    }
    der_close(der);
    close_extension(der);
}

static void write_signed_part(struct der_writer *der, const struct x509_request *request,
                              const struct ecdsa_public *subject_key,
                              const struct x509_certificate *issuer,
                              const struct ecdsa_public *issuer_key)
{
    uint8_t serial[SERIAL_SIZE];
    random_bytes(serial, sizeof(serial));
    /* Positive and of one length. */
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    struct ecdsa_spki spki = ecdsa_public_to_spki(subject_key);
    der_open(der, DER_SEQUENCE);
    der_open(der, DER_CONTEXT_0);
    der_write_unsigned(der, 2);
    der_close(der);
    der_write_big(der, BYTES_OF(serial));
    write_algorithm(der);
    if (issuer == NULL)
        write_subject(der, request);
    else
        der_write_raw(der, issuer->subject);
    der_open(der, DER_SEQUENCE);
    der_write_time(der, request->not_before_s);
    der_write_time(der, request->not_after_s);
    der_close(der);
    write_subject(der, request);
    der_write_raw(der, BYTES_OF(spki.bytes));
    der_open(der, DER_CONTEXT_3);
    der_open(der, DER_SEQUENCE);
    write_usage(der, request);
    write_key_ids(der, subject_key, issuer_key);
    write_alternative_names(der, request->names);
    for (size_t i = 0; i < request->extension_count; i++) {
        open_extension(der, request->extensions[i].oid, request->extensions[i].is_critical);
        der_write_raw(der, request->extensions[i].value);
        close_extension(der);
    }
    der_close(der);
    der_close(der);
    der_close(der);
}

static bool check_request(const struct x509_request *request, struct error *error)
{
    size_t name_count = 0;
    while (request->names != NULL && request->names[name_count] != NULL) {
        size_t size = strlen(request->names[name_count]);
        if (size == 0 || size > 253 || ++name_count > X509_ISSUED_NAME_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "too many or too long names for a certificate");
    }
    if (strlen(request->common_name) > X509_NAME_SIZE_MAX ||
        (request->organization != NULL && strlen(request->organization) > X509_NAME_SIZE_MAX))
        return error_set(error, ERROR_LIMIT, "name in a certificate is above %d bytes",
                         X509_NAME_SIZE_MAX);
    if (request->not_before_s < 0 || request->not_after_s < request->not_before_s ||
        request->not_after_s >= INT64_C(253402300800))
        return error_set(error, ERROR_INVALID, "validity of a certificate is out of order");
    if (request->extension_count > X509_ISSUED_EXTENSIONS_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d extensions for a certificate",
                         X509_ISSUED_EXTENSIONS_MAX);
    return true;
}

bool x509_issue(struct buffer *der, const struct x509_request *request,
                const struct ecdsa_public *subject_key, const struct x509_certificate *issuer,
                const struct ecdsa_key *issuer_key, struct error *error)
{
    if (!check_request(request, error))
        return false;
    const struct ecdsa_public *issuer_public = ecdsa_key_public(issuer_key);
    const struct ecdsa_public *expected = issuer == NULL ? subject_key : &issuer->key.p256;
    if (!ecdsa_public_equal(issuer_public, expected))
        return error_set(error, ERROR_INVALID, "issuer's certificate is of another key");
    uint8_t space[X509_SIZE_MAX];
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    size_t start = writer.writer.size;
    write_signed_part(&writer, request, subject_key, issuer, issuer_public);
    if (writer.writer.failed)
        return error_set(error, ERROR_LIMIT, "certificate is above %d bytes", X509_SIZE_MAX);
    struct digest32 digest = sha256_of(bytes_of(space + start, writer.writer.size - start));
    struct ecdsa_signature signature;
    uint8_t signature_space[80];
    if (!ecdsa_sign(&signature, issuer_key, &digest, error))
        return error_within(error, "certificate");
    write_algorithm(&writer);
    der_write_bits(&writer,
                   ecdsa_signature_to_der(signature_space, sizeof(signature_space), &signature));
    der_close(&writer);
    struct bytes made = der_writer_view(&writer);
    if (made.size == 0)
        return error_set(error, ERROR_LIMIT, "certificate is above %d bytes", X509_SIZE_MAX);
    buffer_append(der, made);
    return !der->failed || error_set(error, ERROR_LIMIT, "certificate does not fit");
}
