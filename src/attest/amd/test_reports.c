/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/test_reports.h"

#include "tests/harness.h"

#include <stdio.h>

const struct snp_real snp_real[SNP_REAL_COUNT] = {
    { "reports/milan_v2_coco.bin", "certs/vcek_coco_milan.der", "certs/milan_ask.der", 1751328000 },
    { "reports/milan_v3_vlek_coco_aws.bin", "certs/vlek_coco_aws.der", "certs/milan_asvk.der",
      1751328000 },
    { "reports/genoa_v3_microsoft.bin", "certs/vcek_microsoft_genoa.der", "certs/genoa_ask.der",
      1772841600 },
    { "reports/genoa_v5_cdai.bin", "certs/vcek_cdai_genoa.der", "certs/genoa_ask.der", 1773878400 },
    { "reports/turin_v5_microsoft.bin", "certs/vcek_microsoft_turin.der", "certs/turin_ask.der",
      1772323200 },
};

struct bytes snp_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/data/attest/snp/%s", name);
    return test_file(path);
}

struct attest_options snp_options(size_t index)
{
    return (struct attest_options){
        .tee = ATTEST_TEE_SNP,
        .now_s = snp_real[index].now_s,
        .collateral = { .vek = snp_file(snp_real[index].vek),
                        .intermediate = snp_file(snp_real[index].intermediate) },
    };
}

enum attest_reason snp_judge(struct attest_verdict *verdict, struct bytes evidence,
                             const struct attest_options *options)
{
    struct error error;
    bool is_valid = attest_verify(verdict, evidence, options, &error);
    CHECK(is_valid == verdict->is_valid && is_valid == (verdict->reason == ATTEST_REASON_NONE));
    CHECK(is_valid || error.code == ERROR_UNVERIFIED);
    return verdict->reason;
}
