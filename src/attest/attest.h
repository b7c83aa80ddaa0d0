/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence to claims to verdict.
 *
 * Pure: bytes in, value out.  No clock (time is an argument), no files, no network, no state.  Each
 * kind of evidence has one table of checks, run in order; the first that fails gives the reason,
 * and a check whose collateral was not given is left out and said to be.  docs/attestation.md lists
 * them.
 *
 * "Valid" is about signatures, chains, dates, identities and levels.  Whether what is valid is good
 * enough (debug, TCB status, measurements, age) is for a policy to judge: policy/policy.h. */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

#include "attest/amd/snp.h"
#include "attest/intel/intel.h"
#include "attest/intel/known.h"
#include "attest/limits.h"
#include "attest/nitro/nitro.h"
#include "attest/ratls/ratls.h"
#include "attest/reason.h"
#include "core/json_writer.h"
#include "crypto/hash.h"
#include "crypto/signature_memo.h"
#include "crypto/x509.h"

enum attest_tee {
    ATTEST_TEE_ANY, /* as an option: whatever the bytes look like */
    ATTEST_TEE_TDX,
    ATTEST_TEE_SGX,
    ATTEST_TEE_SNP,
    ATTEST_TEE_NITRO
};

/* What the makers publish beside evidence.  Certificates and lists in DER or PEM, all views into
 * the caller's bytes; empty: not given. */
struct attest_collateral {
    /* Intel */
    struct bytes tcb_info;    /* JSON with its signature, as served */
    struct bytes qe_identity; /* the same */
    struct bytes tcb_chain;   /* TCB signing certificate and root: signs both */
    struct bytes pck_chain;   /* for quotes that carry none */
    struct bytes pck_crl;
    struct bytes root_crl;
    /* AMD */
    struct bytes vek; /* VCEK or VLEK */
    struct bytes intermediate;
    struct bytes crl;
    struct bytes certificate_table; /* of the extended request: gives what is not given above */
};

struct attest_options {
    enum attest_tee
        tee;       /* whose format it is: TDX and SGX are one, the verdict tells which it was */
    int64_t now_s; /* the time to judge at, seconds since 1970 */
    const struct x509_certificate *root; /* the trust anchor; NULL: the vendor's, built in */
    struct attest_collateral collateral;
    bool trust_simulated;     /* accept a development root, whatever its key */
    struct bytes report_data; /* expected, as long as the evidence's own; empty: any */
    /* To verify again faster; each or NULL.  Neither says anything of dates, names or trust. */
    struct signature_memo *memo; /* signatures of collateral and issuers */
    struct intel_known *known;   /* Intel's collateral and chains, parsed, with their signatures */
};

enum attest_step_state {
    ATTEST_STEP_FAILED,
    ATTEST_STEP_PASSED,
    ATTEST_STEP_LEFT_OUT /* what it needs was not given */
};

struct attest_step {
    const char *name; /* for people: "attestation key binding" */
    enum attest_step_state state;
    char detail[sizeof(((struct error *)0)->text)]; /* what was found, or why it failed */
};

/* Filled only by a verification that held. */
struct attest_claims {
    bool is_simulated; /* proves nothing about hardware; whoever shows it says SIMULATED */
    bool is_debug;     /* its host can look inside */
    uint8_t report_data[REPORT_DATA_SIZE]; /* Nitro: the user data, if it is as long; or zeros */
    struct digest32 root_key_id;           /* SHA-256 of the trusted root's public key, DER */
    int64_t not_after_s;                   /* when the first certificate of the chain expires */
    struct ratls_claims ratls;             /* when the evidence was in a certificate */
    union {
        struct intel_claims intel; /* TDX and SGX */
        struct snp_claims snp;
        struct nitro_claims nitro;
    };
};

struct attest_verdict {
    enum attest_tee tee; /* ATTEST_TEE_ANY when the bytes are nothing known */
    bool is_valid;
    enum attest_reason reason; /* of the first check that failed */
    struct attest_claims claims;
    struct attest_step steps[ATTEST_STEP_COUNT_MAX]; /* those that ran, the failed one last */
    size_t step_count;
};

/* UNVERIFIED unless all holds.  The verdict is filled in both cases: its steps and reason always,
 * its claims only when it is valid.  It points into neither evidence nor collateral, except for the
 * parts that a claim's header says it borrows. */
MUST_CHECK bool attest_verify(struct attest_verdict *verdict, struct bytes evidence,
                              const struct attest_options *options, struct error *error);

/* "tdx", "sgx", "snp", "nitro"; "any". */
const char *attest_tee_name(enum attest_tee tee);
MUST_CHECK bool attest_tee_find(enum attest_tee *tee, const char *name);
/* What kind of evidence the bytes look like, by their first ones; ATTEST_TEE_ANY for none. */
enum attest_tee attest_tee_of(struct bytes evidence);

/* The members of one open object: result, reason, tee, the TCB's state, claims, steps, left_out. */
void attest_verdict_write(struct json_writer *json, const struct attest_verdict *verdict);

/* Intel SGX Root CA, DER: the trust anchor of real Intel evidence. */
struct bytes attest_intel_root(void);
/* AWS Nitro Enclaves' root G1, DER. */
struct bytes attest_nitro_root(void);
/* Whether a root is the development root of a simulated platform, by its name. */
bool attest_root_is_simulated(const struct x509_certificate *root);

#endif
