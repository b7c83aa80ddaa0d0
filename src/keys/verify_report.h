/* SPDX-License-Identifier: Apache-2.0 */
/* What `s3n verify --json` prints of a verification, for the command and the browser's build. */
#ifndef KEYS_VERIFY_REPORT_H
#define KEYS_VERIFY_REPORT_H

#include "core/json_writer.h"
#include "keys/verify.h"

enum {
    VERIFY_REPORT_SIZE_MAX = 128 << 10
};

/* One object: verified, simulated, judged_at, steps, evidence_steps, ear once the evidence was
 * looked at, policy and rules, and the receipt's claims if `receipt` is not NULL: canonical JSON,
 * as receipt_claims gives it. */
void verify_report_write(struct json_writer *json, const struct verify_result *result, bool held,
                         const struct buffer *receipt);

#endif
