/* SPDX-License-Identifier: Apache-2.0 */
/* One judgement of evidence from the bytes of files to the report of `s3n verify evidence --json`:
 * root, policy, wrapper and bundle read, evidence verified, policy evaluated.  What the command and
 * the browser's build both call, so that they can't differ.
 *
 * Pure, as attest.h.  Allocates once per judgement and as much as text, wrapper and bundle are
 * long. Certificates and lists may have the forms of evidence_text.h. */
#ifndef ATTEST_APPRAISAL_H
#define ATTEST_APPRAISAL_H

#include "attest/attest.h"
#include "attest/policy/policy.h"
#include "base/buffer.h"

enum {
    APPRAISAL_REPORT_SIZE_MAX = 256 << 10
};

/* Something that may be given or not. */
struct appraisal_file {
    struct bytes text;
    const char *name; /* for errors; NULL: not given */
};

/* A piece of collateral as it was given: an empty one is malformed, not absent, so that who asks
 * for a revocation list to be judged and has an empty file is told. */
static inline struct bytes appraisal_given(struct bytes content)
{
    return content.size > 0 ? content : BYTES_LITERAL("\n");
}

/* All views into the caller's bytes, which must outlive the appraisal. */
struct appraisal_request {
    struct bytes
        evidence; /* or a wrapper (CMW) of it, perhaps with collateral; or either as text */
    struct attest_collateral collateral;
    struct appraisal_file root;   /* the trust anchor, one certificate (the vendor's, built in) */
    struct appraisal_file policy; /* (the default policy) */
    struct appraisal_file bundle; /* a wrapper with collateral that is not given above (none) */
    struct bytes report_data;     /* expected; empty: any */
    enum attest_tee tee; /* ATTEST_TEE_ANY: by the first bytes, and any the policy accepts */
    int64_t now_s;       /* the time to judge at */
    bool trust_simulated;
    bool has_policy; /* false: validity only */
};

struct appraisal {
    struct attest_options options; /* what was judged by: with the collateral of all sources */
    struct bytes evidence;         /* without its wrapper */
    struct attest_verdict verdict;
    bool has_policy;
    struct policy_report report; /* of valid evidence, if there is a policy */
    bool is_accepted;            /* valid, and as the policy wants it */
    struct error refusal;        /* UNVERIFIED: why it is not accepted */
    /* Its own. */
    struct x509_chain root;
    struct policy policy;
    char policy_id[sizeof("sha-256:") + 64];
    struct buffer given, text, wrapped, bundled;
};

/* NULL without memory. */
struct appraisal *appraisal_new(void);
void appraisal_free(struct appraisal *appraisal);
DEFINE_AUTO(appraisal, appraisal_free)

/* Into a new one.  False only for what can't be judged: USAGE for a bad root, INVALID for a policy
 * or bundle that is none, NO_MEMORY.  Evidence that does not hold is a judgement. */
MUST_CHECK bool appraise(struct appraisal *appraisal, const struct appraisal_request *request,
                         struct error *error);
/* The same in two steps: between them, collateral that no source gave can be filled into
 * appraisal->options. */
MUST_CHECK bool appraisal_open(struct appraisal *appraisal, const struct appraisal_request *request,
                               struct error *error);
void appraisal_judge(struct appraisal *appraisal);
/* One object: verdict, policy report, "ear", and "eat" of valid evidence (docs/attestation.md). */
void appraisal_write(struct json_writer *json, const struct appraisal *appraisal);
/* The same members for an object that is open. */
void appraisal_write_members(struct json_writer *json, const struct appraisal *appraisal);

#endif
