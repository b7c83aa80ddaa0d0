/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a receipt down to the root of the processor's maker, or a node's keyset before it is
 * trusted.  Pure: bytes and a time in, a value out; no network, no files, no clock.
 *
 * Steps, in order; the first that fails ends it:
 *     - receipt signature: the receipt's form, signed by the keyset's receipt key
 *     - keyset: canonical; the receipt names its digest, node and platform, and was issued while it
 *       was valid; for an attestation: valid now
 *     - evidence: whole and signed, made for this keyset and nonce, and as the policy wants it
 *     - root: the evidence's certificates end at a root that is trusted
 *     - code: the version is made of the code and manifest it names, and the code is the expected
 *       one if one is given
 *     - input, output: the digests, if they are given
 *     - event log: it leads to the register in the evidence, or to the keyset's head; the load of
 *       what answered is in it (verify_events.h).  Not compared when the keyset tells of none, and
 *       for an attestation without one
 * Whatever rests on platform `sim` is SIMULATED and refused unless `trust_simulated`, or the policy
 * allows it. */
#ifndef KEYS_VERIFY_H
#define KEYS_VERIFY_H

#include "attest/eat/ear.h"
#include "attest/events/events.h"
#include "keys/bundle.h"
#include "keys/receipt.h"

enum verify_step {
    VERIFY_STEP_SIGNATURE,
    VERIFY_STEP_KEYSET,
    VERIFY_STEP_EVIDENCE,
    VERIFY_STEP_ROOT,
    VERIFY_STEP_CODE,
    VERIFY_STEP_INPUT,
    VERIFY_STEP_OUTPUT,
    VERIFY_STEP_EVENTS,
    VERIFY_STEP_COUNT,
};

enum verify_verdict {
    VERIFY_NOT_REACHED,
    VERIFY_PASSED,
    VERIFY_FAILED,
    VERIFY_NOT_COMPARED, /* the caller gave nothing to compare with */
};

struct verify_options {
    bool trust_simulated;
    /* Instead of the built-in roots: a certificate, DER or PEM; empty for none. */
    struct bytes root;
    int64_t now_s;
    /* Judge evidence and collateral at the time that the receipt states, instead of now_s. */
    bool is_at_receipt;
    /* What valid evidence must be; NULL: policy_default, which the evidence of simulated platforms
     * without collateral meets too once it is trusted. */
    const struct policy *policy;
    const char *policy_id;   /* for the appraisal; NULL: "default" */
    bool is_policy_left_out; /* validity only */
    /* Expected values; NULL: not compared. */
    const struct digest32 *code;
    const struct digest32 *input;
    const struct digest32 *output;
    const struct nonce32 *nonce;        /* that the receipt's caller sent */
    const struct ecdsa_public *tls_key; /* that the node's TLS session used */
    struct intel_known *known; /* to verify many receipts faster: attest/intel/known.h; or NULL */
};

struct verify_result {
    struct {
        enum verify_verdict verdict;
        char detail[160];
    } steps[VERIFY_STEP_COUNT];
    bool simulated;
    int64_t judged_at_s;
    /* Of evidence that was valid; its names are the policy's. */
    bool has_policy;
    struct policy_report policy;
    /* What step evidence is made of. */
    struct attest_step evidence_steps[ATTEST_STEP_COUNT_MAX];
    size_t evidence_step_count;
    struct keyset keyset;   /* once step keyset passed */
    struct receipt receipt; /* once step receipt signature passed */
    struct digest32 keyset_digest;
    bool has_register; /* of run-time events, in valid evidence */
    struct digest48 event_register;
    struct events_verdict events; /* of a log that was compared */
    bool has_appraisal;           /* once the evidence was looked at */
    struct ear appraisal;
};

const char *verify_step_name(enum verify_step step);
const char *verify_verdict_name(enum verify_verdict verdict);

/* `result` is filled in either case.  UNVERIFIED, and the text names the step: "output digest
 * differs".  INVALID only for a bad root in the options. */
MUST_CHECK bool verify_bundle(struct verify_result *result, const struct bundle *bundle,
                              const struct verify_options *options, struct error *error);
/* Steps keyset, evidence, root and event log alone; `nonce` is the one that was sent. */
MUST_CHECK bool verify_attestation(struct verify_result *result,
                                   const struct attestation *attestation,
                                   const struct nonce32 *nonce,
                                   const struct verify_options *options, struct error *error);

#endif
