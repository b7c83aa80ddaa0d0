/* SPDX-License-Identifier: Apache-2.0 */
/* How verifications are written: a table of checks over one struct, run in order.  Each check finds
 * what the ones before it left, and tells its step what it found. */
#ifndef ATTEST_CHECK_H
#define ATTEST_CHECK_H

#include "attest/attest.h"

/* What the checks of any kind of evidence share. */
struct attest_run {
    struct attest_verdict *verdict;
    const struct attest_options *options;
    struct bytes evidence;
    struct attest_step *step; /* the one that runs */
};

struct attest_check {
    const char *name;
    bool (*run)(void *verification, struct error *error);
};

/* Fails the step that runs; returns false. */
bool attest_refuse(struct attest_run *run, enum attest_reason reason, struct error *error,
                   const char *format, ...) PRINTF_LIKE(4, 5);
/* Says what the step found. */
void attest_note(struct attest_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
/* Says that the step could not be made and what it lacks; returns true. */
bool attest_leave_out(struct attest_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* UNVERIFIED by the first check that fails; its text is "name: why". */
MUST_CHECK bool attest_run_checks(struct attest_run *run, const struct attest_check *checks,
                                  size_t count, void *verification, struct error *error);

/* The last check of every kind: `found` is what the evidence carries. */
MUST_CHECK bool attest_check_report_data(struct attest_run *run, struct bytes found,
                                         struct error *error);

/* One per kind: runs its table and fills verdict->claims. */
MUST_CHECK bool intel_verify(struct attest_run *run, struct error *error);
MUST_CHECK bool snp_verify(struct attest_run *run, struct error *error);
MUST_CHECK bool nitro_verify(struct attest_run *run, struct error *error);
/* A certificate with a quote in it: the checks of the quote, between its own. */
MUST_CHECK bool ratls_verify(struct attest_run *run, struct error *error);
/* A quote in Open Enclave's wrapping: the same. */
MUST_CHECK bool open_enclave_verify(struct attest_run *run, struct error *error);

/* Members of the open object "claims", in the names of docs/attestation.md. */
void intel_claims_write(struct json_writer *json, const struct attest_verdict *verdict);
void snp_claims_write(struct json_writer *json, const struct attest_verdict *verdict);
void nitro_claims_write(struct json_writer *json, const struct attest_verdict *verdict);
void ratls_claims_write(struct json_writer *json, const struct ratls_claims *claims);

#endif
