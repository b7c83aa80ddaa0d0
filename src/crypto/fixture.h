/* SPDX-License-Identifier: Apache-2.0 */
/* For tests only (of this and higher modules): a certificate authority that can also do wrong.
 * Keys of all kinds, certificates and revocation lists said field by field.  Failures abort. */
#ifndef CRYPTO_FIXTURE_H
#define CRYPTO_FIXTURE_H

#include "crypto/x509.h"

struct fixture_key;

/* `bits` for RSA only. */
struct fixture_key *fixture_key_new(enum public_key_kind kind, unsigned bits);
void fixture_key_free(struct fixture_key *key);
DEFINE_AUTO(fixture_key, fixture_key_free)
/* SubjectPublicKeyInfo, DER; lives as long as the key. */
struct bytes fixture_key_spki(const struct fixture_key *key);

enum fixture_algorithm {
    FIXTURE_ECDSA,            /* by the key: P-256 with SHA-256, P-384 with SHA-384 */
    FIXTURE_PSS,              /* SHA-384 throughout, salt 48 */
    FIXTURE_PSS_TRAILER,      /* the same, the default trailer spelt out */
    FIXTURE_PSS_SALT_32,      /* the same with another salt, said so */
    FIXTURE_PSS_SALT_32_LIED, /* the same with another salt, not said so */
    FIXTURE_PSS_SHA256,
    FIXTURE_PSS_DEFAULTS, /* empty parameters: SHA-1, salt 20 */
    FIXTURE_PKCS1         /* sha384WithRSAEncryption */
};

/* As certificates have it, appended. */
void fixture_sign(struct buffer *signature, const struct fixture_key *key,
                  enum fixture_algorithm algorithm, struct bytes message);
/* r || s of a P-384 key. */
struct ecdsa384_signature fixture_sign384(const struct fixture_key *key, struct bytes message);

enum {
    FIXTURE_EXTENSION_COUNT_MAX = 16
};

enum fixture_constraints {
    FIXTURE_NO_CONSTRAINTS,
    FIXTURE_CA,
    FIXTURE_CA_OF_LEAVES, /* path length 0 */
    FIXTURE_NOT_CA
};

struct fixture_certificate {
    const char *issuer; /* common names */
    const char *subject;
    struct bytes name_parts; /* DER of what stands before the common name in both; or empty */
    struct bytes serial;     /* content of the INTEGER as it stands; empty: one byte 5 */
    int64_t not_before_s;
    int64_t not_after_s;
    enum fixture_constraints constraints;
    const char *key_usage; /* content of the BIT STRING, two bytes; NULL: none */
    struct x509_extra_extension extensions[FIXTURE_EXTENSION_COUNT_MAX];
    size_t extension_count;
};

void fixture_certificate(struct buffer *der, const struct fixture_certificate *content,
                         const struct fixture_key *subject, const struct fixture_key *issuer,
                         enum fixture_algorithm algorithm);

struct fixture_crl {
    const char *issuer;
    int64_t this_update_s;
    int64_t next_update_s; /* 0: left out */
    bool is_v1;
    const struct bytes *serials; /* contents of INTEGERs */
    size_t serial_count;
    struct x509_extra_extension entry_extension; /* of the first entry; without OID: a reason */
    struct x509_extra_extension extensions[FIXTURE_EXTENSION_COUNT_MAX];
    size_t extension_count;
};

void fixture_crl(struct buffer *der, const struct fixture_crl *content,
                 const struct fixture_key *issuer, enum fixture_algorithm algorithm);

#endif
