/* SPDX-License-Identifier: Apache-2.0 */
/* Inside attest only: collateral of a simulated platform, made with its chain because the keys of
 * root and intermediate are forgotten then.  TCB info (version 3) and TD QE identity that find the
 * platform up to date, empty revocation lists, the TCB signing chain; all valid as long as the
 * root. */
#ifndef ATTEST_SIM_COLLATERAL_H
#define ATTEST_SIM_COLLATERAL_H

#include "base/buffer.h"
#include "base/secret.h"
#include "crypto/x509.h"

enum {
    SIM_DAY_S = 86400,
    SIM_VALIDITY_S = 3653 * SIM_DAY_S,
    SIM_COLLATERAL_SIZE_MAX = 16384 /* each piece */
};

struct sim_collateral {
    struct buffer tcb_info;
    struct buffer qe_identity;
    struct buffer tcb_chain; /* PEM */
    struct buffer root_crl;
    struct buffer pck_crl;
};

/* A certificate with its key. */
struct sim_issuer {
    struct ecdsa_key *key;
    struct buffer der;
    struct x509_certificate certificate;
};

void sim_issuer_done(struct sim_issuer *issuer);
#define AUTO_SIM_ISSUER __attribute__((cleanup(sim_issuer_done)))
/* `by` NULL: self-signed. */
MUST_CHECK bool sim_issuer_make(struct sim_issuer *made, const struct x509_request *request,
                                const struct sim_issuer *by, struct error *error);
struct x509_request sim_request(const char *name, int64_t now_s);
/* MRSIGNER of the simulated quoting enclave. */
struct digest32 sim_qe_signer(void);

void sim_collateral_init(struct sim_collateral *collateral);
void sim_collateral_done(struct sim_collateral *collateral);
bool sim_collateral_is_empty(const struct sim_collateral *collateral);
MUST_CHECK bool sim_collateral_make(struct sim_collateral *collateral,
                                    const struct sim_issuer *root,
                                    const struct sim_issuer *intermediate, int64_t now_s,
                                    struct error *error);
/* As PEM text behind the chain in an export; absent in those of earlier versions. */
MUST_CHECK bool sim_collateral_write(struct buffer *text, const struct sim_collateral *collateral,
                                     struct error *error);
MUST_CHECK bool sim_collateral_read(struct sim_collateral *collateral, struct bytes text,
                                    struct error *error);
/* Where the collateral begins in an export; its end when there is none. */
size_t sim_collateral_find(struct bytes text);

#endif
