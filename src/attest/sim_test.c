/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/sim.h"

#include "attest/attest.h"
#include "tests/harness.h"

#include <string.h>

enum {
    NOW_S = 1795000000,
    DAY_S = 86400
};

static const uint8_t report_data[REPORT_DATA_SIZE] = { 1, 2, 3, [63] = 64 };

/* A platform and a quote of it. */
struct fixture {
    struct sim_root *root;
    struct buffer quote;
};

static bool fixture_make(struct fixture *fixture)
{
    struct error error;
    buffer_init(&fixture->quote, QUOTE_SIZE_MAX);
    bool is_made = sim_root_new(&fixture->root, NOW_S, &error) &&
                   sim_quote(&fixture->quote, fixture->root, report_data, NULL, &error);
    CHECK_NOTE(is_made, "%s", error.text);
    return is_made;
}

static void fixture_done(struct fixture *fixture)
{
    sim_root_free(fixture->root);
    buffer_done(&fixture->quote);
}
#define AUTO_FIXTURE __attribute__((cleanup(fixture_done)))

static enum attest_reason judge(struct attest_verdict *verdict, struct bytes quote,
                                const struct attest_options *options)
{
    struct error error;
    CHECK(attest_verify(verdict, quote, options, &error) == verdict->is_valid);
    return verdict->reason;
}

static void is_accepted_only_when_told(void)
{
    AUTO_FIXTURE struct fixture fixture = { 0 };
    REQUIRE(fixture_make(&fixture));
    struct bytes quote = buffer_view(&fixture.quote);
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S, .report_data = BYTES_OF(report_data) };
    CHECK(judge(&verdict, quote, &options) == ATTEST_REASON_SIMULATED);
    options.trust_simulated = true;
    CHECK(judge(&verdict, quote, &options) == ATTEST_REASON_NONE);
    CHECK(verdict.claims.is_simulated);
    CHECK(!verdict.claims.is_debug);
    CHECK_NUMBER(verdict.tee, ATTEST_TEE_TDX);
    CHECK_NUMBER(verdict.claims.intel.quote_version, 4);
    CHECK_BYTES(BYTES_OF(verdict.claims.report_data), BYTES_OF(report_data));
    CHECK(strstr(verdict.steps[1].detail, "SIMULATED") != NULL);
    struct td_report expected;
    sim_measurements(&expected);
    CHECK_BYTES(BYTES_OF(verdict.claims.intel.td.mr_td), BYTES_OF(expected.mr_td));
    CHECK_BYTES(BYTES_OF(verdict.claims.intel.td.rtmr), BYTES_OF(expected.rtmr));
    struct digest48 mr_td = sha384_of(BYTES_LITERAL("s3n-sim/mrtd/" S3N_VERSION));
    CHECK_BYTES(BYTES_OF(expected.mr_td), BYTES_OF(mr_td.bytes));
    struct digest48 mr_seam = sha384_of(BYTES_LITERAL("s3n-sim/mrseam"));
    CHECK_BYTES(BYTES_OF(expected.mr_seam), BYTES_OF(mr_seam.bytes));
    options.now_s = NOW_S + 11 * 366 * (int64_t)DAY_S;
    CHECK(judge(&verdict, quote, &options) == ATTEST_REASON_PCK_CHAIN_EXPIRED);
    options.now_s = NOW_S - 2 * DAY_S;
    CHECK(judge(&verdict, quote, &options) == ATTEST_REASON_PCK_CHAIN_NOT_YET_VALID);
}

static void can_be_pinned(void)
{
    struct error error;
    AUTO_FIXTURE struct fixture fixture = { 0 };
    AUTO_FIXTURE struct fixture other = { 0 };
    REQUIRE(fixture_make(&fixture) && fixture_make(&other));
    struct x509_certificate root;
    REQUIRE(x509_parse(&root, sim_root_certificate(fixture.root), &error));
    CHECK(attest_root_is_simulated(&root));
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S, .root = &root };
    /* Knowing the root does not make it real. */
    CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_SIMULATED);
    options.trust_simulated = true;
    CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_NONE);
    CHECK(judge(&verdict, buffer_view(&other.quote), &options) == ATTEST_REASON_ROOT_UNTRUSTED);
}

static void comes_back_from_its_export(void)
{
    struct error error;
    AUTO_FIXTURE struct fixture fixture = { 0 };
    REQUIRE(fixture_make(&fixture));
    AUTO_SECRET_BUFFER struct secret_buffer text = { 0 };
    REQUIRE(sim_root_export(&text, fixture.root, &error));
    AUTO(sim_root) struct sim_root *back = NULL;
    REQUIRE(sim_root_import(&back, bytes_of(text.data, text.size), &error));
    CHECK_BYTES(sim_root_certificate(back), sim_root_certificate(fixture.root));
    AUTO_BUFFER struct buffer quote;
    buffer_init(&quote, QUOTE_SIZE_MAX);
    REQUIRE(sim_quote(&quote, back, report_data, NULL, &error));
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S, .trust_simulated = true };
    CHECK(judge(&verdict, buffer_view(&quote), &options) == ATTEST_REASON_NONE);
    const char *collateral = strstr((const char *)text.data, "-----BEGIN S3N");
    REQUIRE(collateral != NULL);
    size_t chain_end = (size_t)((const uint8_t *)collateral - text.data);
    for (size_t size = 0; size + 1 < text.size; size++) {
        /* Without the collateral it is an export of an earlier version. */
        if (size == chain_end || size + 1 == chain_end)
            continue;
        AUTO(sim_root) struct sim_root *wrong = NULL;
        CHECK_NOTE(!sim_root_import(&wrong, bytes_of(text.data, size), &error), "%zu", size);
    }
}

/* Nothing is special about simulated evidence: it passes every check. */
static void passes_every_check_with_its_collateral(void)
{
    AUTO_FIXTURE struct fixture fixture = { 0 };
    AUTO_FIXTURE struct fixture other = { 0 };
    REQUIRE(fixture_make(&fixture) && fixture_make(&other));
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S, .trust_simulated = true };
    CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_NONE);
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UNKNOWN);
    REQUIRE(sim_collateral(fixture.root, &options.collateral));
    for (int year = 0; year < 10; year++) {
        options.now_s = NOW_S + year * 365 * (int64_t)DAY_S;
        CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_NONE);
        CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
        CHECK_NUMBER(verdict.claims.intel.tdx_module_status, INTEL_TCB_UP_TO_DATE);
        for (size_t i = 0; i < verdict.step_count; i++)
            CHECK_NUMBER(verdict.steps[i].state, ATTEST_STEP_PASSED);
    }
    options.now_s = NOW_S;
    CHECK(judge(&verdict, buffer_view(&other.quote), &options) ==
          ATTEST_REASON_PCK_CA_CRL_SIG_INVALID);
}

/* Exports of earlier versions end with the chain. */
static void reads_exports_without_collateral(void)
{
    struct error error;
    AUTO_FIXTURE struct fixture fixture = { 0 };
    REQUIRE(fixture_make(&fixture));
    AUTO_SECRET_BUFFER struct secret_buffer text = { 0 };
    REQUIRE(sim_root_export(&text, fixture.root, &error));
    const char *end = strstr((const char *)text.data, "-----BEGIN S3N");
    REQUIRE(end != NULL);
    AUTO(sim_root) struct sim_root *back = NULL;
    REQUIRE(sim_root_import(&back, bytes_of(text.data, (size_t)((const uint8_t *)end - text.data)),
                            &error));
    struct attest_collateral collateral;
    CHECK(!sim_collateral(back, &collateral) && collateral.tcb_info.size == 0);
    AUTO(sim_root) struct sim_root *whole = NULL;
    REQUIRE(sim_root_import(&whole, bytes_of(text.data, text.size), &error));
    struct attest_collateral expected;
    REQUIRE(sim_collateral(whole, &collateral) && sim_collateral(fixture.root, &expected));
    CHECK_BYTES(collateral.tcb_info, expected.tcb_info);
    CHECK_BYTES(collateral.qe_identity, expected.qe_identity);
    CHECK_BYTES(collateral.tcb_chain, expected.tcb_chain);
    CHECK_BYTES(collateral.root_crl, expected.root_crl);
    CHECK_BYTES(collateral.pck_crl, expected.pck_crl);
}

static void measures_what_it_is_told(void)
{
    struct error error;
    AUTO_FIXTURE struct fixture fixture = { 0 };
    REQUIRE(fixture_make(&fixture));
    struct td_report report;
    sim_measurements(&report);
    memset(report.rtmr[3], 0x77, sizeof(report.rtmr[3]));
    report.td_attributes[0] = 1;
    buffer_clear(&fixture.quote);
    REQUIRE(sim_quote(&fixture.quote, fixture.root, report_data, &report, &error));
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S, .trust_simulated = true };
    CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_NONE);
    CHECK(verdict.claims.is_debug);
    CHECK_BYTES(BYTES_OF(verdict.claims.intel.td.rtmr), BYTES_OF(report.rtmr));
}

static void refuses_every_change_of_a_byte(void)
{
    AUTO_FIXTURE struct fixture fixture = { 0 };
    REQUIRE(fixture_make(&fixture));
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = NOW_S,
                                      .trust_simulated = true,
                                      .report_data = BYTES_OF(report_data) };
    for (size_t i = 0; i < fixture.quote.size; i++) {
        fixture.quote.data[i] ^= 1;
        CHECK_NOTE(judge(&verdict, buffer_view(&fixture.quote), &options) != ATTEST_REASON_NONE,
                   "byte %zu", i);
        fixture.quote.data[i] ^= 1;
        CHECK(judge(&verdict, bytes_part(buffer_view(&fixture.quote), 0, i), &options) ==
              ATTEST_REASON_FORMAT);
    }
    CHECK(judge(&verdict, buffer_view(&fixture.quote), &options) == ATTEST_REASON_NONE);
}

static const struct test tests[] = {
    TEST(is_accepted_only_when_told),       TEST(can_be_pinned),
    TEST(comes_back_from_its_export),       TEST(passes_every_check_with_its_collateral),
    TEST(reads_exports_without_collateral), TEST(measures_what_it_is_told),
    TEST(refuses_every_change_of_a_byte),
};
TEST_MAIN(tests)
