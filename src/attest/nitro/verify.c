/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of Nitro attestation documents, in the order of docs/attestation.md. */
#include "attest/check.h"

static bool check_format(void *context, struct error *error)
{
    return attest_refuse(context, ATTEST_REASON_UNSUPPORTED_TEE, error,
                         "Nitro documents are not verified yet");
}

static const struct attest_check checks[] = {
    { "format", check_format },
};

bool nitro_verify(struct attest_run *run, struct error *error)
{
    return attest_run_checks(run, checks, ARRAY_COUNT(checks), run, error);
}

void nitro_claims_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    json_write_name(json, "timestamp");
    json_write_integer(json, verdict->claims.nitro.timestamp_ms);
}
