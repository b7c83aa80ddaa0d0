/* SPDX-License-Identifier: Apache-2.0 */
/* Inside attest/intel only: what the checks of an Intel quote share.  Each finds what the ones
 * before it left; docs/attestation.md lists them in order. */
#ifndef ATTEST_INTEL_VERIFICATION_H
#define ATTEST_INTEL_VERIFICATION_H

#include "attest/check.h"
#include "attest/intel/qe_identity.h"
#include "attest/intel/tcb_info.h"
#include "crypto/crl.h"

enum {
    PCK_LEAF,
    PCK_CA,
    PCK_ROOT,
    PCK_CHAIN_COUNT
};

/* Memory for whatever the caller's options.known does not have. */
struct verification_space {
    struct x509_chain chain;
    struct x509_chain tcb_chain;
    struct tcb_info tcb_info;
    struct qe_identity qe_identity;
    uint8_t root_crl[INTEL_CRL_SIZE_MAX]; /* for lists in PEM */
    uint8_t pck_crl[INTEL_CRL_SIZE_MAX];
};

struct verification {
    struct attest_run *run;
    struct quote quote;
    struct x509_chain *chain;        /* PCK leaf, CA and root */
    struct known_piece *chain_piece; /* where it is from, NULL: parsed here */
    struct x509_certificate intel;
    const struct x509_certificate *root; /* the one trusted */
    bool is_simulated;
    struct crl root_crl;
    struct crl pck_crl;
    bool has_root_crl;
    bool has_pck_crl;
    struct x509_chain *tcb_chain; /* TCB signing certificate and root; NULL: not yet parsed */
    struct pck_info pck;
    const struct tcb_info *tcb_info; /* NULL: not given, or not yet judged */
    const struct qe_identity *qe_identity;
    struct intel_claims claims;
    struct verification_space *own;
};

/* certificates.c */
bool intel_check_chain(void *context, struct error *error);
bool intel_check_root_crl(void *context, struct error *error);
bool intel_check_pck_crl(void *context, struct error *error);
bool intel_check_tcb_revocation(void *context, struct error *error);
bool intel_check_tcb_chain(void *context, struct error *error);

/* collateral.c */
bool intel_check_extension(void *context, struct error *error);
bool intel_check_tcb_info(void *context, struct error *error);
bool intel_check_qe_identity(void *context, struct error *error);
bool intel_check_tcb_fits(void *context, struct error *error);
bool intel_check_qe(void *context, struct error *error);
bool intel_check_module(void *context, struct error *error);
bool intel_check_level(void *context, struct error *error);

/* Takes a document's dates into the claims' and compares them with the time of the judgement. */
bool intel_is_early(struct verification *verification, int64_t issued_s);
bool intel_is_late(struct verification *verification, int64_t expires_s);

#endif
