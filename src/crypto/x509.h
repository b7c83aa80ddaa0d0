/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates (RFC 5280) with the keys and signatures of crypto/public_key.h: read, verified
 * up to a given root at a given time, and (with P-256) issued.
 *
 * The reader takes DER only, is stricter than most (one encoding per value, no duplicated
 * extension, no unknown critical one when verified, no negative serial) and keeps views into the
 * caller's bytes.  There is no system trust store and no clock here: root and time are arguments.
 * Revocation is not looked at: crypto/crl.h. */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/buffer.h"
#include "crypto/limits.h"
#include "crypto/public_key.h"

/* Bits of struct x509_certificate.key_usage, as BIT STRING positions of RFC 5280 4.2.1.3. */
enum x509_key_usage {
    X509_USAGE_DIGITAL_SIGNATURE = 1 << 0,
    X509_USAGE_CERT_SIGN = 1 << 5,
    X509_USAGE_CRL_SIGN = 1 << 6
};

struct x509_certificate {
    struct bytes der;         /* all of it */
    struct bytes signed_part; /* TBSCertificate */
    struct bytes serial;      /* content of the INTEGER, without a leading zero byte */
    struct bytes issuer;      /* Name, DER */
    struct bytes subject;     /* Name, DER */
    struct bytes common_name; /* of the subject: the last CN, empty without one */
    int64_t not_before_s;     /* seconds since 1970, both ends included */
    int64_t not_after_s;
    struct public_key key; /* not checked to be on its curve; verification does */
    struct signature_value signature;
    struct bytes extensions; /* the SEQUENCE's content, empty without extensions */
    bool has_basic_constraints;
    bool is_ca;
    int path_length; /* -1: no limit */
    bool has_key_usage;
    uint16_t key_usage;
    bool has_unknown_critical;
    bool is_signature_known; /* set by crypto/signature_memo.h: verification takes it as holding */
};

/* Why a chain was refused; the error's text says it for people. */
enum x509_fault {
    X509_FAULT_NONE,
    X509_FAULT_INVALID, /* names, flags, path length, key usage, signature */
    X509_FAULT_ROOT_UNTRUSTED,
    X509_FAULT_EXPIRED,
    X509_FAULT_NOT_YET_VALID
};

/* Certificates leaf first, with the memory of their DER.  Views point inside: never copy one. */
struct x509_chain {
    struct x509_certificate certificates[X509_CHAIN_COUNT_MAX];
    size_t count;
    uint8_t der[X509_CHAIN_SIZE_MAX];
};

/* Views into `der`, which must outlive the certificate.  UNSUPPORTED for other algorithms. */
MUST_CHECK bool x509_parse(struct x509_certificate *certificate, struct bytes der,
                           struct error *error);
/* PEM blocks "CERTIFICATE", one or more. */
MUST_CHECK bool x509_chain_parse_pem(struct x509_chain *chain, struct bytes pem,
                                     struct error *error);
/* One certificate in DER or a chain in PEM, whichever it is. */
MUST_CHECK bool x509_chain_parse(struct x509_chain *chain, struct bytes text, struct error *error);

/* The value of the extension with this OID (content bytes of the OBJECT IDENTIFIER). */
bool x509_extension_find(const struct x509_certificate *certificate, struct bytes oid,
                         struct bytes *value, bool *is_critical);

/* Checks `count` certificates, leaf first, up to `root`: the last one is the root itself (same key
 * and name) or is signed by it.  Each link: names, CA flag, key usage, path length, signature; all
 * dates at `now_s`.  Signatures are judged before dates, so that an expired date is a signed one.
 * UNVERIFIED with *fault set. */
MUST_CHECK bool x509_chain_verify(const struct x509_certificate *certificates, size_t count,
                                  const struct x509_certificate *root, int64_t now_s,
                                  enum x509_fault *fault, struct error *error);
/* Signature of `certificate` under a key. */
MUST_CHECK bool x509_signature_verify(const struct x509_certificate *certificate,
                                      const struct public_key *issuer_key, struct error *error);
bool x509_is_self_issued(const struct x509_certificate *certificate);

struct x509_extra_extension {
    struct bytes oid;   /* content bytes of the OBJECT IDENTIFIER */
    struct bytes value; /* DER, goes into the OCTET STRING */
    bool is_critical;
};

/* What a new certificate says.  The serial is random, subject and authority key identifiers are
 * added. */
struct x509_request {
    const char *common_name;
    const char *organization; /* NULL: none */
    int64_t not_before_s;
    int64_t not_after_s;
    bool is_ca;
    int path_length;    /* with is_ca; -1: no limit */
    bool is_tls_server; /* adds extendedKeyUsage serverAuth */
    const char *const
        *names; /* subjectAltName: DNS names and IP literals, NULL-terminated, or NULL */
    struct x509_extra_extension extensions[X509_ISSUED_EXTENSIONS_MAX];
    size_t extension_count;
};

/* Appends the DER of a certificate for `subject_key`, signed by `issuer_key` under the name of
 * `issuer`; without issuer it is self-signed. */
MUST_CHECK bool x509_issue(struct buffer *der, const struct x509_request *request,
                           const struct ecdsa_public *subject_key,
                           const struct x509_certificate *issuer,
                           const struct ecdsa_key *issuer_key, struct error *error);

#endif
