/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include "crypto/der.h"
#include "crypto/oid.h"
#include "crypto/pem.h"
#include "crypto/x509_parts.h"

#include <string.h>

struct bytes x509_read_name(struct reader *reader, struct bytes *common_name)
{
    uint8_t tag;
    struct bytes content;
    struct bytes name = der_read_any(reader, &tag, &content);
    if (tag != DER_SEQUENCE)
        reader_fail(reader);
    struct reader parts = reader_of(content);
    while (reader_left(&parts) > 0) {
        struct reader set = der_enter(&parts, DER_SET);
        do {
            struct reader pair = der_enter(&set, DER_SEQUENCE);
            struct bytes oid = der_read(&pair, DER_OID);
            struct bytes value;
            der_read_any(&pair, &tag, &value);
            if (!read_end(&pair))
                reader_fail(&set);
            if (bytes_equal(oid, oid_common_name))
                *common_name = value;
        } while (reader_left(&set) > 0);
        if (!read_end(&set))
            reader_fail(&parts);
    }
    if (!read_end(&parts))
        reader_fail(reader);
    return name;
}

static void read_basic_constraints(struct x509_certificate *certificate, struct reader *value)
{
    struct reader constraints = der_enter(value, DER_SEQUENCE);
    certificate->has_basic_constraints = true;
    if (der_peek(&constraints) == DER_BOOLEAN) {
        certificate->is_ca = der_read_boolean(&constraints);
        /* FALSE is the default, which DER leaves out. */
        if (!certificate->is_ca)
            reader_fail(value);
    }
    if (certificate->is_ca && der_peek(&constraints) == DER_INTEGER)
        certificate->path_length = (int)der_read_unsigned(&constraints, UINT8_MAX);
    if (!read_end(&constraints))
        reader_fail(value);
}

/* BIT STRING with named bits.  DER drops zeros at the end; AMD's intermediate certificates keep
 * one, so only the unused bits must be zero and at least one bit set. */
static void read_key_usage(struct x509_certificate *certificate, struct reader *value)
{
    struct bytes content = der_read(value, DER_BIT_STRING);
    certificate->has_key_usage = true;
    bool is_sound = content.size >= 2 && content.size <= 3 && content.data[0] <= 7;
    unsigned unused = is_sound ? content.data[0] : 0;
    unsigned last = is_sound ? content.data[content.size - 1] : 0;
    if (!is_sound || last == 0 || (last & ((1U << unused) - 1)) != 0) {
        reader_fail(value);
        return;
    }
    for (unsigned bit = 0; bit < 8 * (content.size - 1); bit++) {
        if ((content.data[1 + bit / 8] & 0x80 >> bit % 8) != 0)
            certificate->key_usage |= (uint16_t)(1U << bit);
    }
}

struct bytes x509_read_extension(struct reader *reader, struct bytes *value, bool *is_critical)
{
    struct reader extension = der_enter(reader, DER_SEQUENCE);
    struct bytes oid = der_read(&extension, DER_OID);
    *is_critical = false;
    if (der_peek(&extension) == DER_BOOLEAN) {
        *is_critical = der_read_boolean(&extension);
        if (!*is_critical)
            reader_fail(reader);
    }
    *value = der_read(&extension, DER_OCTET_STRING);
    if (!read_end(&extension))
        reader_fail(reader);
    return oid;
}

void x509_seen_add(struct x509_seen *seen, struct bytes oid, struct reader *reader)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (bytes_equal(seen->oids[i], oid))
            reader_fail(reader);
    }
    if (seen->count == X509_EXTENSION_COUNT_MAX)
        reader_fail(reader);
    else
        seen->oids[seen->count++] = oid;
}

static void read_extensions(struct x509_certificate *certificate, struct reader *reader)
{
    struct x509_seen seen = { .count = 0 };
    struct reader wrapped = der_enter(reader, DER_CONTEXT_3);
    certificate->extensions = der_read(&wrapped, DER_SEQUENCE);
    struct reader extensions = reader_of(certificate->extensions);
    if (!read_end(&wrapped) || certificate->extensions.size == 0)
        reader_fail(reader);
    while (reader_left(&extensions) > 0) {
        struct bytes content;
        bool is_critical;
        struct bytes oid = x509_read_extension(&extensions, &content, &is_critical);
        x509_seen_add(&seen, oid, reader);
        if (extensions.failed || reader->failed) {
            reader_fail(reader);
            return;
        }
        struct reader value = reader_of(content);
        if (bytes_equal(oid, oid_basic_constraints))
            read_basic_constraints(certificate, &value);
        else if (bytes_equal(oid, oid_key_usage))
            read_key_usage(certificate, &value);
        else {
            read_rest(&value);
            /* Names matter to TLS clients only, and S3N's know their servers by key. */
            if (is_critical && !bytes_equal(oid, oid_subject_alt_name))
                certificate->has_unknown_critical = true;
        }
        if (!read_end(&value))
            reader_fail(reader);
    }
}

static void read_signed_part(struct x509_certificate *certificate, struct reader *reader,
                             struct bytes *algorithm)
{
    struct bytes unused = { 0 };
    struct reader version = der_enter(reader, DER_CONTEXT_0);
    bool is_v3 = der_read_unsigned(&version, 2) == 2;
    if (!read_end(&version) || !is_v3)
        reader_fail(reader);
    certificate->serial = der_read_big(reader);
    if (certificate->serial.size > X509_SERIAL_SIZE_MAX)
        reader_fail(reader);
    uint8_t tag;
    struct bytes content;
    *algorithm = der_read_any(reader, &tag, &content);
    certificate->issuer = x509_read_name(reader, &unused);
    struct reader validity = der_enter(reader, DER_SEQUENCE);
    certificate->not_before_s = der_read_time(&validity);
    certificate->not_after_s = der_read_time(&validity);
    if (!read_end(&validity))
        reader_fail(reader);
    certificate->subject = x509_read_name(reader, &certificate->common_name);
    struct bytes spki = der_read_any(reader, &tag, &content);
    if (!public_key_view_spki(&certificate->key, spki))
        reader_fail(reader);
    if (der_peek(reader) == DER_CONTEXT_3)
        read_extensions(certificate, reader);
}

bool x509_parse(struct x509_certificate *certificate, struct bytes der, struct error *error)
{
    if (der.size > X509_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "certificate is above %d bytes", X509_SIZE_MAX);
    struct x509_certificate parsed = { .der = der, .path_length = -1 };
    struct reader outer = reader_of(der);
    struct reader reader = der_enter(&outer, DER_SEQUENCE);
    uint8_t tag;
    struct bytes content;
    parsed.signed_part = der_read_any(&reader, &tag, &content);
    struct reader signed_part = reader_of(content);
    const uint8_t *algorithm_start = reader.at;
    enum signature_kind kind = signature_read_algorithm(&reader);
    struct bytes algorithm = bytes_of(algorithm_start, (size_t)(reader.at - algorithm_start));
    struct bytes signature = der_read_bits(&reader);
    if (tag != DER_SEQUENCE || !read_end(&reader) || !read_end(&outer))
        return error_set(error, ERROR_INVALID,
                         "not a certificate in DER, or signed with another algorithm than ECDSA or "
                         "RSASSA-PSS");
    struct bytes signed_algorithm;
    read_signed_part(&parsed, &signed_part, &signed_algorithm);
    if (!read_end(&signed_part) || !bytes_equal(signed_algorithm, algorithm) ||
        !signature_view(&parsed.signature, kind, signature))
        return error_set(error, ERROR_INVALID,
                         "certificate is malformed, or not of a P-256, P-384 or RSA key");
    *certificate = parsed;
    return true;
}

bool x509_chain_parse_pem(struct x509_chain *chain, struct bytes pem, struct error *error)
{
    if (pem.size > PEM_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "certificates are above %d bytes", PEM_SIZE_MAX);
    struct reader text = reader_of(pem);
    size_t used = 0;
    chain->count = 0;
    do {
        size_t size;
        if (chain->count == X509_CHAIN_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "chain has more than %d certificates",
                             X509_CHAIN_COUNT_MAX);
        if (!pem_read(&text, "CERTIFICATE", chain->der + used, sizeof(chain->der) - used, &size,
                      error) ||
            !x509_parse(&chain->certificates[chain->count], bytes_of(chain->der + used, size),
                        error))
            return error_within(error, "certificate %zu", chain->count + 1);
        used += size;
        chain->count++;
    } while (!pem_is_end(&text));
    return true;
}

bool x509_chain_parse(struct x509_chain *chain, struct bytes text, struct error *error)
{
    if (text.size == 0 || text.data[0] != DER_SEQUENCE)
        return x509_chain_parse_pem(chain, text, error);
    if (text.size > X509_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "certificate is above %d bytes", X509_SIZE_MAX);
    memcpy(chain->der, text.data, text.size);
    chain->count = 1;
    return x509_parse(&chain->certificates[0], bytes_of(chain->der, text.size), error);
}

bool x509_extension_find(const struct x509_certificate *certificate, struct bytes oid,
                         struct bytes *value, bool *is_critical)
{
    struct reader extensions = reader_of(certificate->extensions);
    while (reader_left(&extensions) > 0) {
        struct bytes content;
        bool critical;
        if (bytes_equal(x509_read_extension(&extensions, &content, &critical), oid)) {
            *value = content;
            *is_critical = critical;
            return true;
        }
    }
    return false;
}
