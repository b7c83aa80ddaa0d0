/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence to claims to verdict.
 *
 * Pure: bytes in, value out.  No clock (time is an argument), no files, no network, no state.  The
 * checks run in a fixed order and the first that fails gives the reason; docs/attestation.md lists
 * them.  Collateral (revocation lists, TCB levels, QE identity) and policy are not looked at yet: a
 * verdict says that the evidence is genuine, not that the platform is up to date. */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

#include "attest/pck.h"
#include "attest/quote.h"
#include "attest/reason.h"
#include "crypto/hash.h"

enum attest_platform {
    ATTEST_PLATFORM_SGX,
    ATTEST_PLATFORM_TDX
};

/* Filled only by a verification that held. */
struct attest_claims {
    enum attest_platform platform;
    bool is_simulated; /* proves nothing about hardware; whoever shows it says SIMULATED */
    bool is_debug;
    uint16_t quote_version;
    struct sgx_report sgx; /* for ATTEST_PLATFORM_SGX */
    struct td_report td;   /* for ATTEST_PLATFORM_TDX */
    uint8_t report_data[REPORT_DATA_SIZE];
    struct pck_info pck;
    uint8_t qe_mr_signer[32];
    uint16_t qe_isv_svn;
    struct digest32 root_key_id; /* ecdsa_public_id of the root that was trusted */
    int64_t not_after_s;         /* when the first certificate of the chain expires */
};

struct attest_options {
    int64_t now_s;                       /* the time to judge at, seconds since 1970 */
    const struct x509_certificate *root; /* the trust anchor; NULL: Intel's */
    struct bytes pck_chain;              /* PEM, for quotes that carry none; or empty */
    bool trust_simulated;                /* accept simulated evidence, whatever its root */
    bool allow_debug;                    /* accept what its host can look into */
    const uint8_t *report_data;          /* REPORT_DATA_SIZE bytes expected, or NULL: any */
};

struct attest_step {
    const char *name; /* for people: "attestation key binding" */
    bool is_good;
    char detail[sizeof(((struct error *)0)->text)]; /* what was found, or why it failed */
};

struct attest_verdict {
    bool is_valid;
    enum attest_reason reason; /* of the first check that failed */
    struct attest_claims claims;
    struct attest_step steps[ATTEST_STEP_COUNT_MAX]; /* those that ran, the failed one last */
    size_t step_count;
};

/* UNVERIFIED unless all holds.  The verdict is filled in both cases: its steps and reason always,
 * its claims only when it is valid. */
MUST_CHECK bool attest_verify(struct attest_verdict *verdict, struct bytes evidence,
                              const struct attest_options *options, struct error *error);

const char *attest_platform_name(enum attest_platform platform);
/* Intel SGX Root CA, DER: the trust anchor of real Intel evidence. */
struct bytes attest_intel_root(void);
/* Whether a root is the development root of a simulated platform, by its name. */
bool attest_root_is_simulated(const struct x509_certificate *root);

#endif
