/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crl.h"

#include "core/time.h"
#include "crypto/der.h"
#include "crypto/oid.h"
#include "crypto/x509_parts.h"

/* CRLReason: 7 is not used. */
static bool is_reason(struct bytes value)
{
    struct reader reader = reader_of(value);
    uint64_t reason = der_read_enumerated(&reader, 10);
    return read_end(&reader) && reason != 7;
}

/* crlEntryExtensions.  The reason does not matter: listed is revoked, also "on hold". */
static void read_entry_extensions(struct reader *entry)
{
    struct bytes seen[CRL_ENTRY_EXTENSION_COUNT_MAX];
    size_t count = 0;
    struct reader extensions = der_enter(entry, DER_SEQUENCE);
    if (reader_left(&extensions) == 0)
        reader_fail(entry);
    while (reader_left(&extensions) > 0 && !entry->failed) {
        struct bytes value;
        bool is_critical;
        struct bytes oid = x509_read_extension(&extensions, &value, &is_critical);
        for (size_t i = 0; i < count; i++) {
            if (bytes_equal(seen[i], oid))
                reader_fail(entry);
        }
        bool is_known = bytes_equal(oid, oid_reason_code) || bytes_equal(oid, oid_invalidity_date);
        /* An entry of another issuer makes the list an indirect one. */
        if (count == ARRAY_COUNT(seen) || (is_critical && !is_known) ||
            bytes_equal(oid, oid_certificate_issuer) ||
            (bytes_equal(oid, oid_reason_code) && !is_reason(value))) {
            reader_fail(entry);
            return;
        }
        seen[count++] = oid;
    }
    if (!read_end(&extensions))
        reader_fail(entry);
}

/* revokedCertificates: a list without entries has no such field. */
static void read_entries(struct crl *crl, struct reader *reader)
{
    crl->entries = der_read(reader, DER_SEQUENCE);
    struct reader entries = reader_of(crl->entries);
    if (crl->entries.size == 0)
        reader_fail(reader);
    while (reader_left(&entries) > 0) {
        struct reader entry = der_enter(&entries, DER_SEQUENCE);
        struct bytes serial = der_read_big(&entry);
        der_read_time(&entry);
        if (reader_left(&entry) > 0)
            read_entry_extensions(&entry);
        if (serial.size > X509_SERIAL_SIZE_MAX || !read_end(&entry))
            reader_fail(&entries);
        crl->entry_count++;
    }
    if (!read_end(&entries))
        reader_fail(reader);
}

static void read_extensions(struct crl *crl, struct reader *reader)
{
    struct x509_seen seen = { .count = 0 };
    struct reader wrapped = der_enter(reader, DER_CONTEXT_0);
    struct reader extensions = der_enter(&wrapped, DER_SEQUENCE);
    if (!read_end(&wrapped) || reader_left(&extensions) == 0)
        reader_fail(reader);
    while (reader_left(&extensions) > 0 && !reader->failed) {
        struct bytes content;
        bool is_critical;
        struct bytes oid = x509_read_extension(&extensions, &content, &is_critical);
        x509_seen_add(&seen, oid, reader);
        struct reader value = reader_of(content);
        if (bytes_equal(oid, oid_crl_number)) {
            crl->number = der_read_big(&value);
            if (!read_end(&value) || crl->number.size > X509_SERIAL_SIZE_MAX)
                reader_fail(reader);
        } else if (is_critical || bytes_equal(oid, oid_issuing_distribution_point) ||
                   bytes_equal(oid, oid_delta_crl_indicator))
            reader_fail(reader);
    }
    if (!read_end(&extensions))
        reader_fail(reader);
}

static void read_signed_part(struct crl *crl, struct reader *reader, struct bytes *algorithm)
{
    uint8_t tag;
    struct bytes content;
    struct bytes unused = { 0 };
    bool is_v2 = der_read_unsigned(reader, 1) == 1;
    if (!is_v2)
        reader_fail(reader);
    *algorithm = der_read_any(reader, &tag, &content);
    crl->issuer = x509_read_name(reader, &unused);
    crl->this_update_s = der_read_time(reader);
    crl->next_update_s = der_read_time(reader);
    if (der_peek(reader) == DER_SEQUENCE)
        read_entries(crl, reader);
    if (der_peek(reader) == DER_CONTEXT_0)
        read_extensions(crl, reader);
}

bool crl_parse(struct crl *crl, struct bytes der, struct error *error)
{
    if (der.size > CRL_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "revocation list is above %d bytes", CRL_SIZE_MAX);
    struct crl parsed = { .der = der };
    struct reader outer = reader_of(der);
    struct reader reader = der_enter(&outer, DER_SEQUENCE);
    uint8_t tag;
    struct bytes content;
    parsed.signed_part = der_read_any(&reader, &tag, &content);
    const uint8_t *algorithm_start = reader.at;
    enum signature_kind kind = signature_read_algorithm(&reader);
    struct bytes algorithm = bytes_of(algorithm_start, (size_t)(reader.at - algorithm_start));
    struct bytes signature = der_read_bits(&reader);
    if (tag != DER_SEQUENCE || !read_end(&reader) || !read_end(&outer))
        return error_set(error, ERROR_INVALID,
                         "not a revocation list in DER, or signed with another algorithm than "
                         "ECDSA or RSASSA-PSS");
    struct reader signed_part = reader_of(content);
    struct bytes signed_algorithm;
    read_signed_part(&parsed, &signed_part, &signed_algorithm);
    if (!read_end(&signed_part) || !bytes_equal(signed_algorithm, algorithm) ||
        !signature_view(&parsed.signature, kind, signature))
        return error_set(error, ERROR_INVALID,
                         "revocation list is malformed, or not a complete and direct one of "
                         "version 2");
    *crl = parsed;
    return true;
}

static bool refuse(enum crl_fault *fault, enum crl_fault what, struct error *error,
                   const char *text)
{
    *fault = what;
    return error_set(error, ERROR_UNVERIFIED, "%s", text);
}

/* Says which date it is that the time is beyond. */
static bool refuse_date(enum crl_fault *fault, enum crl_fault what, int64_t date_s,
                        struct error *error)
{
    char text[TIME_TEXT_SIZE + 1] = "a date out of range";
    (void)!time_format(text, date_s);
    *fault = what;
    return error_set(error, ERROR_UNVERIFIED, "revocation list %s %s",
                     what == CRL_FAULT_EXPIRED ? "expired at" : "is not valid before", text);
}

bool crl_verify(const struct crl *crl, const struct x509_certificate *issuer, int64_t now_s,
                enum crl_fault *fault, struct error *error)
{
    if (!bytes_equal(crl->issuer, issuer->subject))
        return refuse(fault, CRL_FAULT_ISSUER, error, "revocation list is of another issuer");
    if (issuer->has_key_usage && (issuer->key_usage & X509_USAGE_CRL_SIGN) == 0)
        return refuse(fault, CRL_FAULT_ISSUER, error, "issuer may not sign revocation lists");
    if (!crl->is_signature_known &&
        !public_key_verify(&issuer->key, crl->signed_part, &crl->signature, error))
        return refuse(fault, CRL_FAULT_SIGNATURE, error,
                      "revocation list: signature does not verify");
    if (now_s < crl->this_update_s)
        return refuse_date(fault, CRL_FAULT_NOT_YET_VALID, crl->this_update_s, error);
    if (now_s > crl->next_update_s)
        return refuse_date(fault, CRL_FAULT_EXPIRED, crl->next_update_s, error);
    return true;
}

bool crl_is_revoked(const struct crl *crl, struct bytes serial)
{
    struct reader entries = reader_of(crl->entries);
    while (reader_left(&entries) > 0) {
        struct reader entry = der_enter(&entries, DER_SEQUENCE);
        if (bytes_equal(der_read_big(&entry), serial))
            return true;
    }
    return false;
}
