/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of AMD SEV-SNP reports, in the order of docs/attestation.md. */
#include "attest/check.h"

static bool check_format(void *context, struct error *error)
{
    return attest_refuse(context, ATTEST_REASON_UNSUPPORTED_TEE, error,
                         "SEV-SNP reports are not verified yet");
}

static const struct attest_check checks[] = {
    { "format", check_format },
};

bool snp_verify(struct attest_run *run, struct error *error)
{
    return attest_run_checks(run, checks, ARRAY_COUNT(checks), run, error);
}

void snp_claims_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    json_write_name(json, "version");
    json_write_unsigned(json, verdict->claims.snp.version);
}
