/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict's claims as an Entity Attestation Token names them (RFC 9711), so that RATS tools can
 * read them: a claims-set in JSON or CBOR.  It is not signed here: a JWT, or cose_sign1_sign over
 * the CBOR form, does that.  Measurements are measured components (RFC 10013). */
#ifndef ATTEST_EAT_EAT_H
#define ATTEST_EAT_EAT_H

#include "attest/policy/policy.h"

#define EAT_PROFILE "urn:s3n:evidence:1"

/* Section 4.2.9; the numbers are those of the CBOR form. */
enum eat_debug {
    EAT_DEBUG_ENABLED = 0,
    EAT_DEBUG_DISABLED_SINCE_BOOT = 2
};

/* Section 4.2.17, comparison results. */
enum eat_result {
    EAT_RESULT_SUCCESS = 1,
    EAT_RESULT_FAIL = 2,
    EAT_RESULT_NOT_RUN = 3
};

struct eat_measurement {
    char name[16];
    unsigned algorithm; /* IANA named information hashes: 1 SHA-256, 7 SHA-384, 8 SHA-512 */
    uint8_t value[64];
    size_t size;
};

struct eat_claims {
    uint8_t nonce[64]; /* what the evidence was made over: report data, or a document's nonce */
    size_t nonce_size; /* 8 to 64; 0: none */
    uint8_t ueid[33];  /* of the platform, type RAND; size 0: the evidence does not tell */
    size_t ueid_size;
    uint32_t oem; /* private enterprise number of the processor's maker; 0: not given */
    uint8_t hardware_model[32];
    size_t hardware_model_size;
    enum eat_debug debug;
    const char *software_name; /* the policy's measurement that matched; NULL: none */
    struct eat_measurement measurements[EAT_MEASUREMENT_COUNT_MAX];
    size_t measurement_count;
    bool has_results; /* a policy was asked about the measurement */
    enum eat_result result;
};

/* `verdict` must be valid; `report` may be NULL, and is borrowed. */
void eat_claims_of(struct eat_claims *claims, const struct attest_verdict *verdict,
                   const struct policy_report *report);
/* The members of an open object. */
void eat_write_json(struct json_writer *json, const struct eat_claims *claims);
/* The claims-set: one map, deterministic. */
void eat_write_cbor(struct writer *writer, const struct eat_claims *claims);

#endif
