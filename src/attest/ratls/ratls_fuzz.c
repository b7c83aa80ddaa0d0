/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates with evidence: parsing, signature, binding and endorsements each alone (a fuzzer
 * can't make the quote hold), then the whole. */
#include "attest/attest.h"
#include "fuzz/fuzz.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    struct error error;
    struct ratls_certificate certificate;
    struct ratls_endorsements endorsements;
    (void)!ratls_read_endorsements(&endorsements, input, &error);
    if (ratls_parse(&certificate, input, &error)) {
        ASSERT(certificate.layout != RATLS_NONE && certificate.oid != NULL);
        (void)!ratls_verify_self(&certificate, &error);
        uint8_t report_data[REPORT_DATA_SIZE] = { 0 };
        struct digest32 digest = sha256_of(certificate.claims);
        memcpy(report_data, digest.bytes, sizeof(digest.bytes));
        struct ratls_claims claims;
        (void)!ratls_check_binding(&claims, &certificate, report_data, &error);
        (void)!ratls_read_endorsements(&endorsements, certificate.endorsements, &error);
    }
    if (!ratls_is_certificate(input))
        return;
    static struct attest_verdict verdict;
    struct attest_options options = { .now_s = 1755648000 };
    ASSERT(attest_verify(&verdict, input, &options, &error) == verdict.is_valid);
}
