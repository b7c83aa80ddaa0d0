/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: RFC 5280 section 6.1, as far as the certificates that x509_parse accepts can differ. */
#include "crypto/x509.h"

#include "core/time.h"

static bool refuse(enum x509_fault *fault, enum x509_fault what, struct error *error,
                   const char *text)
{
    *fault = what;
    return error_set(error, ERROR_UNVERIFIED, "%s", text);
}

bool x509_is_self_issued(const struct x509_certificate *certificate)
{
    return bytes_equal(certificate->issuer, certificate->subject);
}

bool x509_signature_verify(const struct x509_certificate *certificate,
                           const struct public_key *issuer_key, struct error *error)
{
    return public_key_verify(issuer_key, certificate->signed_part, &certificate->signature, error);
}

/* One link; `below`: certificates between the issuer and the leaf that are not self-issued. */
static bool verify_link(const struct x509_certificate *certificate,
                        const struct x509_certificate *issuer, size_t below, enum x509_fault *fault,
                        struct error *error)
{
    if (!bytes_equal(certificate->issuer, issuer->subject))
        return refuse(fault, X509_FAULT_INVALID, error, "issuer and subject names differ");
    if (!issuer->is_ca)
        return refuse(fault, X509_FAULT_INVALID, error, "issuer is not a certificate authority");
    if (issuer->has_key_usage && (issuer->key_usage & X509_USAGE_CERT_SIGN) == 0)
        return refuse(fault, X509_FAULT_INVALID, error, "issuer may not sign certificates");
    if (issuer->path_length >= 0 && below > (size_t)issuer->path_length)
        return refuse(fault, X509_FAULT_INVALID, error, "chain is longer than an issuer allows");
    if (certificate->has_unknown_critical)
        return refuse(fault, X509_FAULT_INVALID, error, "unknown critical extension");
    if (!certificate->is_signature_known &&
        !x509_signature_verify(certificate, &issuer->key, error)) {
        *fault = X509_FAULT_INVALID;
        return error_within(error, "certificate");
    }
    return true;
}

/* Whether the chain ends at the root, and whether it carries the root itself. */
static bool find_root(const struct x509_certificate *last, const struct x509_certificate *root,
                      bool *is_carried, enum x509_fault *fault, struct error *error)
{
    bool is_same_name = bytes_equal(last->subject, root->subject);
    *is_carried = is_same_name && public_key_equal(&last->key, &root->key);
    if (*is_carried)
        return true;
    if (is_same_name || !bytes_equal(last->issuer, root->subject))
        return refuse(fault, X509_FAULT_ROOT_UNTRUSTED, error,
                      "chain does not end at the trusted root");
    return true;
}

/* Says which date it is that the time is beyond. */
static bool refuse_date(enum x509_fault *fault, enum x509_fault what, int64_t date_s,
                        struct error *error)
{
    char text[TIME_TEXT_SIZE + 1] = "a date out of range";
    (void)!time_format(text, date_s);
    *fault = what;
    return error_set(error, ERROR_UNVERIFIED, "certificate %s %s",
                     what == X509_FAULT_EXPIRED ? "expired at" : "is not valid before", text);
}

static bool verify_dates(const struct x509_certificate *certificate, int64_t now_s,
                         enum x509_fault *fault, struct error *error)
{
    if (now_s < certificate->not_before_s)
        return refuse_date(fault, X509_FAULT_NOT_YET_VALID, certificate->not_before_s, error);
    if (now_s > certificate->not_after_s)
        return refuse_date(fault, X509_FAULT_EXPIRED, certificate->not_after_s, error);
    return true;
}

bool x509_chain_verify(const struct x509_certificate *certificates, size_t count,
                       const struct x509_certificate *root, int64_t now_s, enum x509_fault *fault,
                       struct error *error)
{
    if (count == 0)
        return refuse(fault, X509_FAULT_INVALID, error, "chain is empty");
    bool is_carried;
    if (!find_root(&certificates[count - 1], root, &is_carried, fault, error))
        return false;
    if (root->has_unknown_critical)
        return refuse(fault, X509_FAULT_INVALID, error, "unknown critical extension");
    size_t signed_count = is_carried ? count - 1 : count;
    /* A carried root that is not the trusted one byte for byte must at least be signed by it. */
    if (is_carried && !bytes_equal(certificates[count - 1].der, root->der) &&
        !verify_link(&certificates[count - 1], root, 0, fault, error))
        return false;
    for (size_t i = signed_count; i-- > 0;) {
        const struct x509_certificate *issuer = i + 1 < signed_count ? &certificates[i + 1] : root;
        size_t below = 0;
        for (size_t j = 1; j <= i; j++)
            below += x509_is_self_issued(&certificates[j]) ? 0 : 1;
        if (!verify_link(&certificates[i], issuer, below, fault, error))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!verify_dates(&certificates[i], now_s, fault, error))
            return false;
    }
    return verify_dates(root, now_s, fault, error);
}
