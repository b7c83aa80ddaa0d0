/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence inside X.509 certificates: attested TLS certificates of Intel's, Gramine's, rats-tls',
 * dstack's and Open Enclave's making, in which a quote vouches for the certificate's own key.
 *
 *     2.23.133.5.4.9            60000([quote, claims]), CBOR ("Interoperable RA-TLS" of the
 *                               Confidential Computing Consortium); claims: "pubkey-hash", "nonce"
 *     1.2.840.113741.1.13.1     the quote alone (Intel's older SDKs): the OID that PCK certificates
 *                               use for another thing
 *     1.2.840.113741.1337.6     the quote alone (Gramine), also with the OID's tag and length
 *                               repeated inside, as Gramine ships it
 *     1.3.6.1.4.1.62397.1.1     the quote in an OCTET STRING (dstack)
 *     1.3.6.1.4.1.311.105.1     the quote behind Open Enclave's header of reports (Azure
 * Attestation, 1.2.840.113556.10.1.1     Open Enclave, EGo; intel/open_enclave.h) 2.23.133.5.4.2
 * collateral for the first, by the same maker
 *
 * The first that a certificate carries, in this order, is its evidence.  Certificates are read
 * laxer than crypto/x509.h does, as these programs write some of them (NULL parameters of an ECDSA
 * algorithm, P-384 keys with SHA-256, times in the other form): nothing but key, signature and
 * extensions is looked at; names and dates prove nothing. */
#ifndef ATTEST_RATLS_RATLS_H
#define ATTEST_RATLS_RATLS_H

#include "attest/limits.h"
#include "base/error.h"
#include "crypto/limits.h"
#include "crypto/public_key.h"

enum ratls_layout {
    RATLS_NONE, /* the evidence was no certificate */
    RATLS_TAGGED,
    RATLS_INTEL,
    RATLS_GRAMINE,
    RATLS_DSTACK,
    RATLS_OPEN_ENCLAVE
};

/* Views into the certificate. */
struct ratls_certificate {
    struct bytes signed_part;
    struct bytes algorithm; /* OID, content bytes */
    struct bytes signature; /* as certificates have it */
    struct bytes spki;
    struct bytes key_id; /* subject and authority key identifiers; empty: none */
    struct bytes authority_key_id;
    bool is_self_signed; /* says to be, by its names or by these identifiers */
    enum ratls_layout layout;
    const char *oid;       /* of the extension, dotted */
    const char *other_oid; /* of a second one with a quote; NULL: none */
    bool is_critical;
    struct bytes content; /* of the extension */
    struct bytes quote;
    /* RATLS_TAGGED only */
    struct bytes claims; /* CBOR, as hashed */
    struct bytes endorsements;
};

/* Whether the bytes are a certificate, DER or PEM, rather than evidence of another kind. */
bool ratls_is_certificate(struct bytes evidence);
/* INVALID unless it is one certificate in DER with a quote in it. */
MUST_CHECK bool ratls_parse(struct ratls_certificate *certificate, struct bytes der,
                            struct error *error);
/* The signature under the certificate's own key.  UNSUPPORTED for other algorithms than ECDSA on
 * P-256 and P-384 and RSASSA-PKCS1-v1_5 with SHA-256, UNVERIFIED. */
MUST_CHECK bool ratls_verify_self(const struct ratls_certificate *certificate, struct error *error);

struct ratls_claims {
    enum ratls_layout layout;
    const char *oid; /* as above */
    const char *other_oid;
    bool is_self_signed; /* false: issued by another, whose signature was not checked */
    bool is_critical;
    /* RATLS_TAGGED only */
    uint64_t tag;
    char names[RATLS_CLAIM_COUNT_MAX][RATLS_CLAIM_NAME_SIZE_MAX + 1];
    size_t name_count;
    uint64_t hash_algorithm; /* of IANA's named information hashes: 1, 7, 8 */
    uint8_t key_hash[64];
    size_t key_hash_size;
    uint8_t nonce[RATLS_NONCE_SIZE_MAX];
    size_t nonce_size;
};

/* Whether `report_data` (64 bytes, of the verified quote) is about this certificate's key, by the
 * rule of its layout.  UNVERIFIED. */
MUST_CHECK bool ratls_check_binding(struct ratls_claims *claims,
                                    const struct ratls_certificate *certificate,
                                    const uint8_t *report_data, struct error *error);

/* What the endorsements extension carries, each empty when it is not there. */
struct ratls_endorsements {
    struct bytes tcb_info;
    struct bytes tcb_chain;
    struct bytes pck_crl;
    struct bytes root_crl;
    struct bytes qe_identity;
};

MUST_CHECK bool ratls_read_endorsements(struct ratls_endorsements *endorsements,
                                        struct bytes content, struct error *error);

#endif
