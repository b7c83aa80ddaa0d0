/* SPDX-License-Identifier: Apache-2.0 */
/* Real certificates and revocation lists, cut at every length and changed in every bit: none is
 * accepted under its issuer. */
#include "crypto/crl.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/"
#define SNP  DATA "attest/snp/"

enum {
    SIZE_MAX_HERE = 4096
};

static const struct {
    const char *file;
    const char *issuer; /* DER, or the certificate of a PEM chain that issued it */
    size_t index;
} certificates[] = {
    { SNP "certs/milan_ask.der", SNP "certs/milan_ark.der", 0 },
    { SNP "certs/vcek_coco_milan.der", SNP "certs/milan_ask.der", 0 },
    { SNP "certs/vlek_coco_aws.der", SNP "certs/milan_asvk.der", 0 },
    { SNP "certs/vcek_cdai_genoa.der", SNP "certs/genoa_ask.der", 0 },
    { SNP "certs/vcek_microsoft_turin.der", SNP "certs/turin_ask.der", 0 },
    { DATA "certificates/intel_sgx_root_ca.der", DATA "certificates/intel_sgx_root_ca.der", 0 },
}, lists[] = {
    { SNP "crl/milan_crl.der", SNP "certs/milan_ark.der", 0 },
    { SNP "crl/genoa_crl.der", SNP "certs/genoa_ark.der", 0 },
    { DATA "certificates/root_ca_crl_20250320.der", DATA "certificates/intel_sgx_root_ca.der", 0 },
    { DATA "attest/intel/sample_root_crl.der", DATA "attest/sample_pck_full_chain.pem", 2 },
    { DATA "attest/intel/sample_pck_crl.der", DATA "attest/sample_pck_full_chain.pem", 1 },
};

static bool certificate_holds(struct bytes der, const struct x509_certificate *issuer)
{
    struct error error;
    enum x509_fault fault;
    struct x509_certificate certificate;
    return x509_parse(&certificate, der, &error) &&
           x509_chain_verify(&certificate, 1, issuer, certificate.not_before_s, &fault, &error);
}

static bool list_holds(struct bytes der, const struct x509_certificate *issuer)
{
    struct error error;
    enum crl_fault fault;
    struct crl crl;
    return crl_parse(&crl, der, &error) &&
           crl_verify(&crl, issuer, crl.this_update_s, &fault, &error);
}

static void check_changes(const char *file, const struct x509_certificate *issuer,
                          bool (*holds)(struct bytes, const struct x509_certificate *))
{
    struct bytes original = test_file(file);
    uint8_t copy[SIZE_MAX_HERE] = { 0 };
    REQUIRE(original.size < sizeof(copy));
    memcpy(copy, original.data, original.size);
    CHECK_NOTE(holds(original, issuer), "%s", file);
    for (size_t size = 0; size < original.size; size++)
        CHECK_NOTE(!holds(bytes_of(copy, size), issuer), "%s: %zu bytes", file, size);
    CHECK(!holds(bytes_of(copy, original.size + 1), issuer));
    for (size_t bit = 0; bit < 8 * original.size; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(!holds(bytes_of(copy, original.size), issuer), "%s: bit %zu", file, bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void refuses_changed_certificates(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(certificates); i++) {
        struct error error;
        struct x509_chain issuers;
        REQUIRE(x509_chain_parse(&issuers, test_file(certificates[i].issuer), &error));
        check_changes(certificates[i].file, &issuers.certificates[certificates[i].index],
                      certificate_holds);
    }
}

static void refuses_changed_lists(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        struct error error;
        struct x509_chain issuers;
        REQUIRE(x509_chain_parse(&issuers, test_file(lists[i].issuer), &error));
        REQUIRE(lists[i].index < issuers.count);
        check_changes(lists[i].file, &issuers.certificates[lists[i].index], list_holds);
    }
}

static const struct test tests[] = {
    TEST(refuses_changed_certificates),
    TEST(refuses_changed_lists),
};
TEST_MAIN(tests)
