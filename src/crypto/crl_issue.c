/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crl.h"
#include "crypto/der.h"
#include "crypto/hash.h"
#include "crypto/oid.h"
#include "crypto/openssl.h"

enum {
    CRL_ISSUED_SIZE_MAX = 16384
};

static void write_algorithm(struct der_writer *der)
{
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid_ecdsa_with_sha256);
    der_close(der);
}

static void write_entries(struct der_writer *der, const struct crl_request *request)
{
    /* A list without entries has no such field. */
    if (request->serial_count == 0)
        return;
    der_open(der, DER_SEQUENCE);
    for (size_t i = 0; i < request->serial_count; i++) {
        der_open(der, DER_SEQUENCE);
        der_write_big(der, request->serials[i]);
        der_write_time(der, request->this_update_s);
        der_close(der);
    }
    der_close(der);
}

static void write_number(struct der_writer *der, uint64_t number)
{
    der_open(der, DER_CONTEXT_0);
    der_open(der, DER_SEQUENCE);
    der_open(der, DER_SEQUENCE);
    der_write(der, DER_OID, oid_crl_number);
    der_open(der, DER_OCTET_STRING);
    der_write_unsigned(der, number);
    der_close(der);
    der_close(der);
    der_close(der);
    der_close(der);
}

bool crl_issue(struct buffer *der, const struct crl_request *request,
               const struct x509_certificate *issuer, const struct ecdsa_key *issuer_key,
               struct error *error)
{
    uint8_t space[CRL_ISSUED_SIZE_MAX];
    uint8_t signature_space[80];
    struct ecdsa_signature signature;
    if (!ecdsa_public_equal(ecdsa_key_public(issuer_key), &issuer->key.p256))
        return error_set(error, ERROR_INVALID, "issuer's certificate is of another key");
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    size_t start = writer.writer.size;
    der_open(&writer, DER_SEQUENCE);
    der_write_unsigned(&writer, 1);
    write_algorithm(&writer);
    der_write_raw(&writer, issuer->subject);
    der_write_time(&writer, request->this_update_s);
    der_write_time(&writer, request->next_update_s);
    write_entries(&writer, request);
    write_number(&writer, request->number);
    der_close(&writer);
    if (writer.writer.failed)
        return error_set(error, ERROR_LIMIT, "revocation list is above %d bytes",
                         CRL_ISSUED_SIZE_MAX);
    struct digest32 digest = sha256_of(bytes_of(space + start, writer.writer.size - start));
    if (!ecdsa_sign(&signature, issuer_key, &digest, error))
        return error_within(error, "revocation list");
    write_algorithm(&writer);
    der_write_bits(&writer,
                   ecdsa_signature_to_der(signature_space, sizeof(signature_space), &signature));
    der_close(&writer);
    struct bytes made = der_writer_view(&writer);
    if (made.size == 0)
        return error_set(error, ERROR_LIMIT, "revocation list is above %d bytes",
                         CRL_ISSUED_SIZE_MAX);
    buffer_append(der, made);
    return !der->failed || error_set(error, ERROR_NO_MEMORY, "revocation list");
}
