/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's identity of a quoting enclave, version 2: JSON to fields, and the comparison with an
 * enclave's report; the signature is the caller's to verify. */
#ifndef ATTEST_INTEL_QE_IDENTITY_H
#define ATTEST_INTEL_QE_IDENTITY_H

#include "attest/intel/tcb_level.h"

enum qe_kind {
    QE_KIND_OTHER, /* a verification enclave's, for instance */
    QE_KIND_SGX,   /* "QE" */
    QE_KIND_TDX    /* "TD_QE" */
};

/* Views point into the parsed bytes; values in the order of the report's bytes. */
struct qe_identity {
    struct tcb_envelope envelope;
    enum qe_kind kind;
    int64_t issued_s;
    int64_t next_update_s;
    uint32_t evaluation_data_number;
    uint8_t misc_select[4];
    uint8_t misc_select_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mr_signer[32];
    uint16_t isv_prod_id;
    struct isv_levels levels; /* at least one */
};

/* INVALID for all that does not fit; members that Intel adds are skipped. */
MUST_CHECK bool qe_identity_parse(struct qe_identity *identity, struct bytes source,
                                  struct error *error);
/* UNVERIFIED, saying what differs.  The version is not looked at. */
MUST_CHECK bool qe_identity_match(const struct qe_identity *identity,
                                  const struct sgx_report *report, struct error *error);

#endif
