/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes: parsing, then the whole verification of what parses. */
#include "attest/attest.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    enum attest_reason reason = ATTEST_REASON_NONE;
    struct quote quote;
    if (!quote_parse(&quote, input, &reason, &error)) {
        ASSERT(reason != ATTEST_REASON_NONE);
        return;
    }
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = 1750377600, .trust_simulated = true };
    ASSERT(attest_verify(&verdict, input, &options, &error) == verdict.is_valid);
}
