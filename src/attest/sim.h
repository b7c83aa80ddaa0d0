/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated platform: evidence in Intel's TDX version 4 format for machines without a TEE.
 *
 * It differs from real evidence in its trust anchor alone, a development root that is made at first
 * start and whose name says so; parser and verifier are the same.  It proves nothing about
 * hardware.  Owns: one chain (root, intermediate, PCK leaf), the leaf's key, an attestation key,
 * and collateral that is valid as long as the root.  The keys of root, intermediate and TCB signing
 * are forgotten once they have signed. */
#ifndef ATTEST_SIM_H
#define ATTEST_SIM_H

#include "attest/intel/quote.h"
#include "base/buffer.h"
#include "base/secret.h"

/* In the names of all certificates of the chain. */
#define SIM_NAME_PREFIX "S3N Simulated "

struct sim_root;
struct attest_collateral;

/* Makes a chain that is valid from `now_s` (a day of leeway before) for ten years. */
MUST_CHECK bool sim_root_new(struct sim_root **root, int64_t now_s, struct error *error);
/* What must be kept to issue under the same root again: PEM text with the leaf's private key, the
 * chain and the collateral (which exports of earlier versions lack).  The attestation key is made
 * anew at every import. */
MUST_CHECK bool sim_root_export(struct secret_buffer *text, const struct sim_root *root,
                                struct error *error);
MUST_CHECK bool sim_root_import(struct sim_root **root, struct bytes text, struct error *error);
void sim_root_free(struct sim_root *root);
DEFINE_AUTO(sim_root, sim_root_free)
/* The root certificate, DER, for verifiers that want to pin it. */
struct bytes sim_root_certificate(const struct sim_root *root);

/* Views of the platform's collateral, for as long as the root lives; false, and empty, under a root
 * that an earlier version made. */
bool sim_collateral(const struct sim_root *root, struct attest_collateral *collateral);

/* Appends a quote over `report_data` (REPORT_DATA_SIZE bytes).  `report`: NULL for the
 * measurements of this S3N version. */
MUST_CHECK bool sim_quote(struct buffer *quote, const struct sim_root *root,
                          const uint8_t *report_data, const struct td_report *report,
                          struct error *error);
/* The same for every start of one S3N version: MRTD is SHA-384("s3n-sim/mrtd/VERSION"), MRSEAM
 * SHA-384("s3n-sim/mrseam"), RTMR0 to RTMR2 SHA-384("s3n-sim/rtmrN/VERSION"), RTMR3 zero (the
 * platform puts its own there), not a debug domain. */
void sim_measurements(struct td_report *report);

#endif
