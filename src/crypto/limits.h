/* SPDX-License-Identifier: Apache-2.0 */
/* What this module accepts at most, by name. */
#ifndef CRYPTO_LIMITS_H
#define CRYPTO_LIMITS_H

enum {
    AEAD_SIZE_MAX = 1 << 30,           /* one sealed message */
    HKDF_SIZE_MAX = 255 * 32,          /* RFC 5869 section 2.3 */
    X509_SIZE_MAX = 8192,              /* one certificate, DER */
    X509_CHAIN_COUNT_MAX = 6,          /* certificates in a chain, the root included */
    X509_CHAIN_SIZE_MAX = 16384,       /* all of them, DER */
    X509_EXTENSION_COUNT_MAX = 32,     /* in one certificate */
    X509_SERIAL_SIZE_MAX = 20,         /* RFC 5280 section 4.1.2.2 */
    SIGNATURE_MEMO_COUNT = 32,         /* signatures remembered; a platform's collateral has 6 */
    CRL_SIZE_MAX = 1 << 20,            /* one revocation list, DER; Intel's largest has 4 KiB */
    CRL_ENTRY_EXTENSION_COUNT_MAX = 8, /* of one entry */
    X509_NAME_SIZE_MAX = 64,           /* a name that we issue */
    X509_ISSUED_NAME_COUNT_MAX = 16,   /* subjectAltName entries that we issue */
    X509_ISSUED_EXTENSIONS_MAX = 4,    /* arbitrary extensions that we issue */
    JWE_SIZE_MAX = 1 << 20,            /* one encrypted message, as text */
    JWE_HEADER_SIZE_MAX = 4096,        /* its protected header, decoded */
    JWE_PARTY_SIZE_MAX = 64,           /* apu and apv, decoded */
    HPKE_INFO_SIZE_MAX = 1024,         /* info, and labels of exports */
    COSE_HEADER_COUNT_MAX = 16,        /* in each map of a message */
    DER_DEPTH_MAX = 16,                /* nested values under construction */
    PEM_SIZE_MAX = 64 << 10,           /* one PEM text */
    TLS_FEED_SIZE_MAX = 256 << 10,     /* ciphertext waiting to be read */
    TLS_PEER_CHAIN_SIZE_MAX = 16 << 10 /* certificates of the peer */
};

#endif
