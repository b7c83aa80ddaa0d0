/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a quote one about a certificate's key. */
#include "attest/ratls/ratls.h"
#include "core/cbor.h"
#include "crypto/hash.h"
#include "crypto/pem.h"

#include <string.h>

enum {
    KEY_TEXT_SIZE_MAX = 1024, /* a key in PEM: 800 characters for RSA of 4096 bits */
    REPORT_DATA_BYTES = 64,
    /* IANA, "Named Information Hash Algorithm Registry" */
    NAMED_SHA256 = 1,
    NAMED_SHA384 = 7,
    NAMED_SHA512 = 8
};

static bool is_report_data(const uint8_t *report_data, struct bytes hash)
{
    uint8_t expected[REPORT_DATA_BYTES] = { 0 };
    memcpy(expected, hash.data, hash.size);
    return memcmp(expected, report_data, sizeof(expected)) == 0;
}

/* SHA-256 of `content` in the first half, zeros in the second. */
static bool is_digest_of(const uint8_t *report_data, struct bytes content)
{
    struct digest32 digest = sha256_of(content);
    return is_report_data(report_data, BYTES_OF(digest.bytes));
}

/* "pubkey-hash": a byte string with [algorithm, hash] inside. */
static void read_key_hash(struct ratls_claims *claims, struct reader *reader)
{
    struct reader entry = cbor_reader_of(cbor_read_bytes(reader), CBOR_UNSORTED);
    bool is_pair = cbor_read_array(&entry, 2) == 2;
    claims->hash_algorithm = cbor_read_unsigned(&entry);
    struct bytes hash = cbor_read_bytes(&entry);
    if (!is_pair || !read_end(&entry) || hash.size == 0 || hash.size > sizeof(claims->key_hash)) {
        reader_fail(reader);
        return;
    }
    memcpy(claims->key_hash, hash.data, hash.size);
    claims->key_hash_size = hash.size;
}

/* Keeps the names sorted, so that they print the same whatever their order was. */
static void add_name(struct ratls_claims *claims, struct bytes name)
{
    char text[RATLS_CLAIM_NAME_SIZE_MAX + 1] = { 0 };
    memcpy(text, name.data, name.size);
    size_t at = claims->name_count++;
    for (; at > 0 && strcmp(claims->names[at - 1], text) > 0; at--)
        memcpy(claims->names[at], claims->names[at - 1], sizeof(text));
    memcpy(claims->names[at], text, sizeof(text));
}

static bool read_claims(struct ratls_claims *claims, struct bytes content)
{
    struct reader reader = cbor_reader_of(content, CBOR_AS_EMITTED);
    struct cbor_items items = cbor_enter_map(&reader, RATLS_CLAIM_COUNT_MAX);
    while (cbor_next(&items, &reader)) {
        struct bytes name = cbor_read_text(&reader);
        if (name.size == 0 || name.size > RATLS_CLAIM_NAME_SIZE_MAX)
            return false;
        add_name(claims, name);
        if (bytes_equal_string(name, "pubkey-hash")) {
            read_key_hash(claims, &reader);
        } else if (bytes_equal_string(name, "nonce")) {
            struct bytes nonce = cbor_read_bytes(&reader);
            if (nonce.size > sizeof(claims->nonce))
                return false;
            if (nonce.size > 0)
                memcpy(claims->nonce, nonce.data, nonce.size);
            claims->nonce_size = nonce.size;
        } else {
            cbor_read_item(&reader);
        }
    }
    return read_end(&reader) && claims->key_hash_size > 0;
}

static bool is_key_hash(const struct ratls_claims *claims, struct bytes spki)
{
    struct bytes hash = bytes_of(claims->key_hash, claims->key_hash_size);
    struct digest32 sha256 = sha256_of(spki);
    struct digest48 sha384 = sha384_of(spki);
    struct digest64 sha512 = sha512_of(spki);
    switch (claims->hash_algorithm) {
    case NAMED_SHA256:
        return bytes_equal(hash, BYTES_OF(sha256.bytes));
    case NAMED_SHA384:
        return bytes_equal(hash, BYTES_OF(sha384.bytes));
    case NAMED_SHA512:
        return bytes_equal(hash, BYTES_OF(sha512.bytes));
    default:
        return false;
    }
}

static bool check_tagged(struct ratls_claims *claims, const struct ratls_certificate *certificate,
                         const uint8_t *report_data, struct error *error)
{
    claims->tag = 60000;
    if (!read_claims(claims, certificate->claims))
        return error_set(error, ERROR_UNVERIFIED,
                         "claims in the certificate are malformed or lack the key's hash");
    if (!is_digest_of(report_data, certificate->claims))
        return error_set(error, ERROR_UNVERIFIED, "quote is not about the certificate's claims");
    if (!is_key_hash(claims, certificate->spki))
        return error_set(error, ERROR_UNVERIFIED,
                         "claims are not about the certificate's key, or by another hash than "
                         "SHA-256, SHA-384 and SHA-512");
    return true;
}

/* Open Enclave hashes the key as the text its programs hold, with the zero at its end; EGo the key
 * in DER. */
static bool is_about_key_of_open_enclave(const uint8_t *report_data, struct bytes spki)
{
    char text[KEY_TEXT_SIZE_MAX] = { 0 };
    size_t size = pem_text_size("PUBLIC KEY", spki.size);
    if (is_digest_of(report_data, spki))
        return true;
    if (size >= sizeof(text))
        return false;
    struct writer writer = writer_into(text, size);
    pem_write(&writer, "PUBLIC KEY", spki);
    return is_digest_of(report_data, bytes_of(text, size + 1));
}

bool ratls_check_binding(struct ratls_claims *claims, const struct ratls_certificate *certificate,
                         const uint8_t *report_data, struct error *error)
{
    struct ratls_claims checked = { .layout = certificate->layout,
                                    .oid = certificate->oid,
                                    .other_oid = certificate->other_oid,
                                    .is_self_signed = certificate->is_self_signed,
                                    .is_critical = certificate->is_critical };
    bool is_bound = false;
    if (certificate->layout == RATLS_TAGGED) {
        if (!check_tagged(&checked, certificate, report_data, error))
            return false;
        is_bound = true;
    } else if (certificate->layout == RATLS_DSTACK) {
        AUTO(hash) struct hash *hash = hash_new(HASH_SHA512);
        hash_update(hash, BYTES_LITERAL("ratls-cert:"));
        hash_update(hash, certificate->spki);
        struct digest64 digest = hash_finish64(hash);
        is_bound = is_report_data(report_data, BYTES_OF(digest.bytes));
    } else if (certificate->layout == RATLS_OPEN_ENCLAVE) {
        is_bound = is_about_key_of_open_enclave(report_data, certificate->spki);
    } else {
        is_bound = is_digest_of(report_data, certificate->spki);
    }
    if (!is_bound)
        return error_set(error, ERROR_UNVERIFIED, "quote is not about the certificate's key");
    *claims = checked;
    return true;
}
