/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/ratls/ratls.h"

#include "attest/intel/open_enclave.h"
#include "core/cbor.h"
#include "crypto/der.h"
#include "crypto/hash.h"
#include "crypto/jws.h"

#include <string.h>

enum {
    TAG_QUOTE = 60000, /* 60001 and 60002: reports that only the same machine can verify */
    QUOTE_SIZE_MIN = 48,
    ENDORSEMENT_COUNT_MAX = 9
};

/* Extensions that carry evidence, the preferred first; OIDs as content bytes. */
static const struct layout {
    enum ratls_layout layout;
    struct bytes oid;
    const char *dotted;
} layouts[] = {
    { RATLS_TAGGED, { (const uint8_t *)"\x67\x81\x05\x05\x04\x09", 6 }, "2.23.133.5.4.9" },
    { RATLS_INTEL,
      { (const uint8_t *)"\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01", 9 },
      "1.2.840.113741.1.13.1" },
    { RATLS_GRAMINE,
      { (const uint8_t *)"\x2a\x86\x48\x86\xf8\x4d\x8a\x39\x06", 9 },
      "1.2.840.113741.1337.6" },
    { RATLS_GRAMINE,
      { (const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf8\x4d\x8a\x39\x06", 11 },
      "0.6.9.42.840.113741.1337.6" },
    { RATLS_DSTACK,
      { (const uint8_t *)"\x2b\x06\x01\x04\x01\x83\xe7\x3d\x01\x01", 10 },
      "1.3.6.1.4.1.62397.1.1" },
    { RATLS_OPEN_ENCLAVE,
      { (const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x69\x01", 9 },
      "1.3.6.1.4.1.311.105.1" },
    { RATLS_OPEN_ENCLAVE,
      { (const uint8_t *)"\x2a\x86\x48\x86\xf7\x14\x0a\x01\x01", 9 },
      "1.2.840.113556.10.1.1" },
};
static const struct bytes oid_endorsements = { (const uint8_t *)"\x67\x81\x05\x05\x04\x02", 6 };
static const struct bytes oid_subject_key_id = { (const uint8_t *)"\x55\x1d\x0e", 3 };
static const struct bytes oid_authority_key_id = { (const uint8_t *)"\x55\x1d\x23", 3 };
static const struct bytes oid_sha256_with_rsa = {
    (const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9
};
static const struct bytes oid_ecdsa_with_sha256 = {
    (const uint8_t *)"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8
};
static const struct bytes oid_ecdsa_with_sha384 = {
    (const uint8_t *)"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8
};
/* RFC 5280's: key usage, alternative names, basic constraints, extended key usage. */
static const struct bytes oids_harmless[] = { { (const uint8_t *)"\x55\x1d\x0f", 3 },
                                              { (const uint8_t *)"\x55\x1d\x11", 3 },
                                              { (const uint8_t *)"\x55\x1d\x13", 3 },
                                              { (const uint8_t *)"\x55\x1d\x25", 3 } };

bool ratls_is_certificate(struct bytes evidence)
{
    return bytes_starts_with(evidence, BYTES_LITERAL("-----BEGIN ")) ||
           bytes_starts_with(evidence, BYTES_LITERAL("\x30\x82"));
}

/* Whether an extension's content is a quote, by its version and key type: the OID alone does not
 * say so. */
static bool looks_like_quote(struct bytes content)
{
    struct reader reader = reader_of(content);
    uint16_t version = read_u16_le(&reader);
    uint16_t key_type = read_u16_le(&reader);
    return content.size >= QUOTE_SIZE_MIN && version >= 3 && version <= 5 && key_type != 0;
}

static bool is_harmless(struct bytes oid)
{
    for (size_t i = 0; i < ARRAY_COUNT(oids_harmless); i++) {
        if (bytes_equal(oid, oids_harmless[i]))
            return true;
    }
    return false;
}

/* The index of an OID in `layouts`, or their count. */
static size_t find_layout(struct bytes oid)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(layouts) && !bytes_equal(oid, layouts[i].oid))
        i++;
    return i;
}

/* RFC 5280 sections 4.2.1.1 and 4.2.1.2. */
static void read_key_ids(struct ratls_certificate *certificate, struct bytes oid,
                         struct bytes content)
{
    enum {
        KEY_IDENTIFIER = 0x80 /* [0] IMPLICIT */
    };
    struct reader reader = reader_of(content);
    if (bytes_equal(oid, oid_subject_key_id)) {
        certificate->key_id = der_read(&reader, DER_OCTET_STRING);
    } else if (bytes_equal(oid, oid_authority_key_id)) {
        struct reader authority = der_enter(&reader, DER_SEQUENCE);
        certificate->authority_key_id = der_read(&authority, KEY_IDENTIFIER);
    }
}

/* Whether an extension of this layout carries evidence: some OIDs have other uses, too. */
static bool is_evidence(enum ratls_layout layout, struct bytes content)
{
    switch (layout) {
    case RATLS_NONE:
        return false;
    case RATLS_TAGGED:
    case RATLS_DSTACK:
        return true;
    case RATLS_INTEL:
    case RATLS_GRAMINE:
        return looks_like_quote(content);
    case RATLS_OPEN_ENCLAVE:
        return open_enclave_is(content);
    }
    UNREACHABLE("layout");
}

/* One extension: what it is goes into `found` by layout. */
static void read_extension(struct ratls_certificate *certificate, struct reader *reader,
                           struct bytes *oid, struct bytes found[], bool is_critical[])
{
    struct reader extension = der_enter(reader, DER_SEQUENCE);
    *oid = der_read(&extension, DER_OID);
    bool critical = der_peek(&extension) == DER_BOOLEAN && der_read_boolean(&extension);
    struct bytes content = der_read(&extension, DER_OCTET_STRING);
    if (!read_end(&extension))
        reader_fail(reader);
    read_key_ids(certificate, *oid, content);
    size_t index = find_layout(*oid);
    if (index < ARRAY_COUNT(layouts) && is_evidence(layouts[index].layout, content)) {
        found[index] = content;
        is_critical[index] = critical;
    } else if (bytes_equal(*oid, oid_endorsements)) {
        certificate->endorsements = content;
    } else if (critical && !is_harmless(*oid)) {
        reader_fail(reader);
    }
}

static void read_extensions(struct ratls_certificate *certificate, struct reader *reader)
{
    struct bytes found[ARRAY_COUNT(layouts)] = { 0 };
    bool is_critical[ARRAY_COUNT(layouts)] = { 0 };
    struct bytes seen[X509_EXTENSION_COUNT_MAX];
    size_t count = 0;
    struct reader wrapped = der_enter(reader, DER_CONTEXT_3);
    struct reader extensions = der_enter(&wrapped, DER_SEQUENCE);
    if (!read_end(&wrapped))
        reader_fail(reader);
    while (reader_left(&extensions) > 0) {
        struct bytes oid;
        read_extension(certificate, &extensions, &oid, found, is_critical);
        for (size_t i = 0; i < count; i++) {
            if (bytes_equal(seen[i], oid))
                reader_fail(&extensions);
        }
        if (extensions.failed || count == X509_EXTENSION_COUNT_MAX) {
            reader_fail(reader);
            return;
        }
        seen[count++] = oid;
    }
    for (size_t i = ARRAY_COUNT(layouts); i-- > 0;) {
        if (found[i].size == 0)
            continue;
        certificate->other_oid = certificate->oid;
        certificate->oid = layouts[i].dotted;
        certificate->layout = layouts[i].layout;
        certificate->content = found[i];
        certificate->is_critical = is_critical[i];
    }
}

/* An AlgorithmIdentifier's OID; parameters are absent or NULL. */
static struct bytes read_algorithm(struct reader *reader)
{
    struct reader algorithm = der_enter(reader, DER_SEQUENCE);
    struct bytes oid = der_read(&algorithm, DER_OID);
    if (der_peek(&algorithm) == DER_NULL && der_read(&algorithm, DER_NULL).size != 0)
        reader_fail(reader);
    if (!read_end(&algorithm))
        reader_fail(reader);
    return oid;
}

static void read_signed_part(struct ratls_certificate *certificate, struct reader *reader)
{
    uint8_t tag;
    struct bytes content;
    struct reader version = der_enter(reader, DER_CONTEXT_0);
    bool is_v3 = der_read_unsigned(&version, 2) == 2;
    if (!read_end(&version) || !is_v3)
        reader_fail(reader);
    struct bytes serial = der_read_big(reader);
    struct bytes algorithm = read_algorithm(reader);
    struct bytes issuer = der_read_any(reader, &tag, &content);
    der_read(reader, DER_SEQUENCE); /* the dates */
    struct bytes subject = der_read_any(reader, &tag, &content);
    certificate->spki = der_read_any(reader, &tag, &content);
    if (serial.size > X509_SERIAL_SIZE_MAX || tag != DER_SEQUENCE ||
        !bytes_equal(algorithm, certificate->algorithm))
        reader_fail(reader);
    read_extensions(certificate, reader);
    /* Either suffices, so that one changed bit does not make another's out of it. */
    certificate->is_self_signed = bytes_equal(issuer, subject) ||
                                  (certificate->key_id.size > 0 &&
                                   bytes_equal(certificate->key_id, certificate->authority_key_id));
}

/* The quote and the claims of the tagged form. */
static bool read_tagged(struct ratls_certificate *certificate, struct error *error)
{
    struct reader reader = cbor_reader_of(certificate->content, CBOR_UNSORTED);
    uint64_t tag = cbor_read_tag(&reader);
    if (!reader.failed && tag != TAG_QUOTE)
        return error_set(error, ERROR_UNSUPPORTED,
                         "evidence has tag %llu, which is no quote: nobody else can verify it",
                         (unsigned long long)tag);
    bool is_pair = cbor_read_array(&reader, 2) == 2;
    certificate->quote = cbor_read_bytes(&reader);
    certificate->claims = cbor_read_bytes(&reader);
    if (!is_pair || !read_end(&reader))
        return error_set(error, ERROR_INVALID, "evidence in the certificate is malformed");
    return true;
}

static bool read_evidence(struct ratls_certificate *certificate, struct error *error)
{
    struct reader reader = reader_of(certificate->content);
    struct open_enclave wrapped;
    switch (certificate->layout) {
    case RATLS_NONE:
        return error_set(error, ERROR_INVALID, "certificate carries no evidence");
    case RATLS_TAGGED:
        return read_tagged(certificate, error);
    case RATLS_INTEL:
    case RATLS_GRAMINE:
        certificate->quote = certificate->content;
        return true;
    case RATLS_DSTACK:
        certificate->quote = der_read(&reader, DER_OCTET_STRING);
        return read_end(&reader) ||
               error_set(error, ERROR_INVALID, "evidence in the certificate is malformed");
    case RATLS_OPEN_ENCLAVE:
        if (!open_enclave_read(&wrapped, certificate->content, error))
            return false;
        certificate->quote = wrapped.quote;
        return wrapped.claims.size == 0 ||
               error_set(error, ERROR_INVALID, "claims behind the quote in the certificate");
    }
    UNREACHABLE("layout");
}

bool ratls_parse(struct ratls_certificate *certificate, struct bytes der, struct error *error)
{
    if (der.size > RATLS_CERTIFICATE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "certificate is above %d bytes",
                         RATLS_CERTIFICATE_SIZE_MAX);
    struct ratls_certificate parsed = { .layout = RATLS_NONE };
    struct reader outer = reader_of(der);
    struct reader reader = der_enter(&outer, DER_SEQUENCE);
    uint8_t tag;
    struct bytes content;
    parsed.signed_part = der_read_any(&reader, &tag, &content);
    parsed.algorithm = read_algorithm(&reader);
    parsed.signature = der_read_bits(&reader);
    struct reader signed_part = reader_of(content);
    if (tag == DER_SEQUENCE && read_end(&reader) && read_end(&outer))
        read_signed_part(&parsed, &signed_part);
    if (tag != DER_SEQUENCE || !read_end(&reader) || !read_end(&outer) || !read_end(&signed_part))
        return error_set(error, ERROR_INVALID,
                         "certificate is malformed or has an unknown critical extension");
    if (!read_evidence(&parsed, error))
        return false;
    *certificate = parsed;
    return true;
}

/* RSASSA-PKCS1-v1_5 with SHA-256 alone: what Gramine (before its keys were of P-384) and Intel's
 * SDK write for RSA keys. */
static bool verify_rsa(const struct ratls_certificate *certificate, const struct public_key *key,
                       struct error *error)
{
    if (!bytes_equal(certificate->algorithm, oid_sha256_with_rsa))
        return error_set(error, ERROR_UNSUPPORTED,
                         "certificate of an RSA key is not signed with SHA-256 and PKCS #1 v1.5");
    return rs256_verify(key->modulus, key->exponent, certificate->signed_part,
                        certificate->signature, error);
}

/* FIPS 186-5 section 6.4.2: of a digest longer than the curve the first bits count, a shorter one
 * is a small number. */
bool ratls_verify_self(const struct ratls_certificate *certificate, struct error *error)
{
    bool is_sha256 = bytes_equal(certificate->algorithm, oid_ecdsa_with_sha256);
    bool is_sha384 = bytes_equal(certificate->algorithm, oid_ecdsa_with_sha384);
    struct public_key key;
    bool is_known = public_key_view_spki(&key, certificate->spki);
    if (is_known && key.kind == PUBLIC_KEY_RSA)
        return verify_rsa(certificate, &key, error);
    if (!is_known || (!is_sha256 && !is_sha384))
        return error_set(error, ERROR_UNSUPPORTED,
                         "certificate is not of a P-256, P-384 or RSA key that signed it");
    bool is_p256 = key.kind == PUBLIC_KEY_P256;
    struct signature_value signature;
    if (!signature_view(&signature, is_p256 ? SIGNATURE_ECDSA_SHA256 : SIGNATURE_ECDSA_SHA384,
                        certificate->signature))
        return error_set(error, ERROR_UNVERIFIED, "signature of the certificate is malformed");
    struct digest32 digest32 = sha256_of(certificate->signed_part);
    struct digest48 digest48 = sha384_of(certificate->signed_part);
    if (is_p256) {
        if (is_sha384)
            memcpy(digest32.bytes, digest48.bytes, sizeof(digest32.bytes));
        return ecdsa_verify(&key.p256, &digest32, &signature.p256, error);
    }
    if (is_sha256) {
        memset(digest48.bytes, 0, 16);
        memcpy(digest48.bytes + 16, digest32.bytes, sizeof(digest32.bytes));
    }
    return ecdsa384_verify(&key.p384, &digest48, &signature.p384, error);
}

bool ratls_read_endorsements(struct ratls_endorsements *endorsements, struct bytes content,
                             struct error *error)
{
    struct ratls_endorsements parsed;
    struct reader reader = cbor_reader_of(content, CBOR_UNSORTED);
    bool is_tagged = cbor_read_tag(&reader) == TAG_QUOTE;
    size_t count = cbor_read_array(&reader, ENDORSEMENT_COUNT_MAX);
    cbor_read_unsigned(&reader); /* their version */
    parsed.tcb_info = cbor_read_bytes(&reader);
    parsed.tcb_chain = cbor_read_bytes(&reader);
    parsed.pck_crl = cbor_read_bytes(&reader);
    parsed.root_crl = cbor_read_bytes(&reader);
    cbor_read_bytes(&reader); /* the issuers of the former two: in the quote, and pinned */
    parsed.qe_identity = cbor_read_bytes(&reader);
    cbor_read_bytes(&reader); /* the issuers of the QE identity: those of the TCB info */
    if (count == ENDORSEMENT_COUNT_MAX)
        cbor_read_bytes(&reader); /* when they were put together */
    if (!is_tagged || !read_end(&reader))
        return error_set(error, ERROR_INVALID, "endorsements in the certificate are malformed");
    *endorsements = parsed;
    return true;
}
