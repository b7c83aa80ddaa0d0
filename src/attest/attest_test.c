/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define DATA "tests/data/attest/"

enum {
    PHALA_S = 1750377600, /* 2025-06-20 */
    SYNTHETIC_S = 1772323200,
    PHALA_SIZE = 5006,
    PHALA_USED = 4936
};

/* A root read from a file of its own, DER or PEM. */
static bool read_root(struct x509_chain *root, const char *path)
{
    struct error error;
    bool is_read = x509_chain_parse(root, test_file(path), &error);
    CHECK_NOTE(is_read, "%s: %s", path, error.text);
    return is_read;
}

/* Verifies `evidence` and checks that verdict, reason and steps agree with each other. */
static enum attest_reason judge(struct attest_verdict *verdict, struct bytes evidence,
                                const struct attest_options *options)
{
    struct error error;
    bool is_valid = attest_verify(verdict, evidence, options, &error);
    CHECK(is_valid == verdict->is_valid);
    CHECK(is_valid == (verdict->reason == ATTEST_REASON_NONE));
    CHECK(is_valid || error.code == ERROR_UNVERIFIED);
    CHECK(verdict->step_count > 0);
    for (size_t i = 0; i < verdict->step_count; i++)
        CHECK((verdict->steps[i].state != ATTEST_STEP_FAILED) ==
              (is_valid || i + 1 < verdict->step_count));
    return verdict->reason;
}

static enum attest_reason reason_of(struct bytes evidence, int64_t now_s)
{
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = now_s };
    return judge(&verdict, evidence, &options);
}

#define CHECK_REASON(actual, expected, note)                                                       \
    CHECK_NOTE((actual) == (expected), "%s: %s", note, attest_reason_name(actual))

/* Real quotes whose cryptography holds under Intel's root at this time, as the vectors say. */
static const struct {
    const char *file;
    int64_t now_s;
    enum attest_tee platform;
    uint16_t version;
    bool is_debug;
    const char *fmspc;
} real[] = {
    { "tdx_v4_phala_b0c06f.bin", PHALA_S, ATTEST_TEE_TDX, 4, false, "b0c06f000000" },
    { "tdx_v5_phala_90c06f_unsupported_tcb.bin", 1771545600, ATTEST_TEE_TDX, 5, false,
      "90c06f000000" },
    { "tdx_v4_near_20a06f.bin", 1757462400, ATTEST_TEE_TDX, 4, false, "20a06f000000" },
    { "tdx_v4_oasis_50806f_same_quote_trimmed.bin", 1687091776, ATTEST_TEE_TDX, 4, false,
      "50806f000000" },
    { "tdx_v4_coco_50806f_debug.bin", 1688173200, ATTEST_TEE_TDX, 4, true, "50806f000000" },
    { "tdx_v5_coco_90c06f.bin", 1750809600, ATTEST_TEE_TDX, 5, false, "90c06f000000" },
    { "tdx_v4_automata_gcp_00806f05.bin", 1750809600, ATTEST_TEE_TDX, 4, false, "00806f050000" },
    { "tdx_v4_azure_00806f05.bin", 1750809600, ATTEST_TEE_TDX, 4, false, "00806f050000" },
    { "tdx_v4_dstack_lite_90c06f.bin", 1780272000, ATTEST_TEE_TDX, 4, false, "90c06f000000" },
    { "tdx_v4_cdai_live_b0c06f.bin", 1780272000, ATTEST_TEE_TDX, 4, false, "b0c06f000000" },
    { "sgx_v3_phala_00a067.bin", PHALA_S, ATTEST_TEE_SGX, 3, false, "00a067110000" },
    { "sgx_v3_occlum_00606a_debug.bin", 1755648000, ATTEST_TEE_SGX, 3, true, "00606a000000" },
    { "sgx_v3_automata_00a067_debug.bin", PHALA_S, ATTEST_TEE_SGX, 3, true, "00a067110000" },
    { "sgx_v3_openenclave.bin", 1672531200, ATTEST_TEE_SGX, 3, true, "00906ed50000" },
    { "sgx_v3_ccf_oe_report.bin", 1596240000, ATTEST_TEE_SGX, 3, true, "00906ed50000" },
    { "sgx_v3_gramine.bin", 1755648000, ATTEST_TEE_SGX, 3, true, "00606a000000" },
};

static struct bytes data_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), DATA "%s", name);
    return test_file(path);
}

static void accepts_real_quotes(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(real); i++) {
        struct attest_verdict verdict;
        struct attest_options options = { .now_s = real[i].now_s };
        struct bytes quote = data_file(real[i].file);
        enum attest_reason reason = judge(&verdict, quote, &options);
        CHECK_REASON(reason, ATTEST_REASON_NONE, real[i].file);
        CHECK_NUMBER(verdict.tee, real[i].platform);
        CHECK_NUMBER(verdict.claims.intel.quote_version, real[i].version);
        CHECK_NOTE(verdict.claims.is_debug == real[i].is_debug, "%s", real[i].file);
        CHECK(!verdict.claims.is_simulated);
        char fmspc[13];
        hex_encode(fmspc, BYTES_OF(verdict.claims.intel.pck.fmspc));
        CHECK_STRING(fmspc, real[i].fmspc);
    }
}

static void tells_what_the_quote_says(void)
{
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = PHALA_S };
    struct bytes quote = data_file("tdx_v4_phala_b0c06f.bin");
    REQUIRE(judge(&verdict, quote, &options) == ATTEST_REASON_NONE);
    char text[129];
    hex_encode(text, BYTES_OF(verdict.claims.intel.td.mr_td));
    CHECK_STRING(text, "91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407"
                       "de03ae6dc5f87f27428b2538873118b7");
    hex_encode(text, BYTES_OF(verdict.claims.report_data));
    CHECK_STRING(text, "9a9d48e7f6799642d3d1b34e1e5e1742d4bb02dd6ddd551862c1211d35c304f9"
                       "eca3efdbb481601c163cf52493d6e44aed55d51ec39b7e518fadb92c2b523f20");
    CHECK_NUMBER(verdict.claims.intel.qe_isv_svn, 6);
    CHECK_NUMBER(verdict.claims.intel.pck.pce_svn, 11);
    CHECK_NUMBER(verdict.claims.not_after_s, 1959722751); /* the PCK leaf, 2032-02-06 */
    CHECK_NUMBER(verdict.step_count, 17);
    CHECK_STRING(verdict.steps[0].name, "format");
    CHECK_STRING(verdict.steps[16].name, "report data");
}

static void judges_by_root_and_time(void)
{
    struct attest_verdict verdict;
    struct x509_chain root;
    struct bytes quote = data_file("tdx_v4_phala_b0c06f.bin");
    CHECK_REASON(reason_of(quote, 1738800000), ATTEST_REASON_PCK_CHAIN_NOT_YET_VALID, "2025-02-06");
    CHECK_REASON(reason_of(quote, 1959724800), ATTEST_REASON_PCK_CHAIN_EXPIRED, "2032-02-07");
    struct attest_options options = { .now_s = PHALA_S };
    REQUIRE(read_root(&root, DATA "sample_root_ca.pem"));
    options.root = &root.certificates[0];
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_ROOT_UNTRUSTED, "sample root");
    REQUIRE(read_root(&root, "tests/data/certificates/intel_sgx_root_ca.der"));
    CHECK_BYTES(root.certificates[0].der, attest_intel_root());
    options.root = &root.certificates[0];
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_NONE, "Intel's root");
    /* trust_simulated does not open another door. */
    options.root = NULL;
    options.trust_simulated = true;
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_NONE, "trust_simulated");
    CHECK(!verdict.claims.is_simulated);
    CHECK_REASON(judge(&verdict, data_file("synthetic_q_v4.bin"), &options),
                 ATTEST_REASON_ROOT_UNTRUSTED, "another root named like Intel's");
}

static void says_what_is_wrong(void)
{
    const struct {
        struct bytes evidence;
        int64_t now_s;
        const char *text;
    } cases[] = {
        { { NULL, 0 }, PHALA_S, "evidence is empty" },
        { { (const uint8_t *)"root:x:0:0:", 11 }, PHALA_S, "of no kind that is known: no TDX" },
        { { (const uint8_t *)"\x03\x41\x02\0\0\0\0\0", 8 }, PHALA_S, "of no kind" },
        { { (const uint8_t *)"\x03\0\x02\x41\0\0\0\0", 8 }, PHALA_S, "of no kind" },
        { { (const uint8_t *)"\0\0\0\0\0\0\0\0", 8 }, PHALA_S, "of no kind" },
        { data_file("tdx_v4_phala_b0c06f.bin"), 1738800000,
          "certificate is not valid before 2025-02-0" },
        { data_file("tdx_v4_phala_b0c06f.bin"), 1959724800, "certificate expired at 2032-02-0" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        struct attest_verdict verdict;
        struct attest_options options = { .now_s = cases[i].now_s };
        CHECK(!attest_verify(&verdict, cases[i].evidence, &options, &error));
        CHECK_NOTE(strstr(error.text, cases[i].text) != NULL, "%s", error.text);
    }
}

static void judges_synthetic_quotes(void)
{
    static const struct {
        const char *file;
        enum attest_reason reason;
    } cases[] = {
        { "synthetic_q_v4.bin", ATTEST_REASON_NONE },
        { "synthetic_q_v5_td15.bin", ATTEST_REASON_NONE },
        { "synthetic_q_v5_sgx.bin", ATTEST_REASON_NONE },
        { "synthetic_q_v4_sgx.bin", ATTEST_REASON_NONE },
        { "synthetic_q_v3_sgx.bin", ATTEST_REASON_NONE },
        { "synthetic_q_v5_teemismatch.bin", ATTEST_REASON_FORMAT },
        { "synthetic_q_v4_nonca_issuer.bin", ATTEST_REASON_PCK_CHAIN_INVALID },
        { "synthetic_q_v4_no_sgx_ext.bin", ATTEST_REASON_PCK_EXTENSION_MISSING },
    };
    struct attest_verdict verdict;
    struct x509_chain root;
    REQUIRE(read_root(&root, DATA "synthetic_root_ca.der"));
    struct attest_options options = { .now_s = SYNTHETIC_S, .root = &root.certificates[0] };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_REASON(judge(&verdict, data_file(cases[i].file), &options), cases[i].reason,
                     cases[i].file);
}

static void takes_a_chain_from_outside(void)
{
    struct attest_verdict verdict;
    struct x509_chain root;
    REQUIRE(read_root(&root, DATA "sample_root_ca.pem"));
    struct bytes quote = data_file("sgx_v3_intel_sample_testpki.bin");
    struct attest_options options = { .now_s = 1577836800, .root = &root.certificates[0] };
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_NO_PCK_CERT, "no chain");
    options.collateral.pck_chain = data_file("sample_pck_full_chain.pem");
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_NONE, "sample");
    options.root = NULL;
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_ROOT_UNTRUSTED, "Intel's root");
    CHECK_REASON(reason_of(data_file("sgx_v3_oasis_eppid.bin"), 1671497404),
                 ATTEST_REASON_NO_PCK_CERT, "encrypted PPID");
    /* A chain that the quote carries is not replaced. */
    options =
        (struct attest_options){ .now_s = PHALA_S,
                                 .collateral.pck_chain = data_file("sample_pck_full_chain.pem") };
    CHECK_REASON(judge(&verdict, data_file("tdx_v4_phala_b0c06f.bin"), &options),
                 ATTEST_REASON_NONE, "carried chain");
}

static void compares_report_data(void)
{
    struct attest_verdict verdict;
    struct bytes quote = data_file("tdx_v4_phala_b0c06f.bin");
    REQUIRE(quote.size == PHALA_SIZE);
    uint8_t expected[REPORT_DATA_SIZE];
    memcpy(expected, quote.data + 568, sizeof(expected));
    struct attest_options options = { .now_s = PHALA_S, .report_data = BYTES_OF(expected) };
    CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_NONE, "report data");
    for (size_t i = 0; i < sizeof(expected); i += 21) {
        expected[i] ^= 1;
        CHECK_REASON(judge(&verdict, quote, &options), ATTEST_REASON_REPORT_DATA_MISMATCH, "other");
        CHECK(!verdict.claims.intel.td.is_15 && verdict.claims.intel.quote_version == 0);
        expected[i] ^= 1;
    }
}

struct change {
    size_t offset;
    size_t size;
    uint8_t byte;
    enum attest_reason reason;
};

static void check_changes(const char *file, const struct change *changes, size_t count)
{
    struct bytes quote = data_file(file);
    uint8_t copy[QUOTE_SIZE_MAX];
    for (size_t i = 0; i < count; i++) {
        char note[64];
        snprintf(note, sizeof(note), "%s at %zu", file, changes[i].offset);
        memcpy(copy, quote.data, quote.size);
        memset(copy + changes[i].offset, changes[i].byte, changes[i].size);
        CHECK_REASON(reason_of(bytes_of(copy, quote.size), PHALA_S), changes[i].reason, note);
    }
}

/* The negative cases of the vectors that change the quote. */
static void names_the_first_failing_check(void)
{
    static const struct change of_v4[] = {
        { 0, 1, 0x03, ATTEST_REASON_FORMAT },
        { 0, 1, 0x05, ATTEST_REASON_FORMAT },
        { 0, 1, 0x06, ATTEST_REASON_UNSUPPORTED_VERSION },
        { 2, 1, 0x03, ATTEST_REASON_UNSUPPORTED_KEY_TYPE },
        { 4, 1, 0x00, ATTEST_REASON_FORMAT },
        { 4, 1, 0x82, ATTEST_REASON_UNSUPPORTED_TEE },
        { 12, 1, 0x92, ATTEST_REASON_UNKNOWN_QE_VENDOR },
        { 28, 1, 0x89, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 184, 1, 0x90, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 520, 1, 0x01, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 168, 1, 0x01, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 631, 1, 0x21, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 636, 1, 0xf0, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 699, 1, 0xe4, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 636, 64, 0, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 700, 1, 0xc6, ATTEST_REASON_ATT_KEY_BINDING_INVALID },
        { 764, 1, 0x05, ATTEST_REASON_UNSUPPORTED_CERT_DATA },
        { 898, 1, 0xdd, ATTEST_REASON_QE_REPORT_SIG_INVALID },
        { 1090, 1, 0xc8, ATTEST_REASON_QE_REPORT_SIG_INVALID },
        { 1154, 1, 0xcb, ATTEST_REASON_QE_REPORT_SIG_INVALID },
        { 1220, 1, 0x01, ATTEST_REASON_ATT_KEY_BINDING_INVALID },
        { 1252, 1, 0x04, ATTEST_REASON_NO_PCK_CERT },
        { 1252, 1, 0x07, ATTEST_REASON_UNSUPPORTED_CERT_DATA },
        { 1254, 1, 0x5f, ATTEST_REASON_FORMAT },
        { 1658, 1, 0x66, ATTEST_REASON_PCK_CHAIN_INVALID },
        { 632, 4, 0xff, ATTEST_REASON_FORMAT },
        { 632, 1, 0xcd, ATTEST_REASON_FORMAT },
        { 1218, 2, 0xff, ATTEST_REASON_FORMAT },
        { PHALA_USED, 1, 1, ATTEST_REASON_FORMAT },
        { PHALA_SIZE - 1, 1, 1, ATTEST_REASON_FORMAT },
    };
    static const struct change of_v3[] = {
        { 0, 1, 0x04, ATTEST_REASON_UNSUPPORTED_CERT_DATA },
        { 2, 1, 0x03, ATTEST_REASON_UNSUPPORTED_KEY_TYPE },
        { 4, 1, 0x01, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 8, 1, 0x0b, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 12, 1, 0x92, ATTEST_REASON_UNKNOWN_QE_VENDOR },
        { 112, 1, 0x32, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 96, 1, 0x07, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 368, 1, 0x49, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 436, 1, 0x6c, ATTEST_REASON_QUOTE_SIG_INVALID },
        { 500, 1, 0xdd, ATTEST_REASON_ATT_KEY_BINDING_INVALID },
        { 692, 1, 0x8d, ATTEST_REASON_QE_REPORT_SIG_INVALID },
        { 948, 1, 0xbe, ATTEST_REASON_QE_REPORT_SIG_INVALID },
        { 1046, 1, 0x04, ATTEST_REASON_NO_PCK_CERT },
        { 1452, 1, 0x31, ATTEST_REASON_PCK_CHAIN_INVALID },
        { 432, 4, 0xff, ATTEST_REASON_FORMAT },
    };
    check_changes("tdx_v4_phala_b0c06f.bin", of_v4, ARRAY_COUNT(of_v4));
    check_changes("sgx_v3_phala_00a067.bin", of_v3, ARRAY_COUNT(of_v3));
    /* Text behind the quote of one vector is refused; the same quote without it is accepted. */
    CHECK_REASON(reason_of(data_file("tdx_v4_google_spr_e4_50806f.bin"), 1688173200),
                 ATTEST_REASON_FORMAT, "trailing text");
}

static void refuses_every_truncation(void)
{
    struct bytes quote = data_file("tdx_v4_phala_b0c06f.bin");
    for (size_t size = 0; size < PHALA_USED; size++)
        CHECK(reason_of(bytes_part(quote, 0, size), PHALA_S) == ATTEST_REASON_FORMAT);
    for (size_t size = PHALA_USED; size <= PHALA_SIZE; size += 35)
        CHECK(reason_of(bytes_part(quote, 0, size), PHALA_S) == ATTEST_REASON_NONE);
    static uint8_t huge[QUOTE_SIZE_MAX + 1];
    memcpy(huge, quote.data, quote.size);
    CHECK_REASON(reason_of(bytes_of(huge, QUOTE_SIZE_MAX), PHALA_S), ATTEST_REASON_NONE, "padded");
    CHECK_REASON(reason_of(BYTES_OF(huge), PHALA_S), ATTEST_REASON_FORMAT, "padded too much");
}

/* Header, body, QE report, authentication data, keys, signatures, lengths, certificates, padding:
 * there is no byte that may change. */
static void refuses_every_change_of_a_byte(void)
{
    static const uint8_t flips[] = { 0x01, 0x80 };
    struct bytes quote = data_file("tdx_v4_phala_b0c06f.bin");
    uint8_t copy[PHALA_SIZE];
    REQUIRE(quote.size == sizeof(copy));
    memcpy(copy, quote.data, quote.size);
    for (size_t i = 0; i < sizeof(copy); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(flips); j++) {
            copy[i] ^= flips[j];
            CHECK_NOTE(reason_of(BYTES_OF(copy), PHALA_S) != ATTEST_REASON_NONE, "byte %zu ^ %02x",
                       i, flips[j]);
            copy[i] ^= flips[j];
        }
    }
}

static const struct test tests[] = {
    TEST(accepts_real_quotes),      TEST(tells_what_the_quote_says),
    TEST(judges_by_root_and_time),  TEST(says_what_is_wrong),
    TEST(judges_synthetic_quotes),  TEST(takes_a_chain_from_outside),
    TEST(compares_report_data),     TEST(names_the_first_failing_check),
    TEST(refuses_every_truncation), TEST(refuses_every_change_of_a_byte),
};
TEST_MAIN(tests)
