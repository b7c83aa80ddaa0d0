/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy/policy.h"

#include "attest/policy/policy_file.h"
#include "core/hex.h"
#include "core/time.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOW_S = 1750377600, /* 2025-06-20 */
    DAY_S = 86400
};

/* What a verification of an up-to-date trust domain leaves. */
static struct attest_verdict *verdict_of_domain(void)
{
    static struct attest_verdict verdict;
    verdict = (struct attest_verdict){ .tee = ATTEST_TEE_TDX, .is_valid = true };
    struct intel_claims *intel = &verdict.claims.intel;
    intel->tee = QUOTE_TEE_TDX;
    intel->tcb_status = INTEL_TCB_UP_TO_DATE;
    intel->tcb_date_s = NOW_S - 100 * DAY_S;
    intel->tcb_evaluation_data_number = 17;
    intel->qe_evaluation_data_number = 18;
    intel->collateral_issued_s = NOW_S - 10 * DAY_S;
    intel->td.td_attributes[3] = 0x10;
    memset(intel->td.mr_td, 0xaa, sizeof(intel->td.mr_td));
    memset(intel->pck.tcb_component_svn, 5, sizeof(intel->pck.tcb_component_svn));
    memset(intel->td.tee_tcb_svn, 4, sizeof(intel->td.tee_tcb_svn));
    intel->pck.pce_svn = 11;
    memset(intel->pck.ppid, 0x77, sizeof(intel->pck.ppid));
    return &verdict;
}

static struct policy *parse(const char *text)
{
    static struct policy policy;
    struct error error = { 0 };
    bool is_read = policy_parse(&policy, "p.toml", bytes_of_string(text), &error);
    CHECK_NOTE(is_read, "%s", error.text);
    return &policy;
}

static struct policy_report report;

/* Whether the verdict is accepted; otherwise the report's first broken rule is `broken`. */
static void judge(const struct policy *policy, const struct attest_verdict *verdict,
                  const char *broken)
{
    struct error error = { 0 };
    bool is_accepted = policy_evaluate(&report, policy, verdict, NOW_S, &error);
    CHECK(is_accepted == report.is_accepted);
    CHECK(is_accepted || error.code == ERROR_UNVERIFIED);
    const char *found = "";
    for (size_t i = report.rule_count; i > 0; i--) {
        CHECK_NOTE(report.rules[i - 1].value[0] != '\0', "%s", report.rules[i - 1].name);
        CHECK_NOTE(report.rules[i - 1].wanted[0] != '\0', "%s", report.rules[i - 1].name);
        if (!report.rules[i - 1].is_met)
            found = report.rules[i - 1].name;
    }
    CHECK_STRING(found, broken);
    CHECK_NOTE(is_accepted || strstr(error.text, broken) != NULL, "%s", error.text);
}

static void judge_text(const char *rules, const struct attest_verdict *verdict, const char *broken)
{
    char text[4096];
    snprintf(text, sizeof(text), "s3n_policy_version = 1\n%s", rules);
    judge(parse(text), verdict, broken);
}

static void accepts_production_by_default(void)
{
    static struct policy policy;
    policy_default(&policy);
    struct attest_verdict *verdict = verdict_of_domain();
    judge(&policy, verdict, "");
    verdict->claims.intel.tcb_status = INTEL_TCB_SW_HARDENING;
    judge(&policy, verdict, "");
    static const enum intel_tcb_status others[] = { INTEL_TCB_UNKNOWN,
                                                    INTEL_TCB_CONFIGURATION,
                                                    INTEL_TCB_CONFIGURATION_SW_HARDENING,
                                                    INTEL_TCB_OUT_OF_DATE,
                                                    INTEL_TCB_OUT_OF_DATE_CONFIGURATION,
                                                    INTEL_TCB_TD_RELAUNCH,
                                                    INTEL_TCB_TD_RELAUNCH_CONFIGURATION,
                                                    INTEL_TCB_REVOKED };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        verdict->claims.intel.tcb_status = others[i];
        judge(&policy, verdict, "tcb.status");
    }
    verdict = verdict_of_domain();
    verdict->claims.is_debug = true;
    judge(&policy, verdict, "debug");
    verdict = verdict_of_domain();
    verdict->claims.is_simulated = true;
    judge(&policy, verdict, "simulated");
    verdict = verdict_of_domain();
    verdict->claims.intel.td.td_attributes[3] |= 0x20;
    judge(&policy, verdict, "migration");
}

static void judges_each_rule(void)
{
    static const struct {
        const char *rules;
        const char *broken; /* "": met */
    } rows[] = {
        { "tee = [\"tdx\"]", "" },
        { "tee = [\"sgx\", \"snp\"]", "tee" },
        { "tee = []", "tee" },
        { "[tcb]\nstatus = [\"OutOfDate\"]", "tcb.status" },
        { "[tcb]\nstatus = [\"OutOfDate\", \"UpToDate\"]", "" },
        { "[tcb]\ndate_min = \"2025-03-12\"", "" },
        { "[tcb]\ndate_min = 2025-03-12", "" },
        { "[tcb]\ndate_min = \"2025-03-12T00:00:01Z\"", "tcb.date_min" },
        { "[tcb]\nevaluation_number_min = 17", "" },
        { "[tcb]\nevaluation_number_min = 18", "tcb.evaluation_number_min" },
        { "[tcb]\nsgx_svn_min = [5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,0]", "" },
        { "[tcb]\nsgx_svn_min = [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6]", "tcb.sgx_svn_min" },
        { "[tcb]\ntdx_svn_min = [4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,4]", "" },
        { "[tcb]\ntdx_svn_min = [5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", "tcb.tdx_svn_min" },
        { "[tcb]\npce_svn_min = 11", "" },
        { "[tcb]\npce_svn_min = 12", "tcb.pce_svn_min" },
        { "[tcb]\nadvisories = []", "" },
        { "smt = \"forbidden\"", "smt" }, /* the machine doesn't tell */
        { "smt = \"required\"", "smt" },
        { "smt = \"any\"", "" },
        { "migration = \"required\"", "migration" },
        { "[tdx]\nsept_ve_disable = \"required\"", "" },
        { "[tdx]\nsept_ve_disable = \"forbidden\"", "tdx.sept_ve_disable" },
        { "[collateral]\nage_max_days = 10", "" },
        { "[collateral]\nage_max_days = 9", "collateral.age_max_days" },
        { "[collateral]\nrevocation = \"required\"", "" },
        { "require_platform_id = true", "" },
        { "[[platform]]\nname = \"a\"\nppid = \"77777777777777777777777777777777\"", "" },
        { "[[platform]]\nname = \"a\"\nppid = \"77777777777777777777777777777776\"", "platform" },
        { "[[platform]]\nname = \"a\"\nppid = \"00000000000000000000000000000000\"\n"
          "[[platform]]\nname = \"b\"\nppid = \"77777777777777777777777777777777\"",
          "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        judge_text(rows[i].rules, verdict_of_domain(), rows[i].broken);
    }
}

static void names_the_measurement_that_matched(void)
{
    char text[1024], good[97], other[97];
    struct attest_verdict *verdict = verdict_of_domain();
    hex_encode(good, BYTES_OF(verdict->claims.intel.td.mr_td));
    memcpy(other, good, sizeof(other));
    other[0] = '0';
    snprintf(text, sizeof(text),
             "[[measurement]]\nname = \"old\"\nmrtd = \"%s\"\n[[measurement]]\nname = \"new\"\n"
             "mrtd = \"%s\"\nrtmr3 = \"%096d\"\n",
             other, good, 0);
    judge_text(text, verdict, "");
    CHECK_STRING(report.measurement, "new");
    verdict->claims.intel.td.rtmr[3][47] = 1;
    judge_text(text, verdict, "measurement");
    CHECK(report.measurement == NULL);
    snprintf(text, sizeof(text), "[[measurement]]\nname = \"enclave\"\nmrenclave = \"%064d\"\n", 0);
    judge_text(text, verdict_of_domain(), "measurement");
}

static struct attest_verdict *verdict_of_report(void)
{
    static struct attest_verdict verdict;
    verdict = (struct attest_verdict){ .tee = ATTEST_TEE_SNP, .is_valid = true };
    struct snp_claims *snp = &verdict.claims.snp;
    snp->report.platform_info = 1;
    snp->report.vmpl = 1;
    snp->report.guest_svn = 3;
    memset(snp->report.measurement, 0xbb, sizeof(snp->report.measurement));
    memset(snp->report.chip_id, 0x11, sizeof(snp->report.chip_id));
    snp->reported_tcb = snp->committed_tcb = snp->launch_tcb =
        (struct snp_tcb){ .boot_loader = 3, .tee = 0, .snp = 8, .microcode = 115 };
    snp->has_crl = true;
    snp->crl_this_update_s = NOW_S - 20 * DAY_S;
    return &verdict;
}

static void judges_amd_reports(void)
{
    static const struct {
        const char *rules;
        const char *broken;
    } rows[] = {
        { "", "" },
        { "tee = [\"tdx\"]", "tee" },
        { "smt = \"forbidden\"", "smt" },
        { "smt = \"required\"", "" },
        { "[snp]\nvmpl_max = 1", "" },
        { "[snp]\nvmpl_max = 0", "snp.vmpl_max" },
        { "[snp]\nguest_svn_min = 3", "" },
        { "[snp]\nguest_svn_min = 4", "snp.guest_svn_min" },
        { "[snp]\ntcb_min = { boot_loader = 3, snp = 8, microcode = 115 }", "" },
        { "[snp]\ntcb_min = { boot_loader = 4 }", "snp.tcb_min" },
        { "[snp]\ntcb_min = { tee = 1 }", "snp.tcb_min" },
        { "[snp]\ntcb_min = { snp = 9 }", "snp.tcb_min" },
        { "[snp]\ntcb_min = { microcode = 116 }", "snp.tcb_min" },
        { "[snp]\ntcb_min = { fmc = 1 }", "snp.tcb_min" },
        { "[tcb]\nstatus = []", "" }, /* Intel's */
        { "[collateral]\nage_max_days = 20", "" },
        { "[collateral]\nage_max_days = 19", "collateral.age_max_days" },
        { "require_platform_id = true", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        judge_text(rows[i].rules, verdict_of_report(), rows[i].broken);
    struct attest_verdict *verdict = verdict_of_report();
    verdict->claims.snp.is_migratable = true;
    judge_text("", verdict, "migration");
    judge_text("migration = \"any\"", verdict, "");
    verdict = verdict_of_report();
    verdict->claims.snp.committed_tcb.snp = 7;
    judge_text("[snp]\ntcb_min = { snp = 8 }", verdict, "snp.tcb_min");
    verdict = verdict_of_report();
    memset(verdict->claims.snp.report.chip_id, 0, sizeof(verdict->claims.snp.report.chip_id));
    judge_text("require_platform_id = true", verdict, "require_platform_id");
    verdict->claims.snp.has_crl = false;
    judge_text("[collateral]\nage_max_days = 20", verdict, "collateral.age_max_days");
}

static void pins_chips_and_launches(void)
{
    char text[512], chip[129], launch[97];
    struct attest_verdict *verdict = verdict_of_report();
    hex_encode(chip, BYTES_OF(verdict->claims.snp.report.chip_id));
    hex_encode(launch, BYTES_OF(verdict->claims.snp.report.measurement));
    snprintf(text, sizeof(text),
             "[[measurement]]\nname = \"guest\"\nmeasurement = \"%s\"\n[[platform]]\n"
             "name = \"rack\"\nchip_id = \"%s\"\n",
             launch, chip);
    judge_text(text, verdict, "");
    CHECK_STRING(report.measurement, "guest");
    CHECK_STRING(report.pin, "rack");
    verdict->claims.snp.report.chip_id[63] ^= 1;
    judge_text(text, verdict, "platform");
    verdict->claims.snp.report.measurement[0] ^= 1;
    judge_text(text, verdict, "measurement");
}

static void judges_nitro_documents(void)
{
    static uint8_t pcr[48] = { 1, 2, 3 };
    static struct attest_verdict verdict;
    verdict = (struct attest_verdict){ .tee = ATTEST_TEE_NITRO, .is_valid = true };
    snprintf(verdict.claims.nitro.module_id, sizeof(verdict.claims.nitro.module_id), "%s",
             "i-0827e799ec9232d44-enc019b5640fdf630d6");
    verdict.claims.nitro.timestamp_ms = (uint64_t)(NOW_S - 60) * 1000;
    memcpy(verdict.claims.nitro.pcrs[8], pcr, sizeof(pcr));
    judge_text("require_platform_id = true\n[evidence]\nage_max_s = 60", &verdict, "");
    judge_text("[evidence]\nage_max_s = 59", &verdict, "evidence.age_max_s");
    judge_text("[[platform]]\nname = \"a\"\n"
               "module_id = \"i-0827e799ec9232d44-enc019b5640fdf630d6\"",
               &verdict, "");
    judge_text("[[platform]]\nname = \"a\"\nmodule_id = \"i-0827e799ec9232d44\"", &verdict,
               "platform");
    char text[256], digits[97];
    hex_encode(digits, BYTES_OF(pcr));
    snprintf(text, sizeof(text), "[[measurement]]\nname = \"a\"\npcr8 = \"%s\"", digits);
    judge_text(text, &verdict, "");
    memset(verdict.claims.nitro.pcrs[8], 0, sizeof(verdict.claims.nitro.pcrs[8]));
    judge_text(text, &verdict, "measurement");
}

static void gives_grace_to_what_was_up_to_date(void)
{
    struct attest_verdict *verdict = verdict_of_domain();
    verdict->claims.intel.tcb_status = INTEL_TCB_OUT_OF_DATE;
    judge_text("[tcb]\ngrace_days = 99", verdict, "tcb.status");
    judge_text("[tcb]\ngrace_days = 100", verdict, "");
    verdict->claims.intel.tcb_status = INTEL_TCB_OUT_OF_DATE_CONFIGURATION;
    judge_text("[tcb]\ngrace_days = 100", verdict, "tcb.status");
    judge_text("[tcb]\ngrace_days = 100\nstatus = [\"ConfigurationNeeded\"]", verdict, "");
    verdict->claims.intel.tcb_status = INTEL_TCB_REVOKED;
    judge_text("[tcb]\ngrace_days = 100", verdict, "tcb.status");
}

static void tolerates_named_advisories_only(void)
{
    struct attest_verdict *verdict = verdict_of_domain();
    snprintf(verdict->claims.intel.advisory_ids[0], 16, "INTEL-SA-00289");
    snprintf(verdict->claims.intel.advisory_ids[1], 16, "INTEL-SA-00615");
    verdict->claims.intel.advisory_count = 2;
    judge_text("", verdict, "");
    judge_text("[tcb]\nadvisories = [\"INTEL-SA-00615\"]", verdict, "tcb.advisories");
    judge_text("[tcb]\nadvisories = [\"INTEL-SA-00615\", \"INTEL-SA-00289\"]", verdict, "");
}

static void wants_lists_that_were_left_out(void)
{
    struct attest_verdict *verdict = verdict_of_domain();
    verdict->steps[0] =
        (struct attest_step){ .name = "revocation of the PCK CA", .state = ATTEST_STEP_LEFT_OUT };
    verdict->step_count = 1;
    judge_text("", verdict, "");
    judge_text("[collateral]\nrevocation = \"required\"", verdict, "collateral.revocation");
}

static void reads_a_whole_file(void)
{
    struct bytes text = test_file("fuzz/corpus/policy-policy_file/whole.toml");
    static struct policy policy;
    struct error error = { 0 };
    REQUIRE(policy_parse(&policy, "whole.toml", text, &error));
    CHECK_NUMBER(policy.tees, 1 << ATTEST_TEE_TDX | 1 << ATTEST_TEE_SGX);
    CHECK_NUMBER(policy.measurement_count, 2);
    CHECK_STRING(policy.measurements[0].name, "image 1.4.2");
    CHECK_NUMBER(policy.measurements[0].field_count, 2);
    CHECK_NUMBER(policy.pin_count, 1);
    CHECK_NUMBER(policy.grace_s, 30 * DAY_S);
    CHECK_NUMBER(policy.tcb_date_min_s, 1710288000);
    CHECK_NUMBER(policy.amd_tcb_min.microcode, 115);
    CHECK_NUMBER(policy.vmpl_max, 0);
    CHECK_NUMBER(policy.evidence_age_max_s, 300);
    CHECK_NUMBER(policy.collateral_age_max_s, 45 * DAY_S);
    CHECK(policy.requires_platform_id && policy.revocation == POLICY_REQUIRED);
}

static void refuses_bad_files(void)
{
    static const struct {
        const char *text;
        const char *part; /* of the error */
    } rows[] = {
        { "", "s3n_policy_version: must be 1" },
        { "s3n_policy_version = 2", "p.toml:1: s3n_policy_version: must be 1" },
        { "s3n_policy_version = \"1\"", "must be a number" },
        { "s3n_policy_version = 1\ntees = []", "tee" },
        { "s3n_policy_version = 1\n\ntee = [\"tpm\"]", "p.toml:3: tee: each must be" },
        { "s3n_policy_version = 1\ntee = \"tdx\"", "must be an array" },
        { "s3n_policy_version = 1\ndebug = 1", "must be true or false" },
        { "s3n_policy_version = 1\nsmt = \"no\"", "\"any\", \"forbidden\"" },
        { "s3n_policy_version = 1\n[tcb]\nstatus = [\"uptodate\"]", "is no TCB status" },
        { "s3n_policy_version = 1\n[tcb]\nstatus = [\"Unknown\"]", "is no TCB status" },
        { "s3n_policy_version = 1\n[tcb]\nstatus = [\"Revoked\"]", "can't be accepted" },
        { "s3n_policy_version = 1\n[tcb]\nstatus = [1]", "is no TCB status" },
        { "s3n_policy_version = 1\n[tcb]\ndate_min = \"2024-13-01\"", "must be a date" },
        { "s3n_policy_version = 1\n[tcb]\ngrace_days = -1", "from 0 to" },
        { "s3n_policy_version = 1\n[tcb]\nsgx_svn_min = [1, 2]", "must be 16 numbers" },
        { "s3n_policy_version = 1\n[tcb]\nsgx_svn_min = [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,256]",
          "from 0 to 255" },
        { "s3n_policy_version = 1\n[tcb]\nstate = []", "state" },
        { "s3n_policy_version = 1\ntcb = 1", "must be a table" },
        { "s3n_policy_version = 1\n[snp]\nvmpl_max = 4", "from 0 to 3" },
        { "s3n_policy_version = 1\n[snp.tcb_min]\nspl = 4", "spl" },
        { "s3n_policy_version = 1\n[collateral]\nrevocation = \"forbidden\"", "\"any\" or" },
        { "s3n_policy_version = 1\n[[measurement]]\nmrtd = \"00\"", "must be text" },
        { "s3n_policy_version = 1\n[[measurement]]\nname = \"a\"", "names no value" },
        { "s3n_policy_version = 1\n[[measurement]]\nname = \"a\"\nmrtd = \"00\"",
          "must be 96 hexadecimal digits" },
        { "s3n_policy_version = 1\n[[measurement]]\nname = \"a\"\nmrtd = 5", "must be text" },
        { "s3n_policy_version = 1\n[[measurement]]\nname = \"a\"\nppid = \"00\"", "no such claim" },
        { "s3n_policy_version = 1\n[[platform]]\nname = \"a\"\nmrtd = \"00\"", "no such claim" },
        { "s3n_policy_version = 1\nmeasurement = [1]", "must be a table" },
        { "s3n_policy_version = 1\n[[platform]]\nname = \"a\"\n"
          "ppid = \"00000000000000000000000000000000\"\n"
          "platform_instance_id = \"00000000000000000000000000000000\"",
          "at most 1 values" },
        { "s3n_policy_version = 1\ns3n_policy_version = 1", "p.toml:2" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        static struct policy policy;
        struct error error = { 0 };
        CHECK_NOTE(!policy_parse(&policy, "p.toml", bytes_of_string(rows[i].text), &error), "%s",
                   rows[i].text);
        CHECK_NOTE(strstr(error.text, rows[i].part) != NULL, "%s -> %s", rows[i].text, error.text);
    }
}

static void refuses_a_mix_of_kinds(void)
{
    char text[512];
    snprintf(text, sizeof(text),
             "s3n_policy_version = 1\n[[measurement]]\nname = \"a\"\nmrtd = \"%096d\"\n"
             "mrenclave = \"%064d\"",
             0, 0);
    static struct policy policy;
    struct error error = { 0 };
    CHECK(!policy_parse(&policy, "p.toml", bytes_of_string(text), &error));
    CHECK_NOTE(strstr(error.text, "another kind of evidence") != NULL, "%s", error.text);
}

static void writes_its_report(void)
{
    judge_text("", verdict_of_domain(), "");
    char text[8192];
    struct writer target = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&target);
    json_write_object_begin(&json);
    policy_report_write(&json, &report);
    json_write_object_end(&json);
    struct error error;
    json_t *tree = NULL;
    REQUIRE(json_parse(&tree, writer_view(&target), &error));
    CHECK_STRING(json_string_value(json_object_get(tree, "policy")), "accept");
    CHECK_NUMBER(json_array_size(json_object_get(tree, "rules")), report.rule_count);
    json_decref(tree);
}

static const struct test tests[] = {
    TEST(accepts_production_by_default),
    TEST(judges_each_rule),
    TEST(names_the_measurement_that_matched),
    TEST(judges_amd_reports),
    TEST(pins_chips_and_launches),
    TEST(judges_nitro_documents),
    TEST(gives_grace_to_what_was_up_to_date),
    TEST(tolerates_named_advisories_only),
    TEST(wants_lists_that_were_left_out),
    TEST(reads_a_whole_file),
    TEST(refuses_bad_files),
    TEST(refuses_a_mix_of_kinds),
    TEST(writes_its_report),
};
TEST_MAIN(tests)
