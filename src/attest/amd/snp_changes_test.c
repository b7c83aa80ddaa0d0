/* SPDX-License-Identifier: Apache-2.0 */
/* Five real reports, cut at every length and changed in every bit: none is accepted. */
#include "attest/amd/test_reports.h"
#include "tests/harness.h"

#include <string.h>

static void refuses_every_cut_and_every_change(void)
{
    for (size_t i = 0; i < SNP_REAL_COUNT; i++) {
        struct attest_verdict verdict;
        struct signature_memo memo = { 0 };
        struct attest_options options = snp_options(i);
        options.memo = &memo;
        uint8_t copy[SNP_REPORT_SIZE + 1] = { 0 };
        struct bytes report = snp_file(snp_real[i].report);
        REQUIRE(report.size == SNP_REPORT_SIZE);
        memcpy(copy, report.data, report.size);
        REQUIRE(snp_judge(&verdict, bytes_of(copy, report.size), &options) == ATTEST_REASON_NONE);
        for (size_t size = 0; size < report.size; size++)
            CHECK(snp_judge(&verdict, bytes_of(copy, size), &options) == ATTEST_REASON_FORMAT);
        CHECK(snp_judge(&verdict, BYTES_OF(copy), &options) == ATTEST_REASON_FORMAT);
        for (size_t bit = 0; bit < 8 * report.size; bit++) {
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_NOTE(snp_judge(&verdict, bytes_of(copy, report.size), &options) !=
                           ATTEST_REASON_NONE,
                       "%s bit %zu", snp_real[i].report, bit);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static const struct test tests[] = {
    TEST(refuses_every_cut_and_every_change),
};
TEST_MAIN(tests)
