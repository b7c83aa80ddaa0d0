/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: five real reports, and what verifies them. */
#ifndef ATTEST_AMD_TEST_REPORTS_H
#define ATTEST_AMD_TEST_REPORTS_H

#include "attest/attest.h"

enum {
    SNP_REAL_COUNT = 5
};

struct snp_real {
    const char *report;
    const char *vek;
    const char *intermediate;
    int64_t now_s;
};
extern const struct snp_real snp_real[SNP_REAL_COUNT];

/* A file of tests/data/attest/snp. */
struct bytes snp_file(const char *name);
struct attest_options snp_options(size_t index);
/* Verifies, and checks that error, reason and verdict agree. */
enum attest_reason snp_judge(struct attest_verdict *verdict, struct bytes evidence,
                             const struct attest_options *options);

#endif
