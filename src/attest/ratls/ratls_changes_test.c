/* SPDX-License-Identifier: Apache-2.0 */
/* Real certificates with quotes in them, cut at every length and changed in every bit: none is
 * accepted. */
#include "attest/attest.h"
#include "attest/test_p384.c" /* NOLINT(bugprone-suspicious-include) */
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/ratls/"

enum {
    REAL_S = 1755648000 /* 2025-08-20 */
};

static const char *const real[] = { DATA "gramine-cert.pem", DATA "rats-tls-cert.pem",
                                    DATA "intel-sgxsdk-cert.pem", DATA "graphene-cert.pem",
                                    DATA "azure-attestation-cert.pem" };

static void try_certificate(const char *name)
{
    static uint8_t der[RATLS_CERTIFICATE_SIZE_MAX];
    struct error error;
    struct attest_verdict verdict;
    struct signature_memo memo = { 0 };
    struct attest_options options = { .now_s = REAL_S, .memo = &memo };
    struct x509_certificate root;
    if (strstr(name, "graphene") != NULL) {
        REQUIRE(x509_parse(&root, test_file(DATA "intel-sandbox-root.der"), &error));
        options.root = &root;
    }
    size_t whole = 0;
    struct reader text = reader_of(test_file(name));
    REQUIRE(pem_read(&text, "CERTIFICATE", der, sizeof(der), &whole, &error));
    REQUIRE(attest_verify(&verdict, bytes_of(der, whole), &options, &error) ||
            verdict.reason == ATTEST_REASON_CERT_BINDING_INVALID ||
            verdict.reason == ATTEST_REASON_UNSUPPORTED_TEE);
    for (size_t size = 0; size < whole; size++)
        CHECK(!attest_verify(&verdict, bytes_of(der, size), &options, &error));
    for (size_t bit = 0; bit < 8 * whole; bit += test_bit_step()) {
        der[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(!attest_verify(&verdict, bytes_of(der, whole), &options, &error), "%s: bit %zu",
                   name, bit);
        der[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void accepts_no_cut_and_no_changed_bit(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(real); i++)
        try_certificate(real[i]);
}

static const struct test tests[] = {
    TEST(accepts_no_cut_and_no_changed_bit),
};
TEST_MAIN(tests)
