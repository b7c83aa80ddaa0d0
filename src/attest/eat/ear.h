/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict and a policy report as an attestation result that RATS tools read: EAR
 * (draft-ietf-rats-ear) with a trustworthiness vector (draft-ietf-rats-ar4si).
 *
 * Both are drafts.  The names are those of the profile that tools in use speak,
 * "tag:github.com,2023:veraison/ear"; later drafts write "ear_status" for "ear.status", with the
 * same numbers in CBOR.  docs/attestation.md says which value stands for what. */
#ifndef ATTEST_EAT_EAR_H
#define ATTEST_EAT_EAR_H

#include "attest/policy/policy.h"

#define EAR_PROFILE "tag:github.com,2023:veraison/ear"

/* The tiers' numbers are those of the CBOR form. */
enum ear_tier {
    EAR_TIER_NONE = 0,
    EAR_TIER_AFFIRMING = 2,
    EAR_TIER_WARNING = 32,
    EAR_TIER_CONTRAINDICATED = 96
};

/* Claims of the vector, in the order of their keys. */
enum ear_claim {
    EAR_INSTANCE_IDENTITY,
    EAR_CONFIGURATION,
    EAR_EXECUTABLES,
    EAR_FILE_SYSTEM,
    EAR_HARDWARE,
    EAR_RUNTIME_OPAQUE,
    EAR_STORAGE_OPAQUE,
    EAR_SOURCED_DATA,
    EAR_CLAIM_COUNT
};

struct ear {
    const char *label; /* of the submodule: the kind of evidence */
    enum ear_tier status;
    int8_t vector[EAR_CLAIM_COUNT]; /* 0: no claim */
    const char *policy_id;          /* NULL: none was applied */
    int64_t issued_s;
};

enum ear_tier ear_tier_of(int8_t value);
/* `report` is NULL without a policy, or when the evidence was not valid.  `policy_id` is borrowed,
 * `now_s` becomes the time of issue. */
void ear_of(struct ear *ear, const struct attest_verdict *verdict,
            const struct policy_report *report, const char *policy_id, int64_t now_s);
/* The members of an open object. */
void ear_write_json(struct json_writer *json, const struct ear *ear);
/* The claims-set: one map, deterministic. */
void ear_write_cbor(struct writer *writer, const struct ear *ear);

#endif
