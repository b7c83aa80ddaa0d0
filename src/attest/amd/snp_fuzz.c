/* SPDX-License-Identifier: Apache-2.0 */
/* Reports, tables and wrappers, with AMD's real certificates beside: nothing changed is valid. */
#include "attest/attest.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    static struct attest_verdict verdict;
    static struct signature_memo memo;
    struct error error;
    struct attest_options options = { .tee = ATTEST_TEE_SNP, .now_s = 1751328000, .memo = &memo };
    uint8_t text[16384];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    bool is_valid = attest_verify(&verdict, input, &options, &error);
    /* What is valid brought its certificates along. */
    ASSERT(!is_valid || input.size > SNP_REPORT_SIZE);
    json_write_object_begin(&json);
    attest_verdict_write(&json, &verdict);
    json_write_object_end(&json);
    ASSERT(writer_view(&writer).size > 0);
    struct snp_report report;
    if (!snp_report_read(&report, input))
        ASSERT(input.size < SNP_REPORT_SIZE);
}
