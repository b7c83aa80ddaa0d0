/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 revocation lists (RFC 5280 section 5), version 2, complete and direct, in DER: read,
 * verified under their issuer's certificate at a given time, and asked for serials.
 *
 * Strict as crypto/x509.h: one encoding per value, no duplicated extension, none that is critical
 * and unknown; nextUpdate must be there.  Delta lists, indirect lists and lists for only some
 * certificates or reasons are refused, since a missing serial says nothing in those.  Keeps views
 * into the caller's bytes, never allocates; no clock here. */
#ifndef CRYPTO_CRL_H
#define CRYPTO_CRL_H

#include "crypto/x509.h"

struct crl {
    struct bytes der;         /* all of it */
    struct bytes signed_part; /* TBSCertList */
    struct bytes issuer;      /* Name, DER */
    int64_t this_update_s;    /* seconds since 1970, both ends included */
    int64_t next_update_s;
    struct bytes entries; /* the SEQUENCE's content, each entry checked; empty without any */
    size_t entry_count;
    struct bytes number; /* content of the CRL number without a leading zero; empty without */
    struct signature_value signature;
    bool is_signature_known; /* as in struct x509_certificate */
};

/* Why a list was refused; the error's text says it for people. */
enum crl_fault {
    CRL_FAULT_NONE,
    CRL_FAULT_ISSUER, /* another name, or a certificate that may not sign lists */
    CRL_FAULT_SIGNATURE,
    CRL_FAULT_EXPIRED,
    CRL_FAULT_NOT_YET_VALID
};

/* Views into `der`, which must outlive the list. */
MUST_CHECK bool crl_parse(struct crl *crl, struct bytes der, struct error *error);
/* Issuer's name and right to sign lists, then the signature, then the dates.  UNVERIFIED with
 * *fault set.  The issuer's own certificate is the caller's to verify. */
MUST_CHECK bool crl_verify(const struct crl *crl, const struct x509_certificate *issuer,
                           int64_t now_s, enum crl_fault *fault, struct error *error);
/* `serial` as x509_certificate has it.  Lists with many entries are searched one by one. */
bool crl_is_revoked(const struct crl *crl, struct bytes serial);

/* What a new list says. */
struct crl_request {
    int64_t this_update_s;
    int64_t next_update_s;
    uint64_t number;
    const struct bytes *serials; /* as x509_certificate has them */
    size_t serial_count;
};

/* Appends the DER of a list signed by a P-256 key, under the name in its certificate. */
MUST_CHECK bool crl_issue(struct buffer *der, const struct crl_request *request,
                          const struct x509_certificate *issuer, const struct ecdsa_key *issuer_key,
                          struct error *error);

#endif
