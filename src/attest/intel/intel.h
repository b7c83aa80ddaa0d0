/* SPDX-License-Identifier: Apache-2.0 */
/* Intel SGX and TDX: what a verified quote says, and how up to date its platform is. */
#ifndef ATTEST_INTEL_INTEL_H
#define ATTEST_INTEL_INTEL_H

#include "attest/intel/pck.h"
#include "attest/intel/quote.h"
#include "attest/limits.h"
#include "core/json_writer.h"

/* status, as Intel's TCB info and this module's own convergence name it */
#define INTEL_TCB_STATUSES(X)                                                                      \
    X(UNKNOWN, "Unknown") /* no collateral was given */                                            \
    X(UP_TO_DATE, "UpToDate")                                                                      \
    X(SW_HARDENING, "SWHardeningNeeded")                                                           \
    X(CONFIGURATION, "ConfigurationNeeded")                                                        \
    X(CONFIGURATION_SW_HARDENING, "ConfigurationAndSWHardeningNeeded")                             \
    X(OUT_OF_DATE, "OutOfDate")                                                                    \
    X(OUT_OF_DATE_CONFIGURATION, "OutOfDateConfigurationNeeded")                                   \
    X(TD_RELAUNCH, "TDRelaunchAdvised")                                                            \
    X(TD_RELAUNCH_CONFIGURATION, "TDRelaunchAdvisedConfigurationNeeded")                           \
    X(REVOKED, "Revoked")

enum intel_tcb_status {
#define INTEL_TCB_STATUS_ENUM(code, name) INTEL_TCB_##code,
    INTEL_TCB_STATUSES(INTEL_TCB_STATUS_ENUM)
#undef INTEL_TCB_STATUS_ENUM
};

const char *intel_tcb_status_name(enum intel_tcb_status status);
MUST_CHECK bool intel_tcb_status_find(enum intel_tcb_status *status, struct bytes name);

enum {
    INTEL_ADVISORY_SIZE_MAX = 31,                         /* "INTEL-SA-00289" */
    INTEL_ADVISORY_COUNT_MAX = 3 * TCB_ADVISORY_COUNT_MAX /* platform, TDX module, QE */
};

struct intel_claims {
    uint16_t quote_version;
    enum quote_tee tee;
    struct sgx_report sgx; /* for QUOTE_TEE_SGX */
    struct td_report td;   /* for QUOTE_TEE_TDX */
    struct pck_info pck;
    uint8_t qe_mr_signer[32];
    uint16_t qe_isv_svn;
    size_t trailing_bytes; /* zeros behind the quote, which nobody signed */
    /* With collateral only; INTEL_TCB_UNKNOWN and zeros otherwise. */
    enum intel_tcb_status tcb_status;       /* of all together */
    enum intel_tcb_status tcb_level_status; /* of the platform */
    enum intel_tcb_status tdx_module_status;
    enum intel_tcb_status qe_status;
    int64_t tcb_date_s;
    int64_t qe_tcb_date_s;
    uint32_t tcb_evaluation_data_number;
    uint32_t qe_evaluation_data_number;
    int64_t collateral_issued_s;  /* the oldest of what was used */
    int64_t collateral_expires_s; /* the first of what was used to expire */
    char advisory_ids[INTEL_ADVISORY_COUNT_MAX][INTEL_ADVISORY_SIZE_MAX + 1];
    size_t advisory_count;
};

/* The members tcb_status, tcb_level_status, tcb_date, advisory_ids, qe_status of an open object. */
void intel_tcb_write(struct json_writer *json, const struct intel_claims *claims);

#endif
