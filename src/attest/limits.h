/* SPDX-License-Identifier: Apache-2.0 */
/* What this module accepts at most, by name. */
#ifndef ATTEST_LIMITS_H
#define ATTEST_LIMITS_H

enum {
    QUOTE_SIZE_MAX = 16384,          /* with padding; real ones are at most 8000 bytes */
    NITRO_DOCUMENT_SIZE_MAX = 32768, /* the secure module's answers are at most 12288 bytes */
    NITRO_MODULE_ID_SIZE_MAX = 127,
    NITRO_FIELD_COUNT_MAX = 32, /* members of a document, nine are known */
    NITRO_CERTIFICATE_SIZE_MAX = 1024,
    NITRO_BUNDLE_COUNT_MAX = 7,         /* certificates above the leaf: four today */
    NITRO_DATA_SIZE_MAX = 1024,         /* public key, user data, nonce */
    RATLS_CERTIFICATE_SIZE_MAX = 32768, /* DER, with one or two quotes in it */
    RATLS_CLAIM_COUNT_MAX = 16,         /* beside the quote */
    RATLS_CLAIM_NAME_SIZE_MAX = 63,
    RATLS_NONCE_SIZE_MAX = 64,
    EAT_MEASUREMENT_COUNT_MAX = 32, /* of one claims-set: the PCRs of a document */
    CMW_ITEM_COUNT_MAX = 16,        /* records of one collection */
    ATTEST_STEP_COUNT_MAX = 32,     /* checks of one verification */
    INTEL_CRL_SIZE_MAX = 16384,     /* a revocation list in PEM, decoded */
    INTEL_KNOWN_COUNT = 64,         /* pieces remembered; a platform's collateral has six */
    INTEL_KNOWN_SIZE_MAX = 65536,   /* bytes of one; what is larger is read every time */
    TCB_JSON_SIZE_MAX = 65536,      /* TCB info or QE identity; real ones are at most 7000 bytes */
    TCB_LEVEL_COUNT_MAX = 64,       /* of a platform; real TCB infos have up to 20 */
    TCB_MODULE_COUNT_MAX = 16,      /* identities of the TDX module */
    ISV_LEVEL_COUNT_MAX = 32,       /* of one enclave or module */
    TCB_ADVISORY_COUNT_MAX = 32     /* of one level; real ones have up to 12 */
};

/* AMD */
enum {
    SNP_TABLE_SIZE_MAX = 64 << 10,    /* certificate table of a report */
    SNP_TABLE_ENTRY_COUNT_MAX = 32,   /* its entries */
    SNP_EVIDENCE_SIZE_MAX = 80 << 10, /* report and table, or Azure's wrapper of it */
    SNP_CRL_SIZE_MAX = 128 << 10      /* revocation list; real ones have 900 bytes */
};

/* S3N's event log */
enum {
    EVENT_NAME_SIZE_MAX = 32, /* characters of a detail's name */
    EVENT_KIND_SIZE_MAX = 32,
    EVENT_TEXT_SIZE_MAX = 256, /* characters of a string */
    EVENT_DETAIL_COUNT_MAX = 16,
    EVENT_SIZE_MAX = 2048, /* bytes of a record */
    EVENTS_COUNT_MAX = 1 << 16,
    EVENTS_SIZE_MAX = 16 << 20 /* bytes of a log */
};

#endif
