/* SPDX-License-Identifier: Apache-2.0 */
/* Reports and certificates of our own with one fault each. */
#include "attest/amd/test_pki.h"
#include "attest/amd/test_reports.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

/* name, product, version, expected reason, what is done to the plan */
#define CASES(X)                                                                                   \
    X(milan_v2, "Milan", 2, NONE, )                                                                \
    X(milan_v3, "Milan", 3, NONE, )                                                                \
    X(milan_v4, "Milan", 4, NONE, )                                                                \
    X(milan_v5, "Milan", 5, NONE, )                                                                \
    X(genoa_v3, "Genoa", 3, NONE, )                                                                \
    X(siena_v5, "Genoa", 5, NONE, plan->cpuid_model = 0xa0)                                        \
    X(bergamo_v4, "Genoa", 4, NONE, plan->cpuid_model = 0xaf)                                      \
    X(turin_v3, "Turin", 3, NONE, )                                                                \
    X(turin_v5, "Turin", 5, NONE, plan->cpuid_model = 0x11)                                        \
    X(turin_v2, "Turin", 2, NONE, )                                                                \
    X(stepping, "Milan", 3, NONE, plan->vek_product = "Milan-B0")                                  \
    X(vlek, "Milan", 3, NONE, plan->is_vlek = true)                                                \
    X(vlek_genoa, "Genoa", 5, NONE, plan->is_vlek = true)                                          \
    X(hwid_wrapped, "Milan", 3, NONE, plan->is_hwid_wrapped = true)                                \
    X(hwid_wrapped_turin, "Turin", 3, NONE, plan->is_hwid_wrapped = true)                          \
    X(trailer_spelt_out, "Milan", 3, NONE, plan->vek_signing = FIXTURE_PSS_TRAILER)                \
    X(platform_unknown_bits, "Milan", 3, NONE, snp_plan_patch(plan, 0x40, 0x67))                   \
    X(debug_is_valid, "Milan", 3, NONE, snp_plan_patch(plan, 0x0a, 0x0b))                          \
    /* format */                                                                                   \
    X(version_0, "Milan", 0, UNSUPPORTED_VERSION, )                                                \
    X(version_1, "Milan", 1, UNSUPPORTED_VERSION, )                                                \
    X(version_6, "Milan", 6, UNSUPPORTED_VERSION, )                                                \
    X(version_huge, "Milan", 3, UNSUPPORTED_VERSION, snp_plan_patch(plan, 3, 1))                   \
    X(algorithm_0, "Milan", 3, UNSUPPORTED_SIG_ALGO, snp_plan_patch(plan, 0x34, 0))                \
    X(algorithm_high, "Milan", 3, UNSUPPORTED_SIG_ALGO, snp_plan_patch(plan, 0x37, 1))             \
    X(policy_bit_17, "Milan", 3, FORMAT, snp_plan_patch(plan, 0x0a, 0x01))                         \
    /* product */                                                                                  \
    X(genoa_under_milan, "Milan", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0x11)                   \
    X(milan_under_genoa, "Genoa", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0x0f)                   \
    X(turin_under_milan, "Milan", 3, PRODUCT_MISMATCH, plan->cpuid_family = 0x1a)                  \
    X(between_lines, "Milan", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0x20)                       \
    X(below_siena, "Genoa", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0x9f)                         \
    X(above_siena, "Genoa", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0xb0)                         \
    X(above_turin, "Turin", 3, PRODUCT_MISMATCH, plan->cpuid_model = 0x12)                         \
    X(later_line, "Turin", 5, PRODUCT_MISMATCH, plan->cpuid_model = 0x50)                          \
    X(no_cpuid, "Milan", 3, PRODUCT_MISMATCH, plan->cpuid_family = 0)                              \
    X(unknown_root_name, "Milan", 3, PRODUCT_MISMATCH, plan->root_name = "ARK-Rome")               \
    X(unknown_root_name_v2, "Milan", 2, VEK_CHAIN_INVALID, plan->root_name = "ARK-Rome")           \
    X(vek_of_other_product, "Milan", 3, PRODUCT_MISMATCH, plan->vek_product = "Genoa")             \
    X(vek_of_no_product, "Milan", 3, PRODUCT_MISMATCH, plan->is_product_left_out = true)           \
    /* signing key */                                                                              \
    X(not_signed, "Milan", 3, NOT_SIGNED, snp_plan_patch(plan, 0x48, 7 << 2))                      \
    X(signing_key_2, "Milan", 3, NOT_SIGNED, snp_plan_patch(plan, 0x48, 2 << 2))                   \
    X(vlek_said_vcek_used, "Milan", 3, VEK_CHAIN_INVALID, snp_plan_patch(plan, 0x48, 1 << 2))      \
    X(vcek_said_vlek_used, "Milan", 3, VEK_CHAIN_INVALID,                                          \
      (plan->is_vlek = true, snp_plan_patch(plan, 0x48, 0)))                                       \
    /* chain */                                                                                    \
    X(vek_name, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_name = "SEV-VLEK")                        \
    X(vek_name_longer, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_name = "SEV-VCEK2")                \
    X(intermediate_name, "Milan", 3, VEK_CHAIN_INVALID, plan->intermediate_name = "SEV-Genoa")     \
    X(intermediate_stepping, "Milan", 3, VEK_CHAIN_INVALID,                                        \
      plan->intermediate_name = "SEV-Milan-B0")                                                    \
    X(issuer_name, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_issuer_name = "SEV-Genoa")             \
    X(vek_other_issuer, "Milan", 3, VEK_CHAIN_INVALID, plan->other_key = SNP_LEVEL_VEK)            \
    X(intermediate_other_issuer, "Milan", 3, VEK_CHAIN_INVALID,                                    \
      plan->other_key = SNP_LEVEL_INTERMEDIATE)                                                    \
    X(root_not_self_signed, "Milan", 3, VEK_CHAIN_INVALID, plan->other_key = SNP_LEVEL_ROOT)       \
    X(salt_32, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_signing = FIXTURE_PSS_SALT_32)             \
    X(salt_32_lied, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_signing = FIXTURE_PSS_SALT_32_LIED)   \
    X(salt_32_above, "Milan", 3, VEK_CHAIN_INVALID,                                                \
      plan->intermediate_signing = FIXTURE_PSS_SALT_32)                                            \
    X(sha256, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_signing = FIXTURE_PSS_SHA256)               \
    X(sha1, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_signing = FIXTURE_PSS_DEFAULTS)               \
    X(pkcs1, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_signing = FIXTURE_PKCS1)                     \
    X(vek_p256, "Milan", 3, VEK_CHAIN_INVALID, plan->is_vek_p256 = true)                           \
    X(intermediate_p384, "Milan", 3, VEK_CHAIN_INVALID, plan->is_intermediate_p384 = true)         \
    X(root_p384, "Milan", 3, VEK_CHAIN_INVALID, plan->is_root_p384 = true)                         \
    X(vek_is_ca, "Milan", 3, VEK_CHAIN_INVALID, plan->vek_constraints = FIXTURE_CA)                \
    X(vek_says_no_ca, "Milan", 3, NONE, plan->vek_constraints = FIXTURE_NOT_CA)                    \
    X(intermediate_no_ca, "Milan", 3, VEK_CHAIN_INVALID,                                           \
      plan->intermediate_constraints = FIXTURE_NOT_CA)                                             \
    X(intermediate_no_constraints, "Milan", 3, VEK_CHAIN_INVALID,                                  \
      plan->intermediate_constraints = FIXTURE_NO_CONSTRAINTS)                                     \
    X(root_of_leaves, "Milan", 3, VEK_CHAIN_INVALID,                                               \
      plan->root_constraints = FIXTURE_CA_OF_LEAVES)                                               \
    X(root_no_ca, "Milan", 3, VEK_CHAIN_INVALID, plan->root_constraints = FIXTURE_NO_CONSTRAINTS)  \
    X(intermediate_usage, "Milan", 3, VEK_CHAIN_INVALID, plan->intermediate_usage = "\x07\x80")    \
    X(intermediate_lists_only, "Milan", 3, VEK_CHAIN_INVALID,                                      \
      plan->intermediate_usage = "\x01\x02")                                                       \
    X(root_usage, "Milan", 3, VEK_CHAIN_INVALID, plan->root_usage = "\x01\x02")                    \
    X(no_usage, "Milan", 3, NONE, plan->intermediate_usage = plan->root_usage = NULL)              \
    X(vek_critical, "Milan", 3, VEK_CHAIN_INVALID, plan->critical = SNP_LEVEL_VEK)                 \
    X(intermediate_critical, "Milan", 3, VEK_CHAIN_INVALID,                                        \
      plan->critical = SNP_LEVEL_INTERMEDIATE)                                                     \
    X(root_critical, "Milan", 3, VEK_CHAIN_INVALID, plan->critical = SNP_LEVEL_ROOT)               \
    X(negative_serial, "Milan", 3, VEK_CHAIN_INVALID, plan->is_serial_negative = true)             \
    X(vek_expired, "Milan", 3, CERT_EXPIRED, plan->expired = SNP_LEVEL_VEK)                        \
    X(intermediate_expired, "Milan", 3, CERT_EXPIRED, plan->expired = SNP_LEVEL_INTERMEDIATE)      \
    X(root_expired, "Milan", 3, CERT_EXPIRED, plan->expired = SNP_LEVEL_ROOT)                      \
    X(vek_not_yet, "Milan", 3, CERT_NOT_YET_VALID, plan->not_yet = SNP_LEVEL_VEK)                  \
    X(intermediate_not_yet, "Milan", 3, CERT_NOT_YET_VALID,                                        \
      plan->not_yet = SNP_LEVEL_INTERMEDIATE)                                                      \
    X(root_not_yet, "Milan", 3, CERT_NOT_YET_VALID, plan->not_yet = SNP_LEVEL_ROOT)                \
    /* extensions */                                                                               \
    X(no_structure, "Milan", 3, VEK_CHAIN_INVALID, plan->left_out |= 1)                            \
    X(structure_2, "Milan", 3, VEK_CHAIN_INVALID, plan->components[0] = 2)                         \
    X(component_type, "Milan", 3, VEK_CHAIN_INVALID, plan->component_tag = 0x0a)                   \
    X(structure_tail, "Milan", 3, VEK_CHAIN_INVALID, plan->tailed = 1)                             \
    X(component_tail, "Milan", 3, VEK_CHAIN_INVALID, plan->tailed = 1 << 3)                        \
    X(component_tails, "Milan", 3, VEK_CHAIN_INVALID, plan->tailed = 1 << 3 | 1 << 8)              \
    X(product_tail, "Milan", 3, VEK_CHAIN_INVALID, plan->tailed = SNP_TAIL_PRODUCT)                \
    X(provider_tail, "Milan", 3, VEK_CHAIN_INVALID,                                                \
      (plan->is_vlek = true, plan->tailed = SNP_TAIL_PROVIDER))                                    \
    X(hwid_tail, "Milan", 3, VEK_CHAIN_INVALID, plan->tailed = SNP_TAIL_HWID)                      \
    X(hwid_wrapped_tail, "Milan", 3, VEK_CHAIN_INVALID,                                            \
      (plan->is_hwid_wrapped = true, plan->tailed = SNP_TAIL_HWID))                                \
    X(product_utf8, "Milan", 3, VEK_CHAIN_INVALID, plan->text_tag = 0x0c)                          \
    X(provider_control, "Milan", 3, VEK_CHAIN_INVALID,                                             \
      (plan->is_vlek = true, plan->provider = "CN=a\x1f"))                                         \
    X(provider_delete, "Milan", 3, VEK_CHAIN_INVALID,                                              \
      (plan->is_vlek = true, plan->provider = "CN=a\x7f"))                                         \
    X(provider_edges, "Milan", 3, NONE, (plan->is_vlek = true, plan->provider = " ~"))             \
    X(no_boot_loader, "Milan", 3, TCB_MISMATCH, plan->left_out |= 1 << 1)                          \
    X(no_tee, "Milan", 3, TCB_MISMATCH, plan->left_out |= 1 << 2)                                  \
    X(no_snp, "Milan", 3, TCB_MISMATCH, plan->left_out |= 1 << 3)                                  \
    X(no_microcode, "Milan", 3, TCB_MISMATCH, plan->left_out |= 1 << 8)                            \
    X(no_fmc, "Turin", 3, TCB_MISMATCH, plan->left_out |= 1 << 9)                                  \
    X(no_tee_0, "Milan", 3, TCB_MISMATCH, (plan->components[2] = 0, plan->left_out |= 1 << 2))     \
    X(no_microcode_0, "Milan", 3, TCB_MISMATCH,                                                    \
      (plan->components[8] = 0, plan->left_out |= 1 << 8))                                         \
    X(no_snp_0, "Milan", 3, TCB_MISMATCH, (plan->components[3] = 0, plan->left_out |= 1 << 3))     \
    X(no_boot_loader_0, "Milan", 3, TCB_MISMATCH,                                                  \
      (plan->components[1] = 0, plan->left_out |= 1 << 1))                                         \
    X(no_fmc_0, "Turin", 3, TCB_MISMATCH, (plan->components[9] = 0, plan->left_out |= 1 << 9))     \
    X(spare_4_left_out, "Milan", 3, NONE, plan->left_out |= 1 << 4)                                \
    X(spare_4, "Milan", 3, TCB_MISMATCH, plan->components[4] = 1)                                  \
    X(spare_7, "Milan", 3, TCB_MISMATCH, plan->components[7] = 1)                                  \
    X(boot_loader, "Milan", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x180, 4))                       \
    X(tee, "Milan", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x181, 1))                               \
    X(snp, "Milan", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x186, 23))                              \
    X(microcode, "Milan", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x187, 220))                       \
    X(turin_fmc, "Turin", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x180, 8))                         \
    X(turin_boot_loader, "Turin", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x181, 4))                 \
    X(turin_tee, "Turin", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x182, 1))                         \
    X(turin_snp, "Turin", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x183, 25))                        \
    X(turin_microcode, "Turin", 3, TCB_MISMATCH, snp_plan_patch(plan, 0x187, 0))                   \
    X(fmc_on_milan, "Milan", 3, TCB_MISMATCH, (plan->left_out = 0, plan->components[9] = 7))       \
    X(chip, "Milan", 3, CHIP_ID_MISMATCH, snp_plan_patch(plan, 0x1df, 0))                          \
    X(chip_turin, "Turin", 3, CHIP_ID_MISMATCH, snp_plan_patch(plan, 0x1a7, 0))                    \
    X(chip_turin_rest, "Turin", 3, CHIP_ID_MISMATCH, snp_plan_patch(plan, 0x1a8, 1))               \
    X(no_hwid, "Milan", 3, CHIP_ID_MISMATCH, plan->is_hwid_left_out = true)                        \
    X(short_hwid, "Milan", 3, CHIP_ID_MISMATCH, plan->hwid_size = 8)                               \
    X(long_hwid, "Turin", 3, CHIP_ID_MISMATCH, plan->hwid_size = 64)                               \
    X(vlek_no_provider, "Milan", 3, VEK_CHAIN_INVALID,                                             \
      (plan->is_vlek = true, plan->has_no_provider = true))                                        \
    X(vlek_with_chip, "Milan", 3, VEK_CHAIN_INVALID,                                               \
      (plan->is_vlek = true, plan->has_hwid_too = true))                                           \
    X(vcek_with_provider, "Milan", 3, VEK_CHAIN_INVALID, plan->has_no_provider = true)             \
    X(names_with_place, "Milan", 3, NONE, plan->has_place = true)                                  \
    X(odd_hwid, "Milan", 3, VEK_CHAIN_INVALID, plan->hwid_size = 32)                               \
    X(vlek_on_chip, "Milan", 3, NONE, (plan->is_vlek = true, snp_plan_patch(plan, 0x1a0, 9)))      \
    /* signature */                                                                                \
    X(report_changed, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x50, 1))          \
    X(r_padding, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x2d0, 1))              \
    X(r_padding_end, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x2e7, 1))          \
    X(s_padding, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x318, 1))              \
    X(s_padding_end, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x32f, 1))          \
    X(rest, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x330, 1))                   \
    X(rest_end, "Milan", 3, SIGNATURE_INVALID, snp_plan_patch_later(plan, 0x49f, 1))

#define CASE_PREPARE(name, product, version, reason, what)                                         \
    static void prepare_##name(struct snp_plan *plan)                                              \
    {                                                                                              \
        (void)plan;                                                                                \
        what;                                                                                      \
    }
CASES(CASE_PREPARE)
#undef CASE_PREPARE

static const struct {
    const char *name;
    const char *product;
    uint32_t version;
    enum attest_reason reason;
    void (*prepare)(struct snp_plan *plan);
} cases[] = {
#define CASE_ROW(name, product, version, reason, what)                                             \
    { #name, product, version, ATTEST_REASON_##reason, prepare_##name },
    CASES(CASE_ROW)
#undef CASE_ROW
};

static void judges_one_fault_each(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct snp_plan plan = snp_plan_of(cases[i].product, cases[i].version);
        AUTO_MADE struct snp_made made;
        struct attest_verdict verdict;
        cases[i].prepare(&plan);
        CHECK_NOTE(snp_made_init(&made, &plan), "%s", cases[i].name);
        struct attest_options options = snp_made_options(&made);
        enum attest_reason found = snp_judge(&verdict, BYTES_OF(made.report), &options);
        CHECK_NOTE(found == cases[i].reason, "%s: %s (%s)", cases[i].name,
                   attest_reason_name(found), verdict.steps[verdict.step_count - 1].detail);
    }
}

/* Verifies a report that was changed and signed again. */
static enum attest_reason signed_again(struct snp_made *made, size_t offset, uint8_t value,
                                       struct signature_memo *memo)
{
    struct attest_verdict verdict;
    struct attest_options options = snp_made_options(made);
    options.memo = memo;
    uint8_t before = made->report[offset];
    made->report[offset] = value;
    snp_made_sign(made);
    enum attest_reason reason = snp_judge(&verdict, BYTES_OF(made->report), &options);
    made->report[offset] = before;
    return reason;
}

static void knows_every_reserved_byte(void)
{
    static const struct {
        size_t first;
        size_t last;
        uint8_t value;
        uint32_t version_max; /* later ones have a field there */
    } reserved[] = {
        { 0x00b, 0x00b, 0x04, 5 }, /* bit 26 of the policy */
        { 0x00c, 0x00f, 0x01, 5 }, { 0x048, 0x048, 0x20, 5 }, { 0x049, 0x04b, 0x01, 5 },
        { 0x04c, 0x04f, 0x80, 5 }, { 0x188, 0x18a, 0x01, 2 }, { 0x18b, 0x19f, 0x01, 5 },
        { 0x1eb, 0x1eb, 0x01, 5 }, { 0x1ef, 0x1ef, 0x01, 5 }, { 0x1f8, 0x207, 0x01, 4 },
        { 0x208, 0x29f, 0x01, 5 },
    };
    for (uint32_t version = 2; version <= 5; version++) {
        struct signature_memo memo = { 0 };
        struct snp_plan plan = snp_plan_of("Milan", version);
        AUTO_MADE struct snp_made made;
        REQUIRE(snp_made_init(&made, &plan));
        for (size_t i = 0; i < ARRAY_COUNT(reserved); i++)
            for (size_t at = reserved[i].first;
                 version <= reserved[i].version_max && at <= reserved[i].last; at++) {
                enum attest_reason reason = signed_again(&made, at, reserved[i].value, &memo);
                CHECK_NOTE(reason == ATTEST_REASON_FORMAT, "version %u, byte %zx: %s", version, at,
                           attest_reason_name(reason));
            }
        CHECK(signed_again(&made, 0x0b, 0x03, &memo) == ATTEST_REASON_NONE);
        CHECK(version < 5 || signed_again(&made, 0x1f8, 0x01, &memo) == ATTEST_REASON_NONE);
    }
}

static void numbers_of_the_signature_are_in_range(void)
{
    /* The order of P-384, little-endian. */
    static const uint8_t order[48] = { 0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec, 0x7a, 0xa7,
                                       0xb0, 0x48, 0xb2, 0x0d, 0x1a, 0x58, 0xdf, 0x2d, 0x37, 0xf4,
                                       0x81, 0x4d, 0x63, 0xc7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct snp_plan plan = snp_plan_of("Milan", 3);
    for (size_t part = 0; part < 2; part++) {
        AUTO_MADE struct snp_made made;
        struct attest_verdict verdict;
        REQUIRE(snp_made_init(&made, &plan));
        struct attest_options options = snp_made_options(&made);
        uint8_t *number = made.report + SNP_SIGNED_SIZE + 72 * part;
        memset(number, 0, 48);
        CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) ==
              ATTEST_REASON_SIGNATURE_INVALID);
        memcpy(number, order, 48);
        CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) ==
              ATTEST_REASON_SIGNATURE_INVALID);
        memset(number, 0xff, 48);
        CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) ==
              ATTEST_REASON_SIGNATURE_INVALID);
    }
}

static bool verify(struct attest_verdict *verdict, struct snp_made *made,
                   const struct snp_plan *plan)
{
    bool is_made = snp_made_init(made, plan);
    struct attest_options options = snp_made_options(made);
    return is_made && snp_judge(verdict, BYTES_OF(made->report), &options) == ATTEST_REASON_NONE;
}

static void tells_masks_and_consistency(void)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    struct attest_verdict verdict;
    AUTO_MADE struct snp_made plain;
    REQUIRE(verify(&verdict, &plain, &plan));
    const struct snp_claims *claims = &verdict.claims.snp;
    CHECK(!claims->is_chip_id_masked && !claims->is_chip_key_masked);
    CHECK_BYTES(bytes_of(claims->hwid, claims->hwid_size), BYTES_OF(claims->report.chip_id));
    CHECK(claims->is_tcb_consistent);
    CHECK_STRING(claims->csp_id, "");
    /* A masked chip: the key still tells which it is. */
    AUTO_MADE struct snp_made masked;
    REQUIRE(snp_made_init(&masked, &plan));
    memset(masked.report + 0x1a0, 0, 64);
    masked.report[0x48] = 1 << 1 | 1;
    snp_made_sign(&masked);
    struct attest_options options = snp_made_options(&masked);
    REQUIRE(snp_judge(&verdict, BYTES_OF(masked.report), &options) == ATTEST_REASON_NONE);
    CHECK(claims->is_chip_id_masked && claims->is_chip_key_masked);
    CHECK(claims->is_author_key_enabled);
    CHECK_NUMBER(claims->hwid_size, 64);
    /* Committed, reported and launch TCB above the current one, component by component. */
    static const size_t above[] = { 0x1e0, 0x1e1, 0x1e6, 0x1e7, 0x1f0, 0x1f7 };
    for (size_t i = 0; i < ARRAY_COUNT(above); i++) {
        struct snp_plan inconsistent = plan;
        snp_plan_patch(&inconsistent, above[i], 0xff);
        AUTO_MADE struct snp_made made;
        REQUIRE(verify(&verdict, &made, &inconsistent));
        CHECK_NOTE(!claims->is_tcb_consistent, "byte %zx", above[i]);
    }
    struct snp_plan behind = plan;
    snp_plan_patch(&behind, 0x3e, 23); /* current SNP below the reported one */
    AUTO_MADE struct snp_made made_behind;
    REQUIRE(verify(&verdict, &made_behind, &behind));
    CHECK(!claims->is_tcb_consistent);
    struct snp_plan reported = plan; /* committed and launch SNP low, the reported one too high */
    snp_plan_patch(&reported, 0x3e, 23);
    snp_plan_patch(&reported, 0x1e6, 0);
    snp_plan_patch(&reported, 0x1f6, 0);
    AUTO_MADE struct snp_made made_reported;
    REQUIRE(verify(&verdict, &made_reported, &reported));
    CHECK(!claims->is_tcb_consistent);
    struct snp_plan turin = snp_plan_of("Turin", 5); /* the first component is the FMC's */
    snp_plan_patch(&turin, 0x1e0, 8);
    AUTO_MADE struct snp_made made_turin;
    REQUIRE(verify(&verdict, &made_turin, &turin));
    CHECK(!claims->is_tcb_consistent);
    /* Masked, under a key that tells no chip. */
    struct snp_plan nameless = plan;
    nameless.is_hwid_left_out = true;
    AUTO_MADE struct snp_made made_nameless;
    REQUIRE(snp_made_init(&made_nameless, &nameless));
    memset(made_nameless.report + 0x1a0, 0, 64);
    snp_made_sign(&made_nameless);
    options = snp_made_options(&made_nameless);
    CHECK(snp_judge(&verdict, BYTES_OF(made_nameless.report), &options) ==
          ATTEST_REASON_CHIP_ID_MISMATCH);
    plan.is_vlek = true;
    AUTO_MADE struct snp_made vlek;
    REQUIRE(verify(&verdict, &vlek, &plan));
    CHECK_STRING(claims->csp_id, "CN=cc-here.cloud.example");
    CHECK_NUMBER(claims->hwid_size, 0);
    CHECK(claims->is_chip_id_masked);
}

/* Verifies a good report with a list. */
static enum attest_reason with_list(const struct fixture_crl *content,
                                    const struct fixture_key *signer, bool is_pem,
                                    const char *root_usage, int64_t now_s)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    plan.root_usage = root_usage;
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer list;
    AUTO_BUFFER struct buffer pem;
    struct attest_verdict verdict;
    buffer_init(&list, 0xffff);
    buffer_init(&pem, 2 * 0xffff);
    fixture_crl(&list, content, signer, FIXTURE_PSS);
    pem_append(&pem, "X509 CRL", buffer_view(&list));
    if (!snp_made_init(&made, &plan))
        return ATTEST_REASON_FORMAT;
    struct attest_options options = snp_made_options(&made);
    options.now_s = now_s;
    options.collateral.crl = buffer_view(is_pem ? &pem : &list);
    enum attest_reason reason = snp_judge(&verdict, BYTES_OF(made.report), &options);
    CHECK(reason != ATTEST_REASON_NONE || verdict.claims.snp.has_crl);
    return reason;
}

static void judges_revocation_lists(void)
{
    static const struct bytes others[] = { { (const uint8_t *)"\x06", 1 },
                                           { (const uint8_t *)"\x00", 1 } };
    static const struct bytes ours[] = { { (const uint8_t *)"\x06", 1 },
                                         { (const uint8_t *)"\x05", 1 } };
    const int64_t now_s = SNP_MADE_NOW_S;
    const struct fixture_key *root = snp_pki_root_key();
    struct fixture_crl list = { .issuer = "ARK-Milan",
                                .this_update_s = now_s - 100,
                                .next_update_s = now_s + 100 };
    const char *usage = "\x01\x06";
    CHECK(with_list(&list, root, false, usage, now_s) == ATTEST_REASON_NONE);
    CHECK(with_list(&list, root, true, usage, now_s) == ATTEST_REASON_NONE);
    CHECK(with_list(&list, root, false, usage, now_s - 101) == ATTEST_REASON_CRL_NOT_YET_VALID);
    CHECK(with_list(&list, root, false, usage, now_s + 101) == ATTEST_REASON_CRL_EXPIRED);
    CHECK(with_list(&list, snp_pki_other_key(), false, usage, now_s) ==
          ATTEST_REASON_CRL_SIG_INVALID);
    CHECK(with_list(&list, root, false, "\x02\x04", now_s) == ATTEST_REASON_CRL_SIG_INVALID);
    list.serials = others; /* 0 is the report key's, of which this list does not speak */
    list.serial_count = 2;
    CHECK(with_list(&list, root, false, usage, now_s) == ATTEST_REASON_NONE);
    list.serials = ours;
    CHECK(with_list(&list, root, false, usage, now_s) == ATTEST_REASON_CERT_REVOKED);
    CHECK(with_list(&list, root, true, usage, now_s) == ATTEST_REASON_CERT_REVOKED);
    list.issuer = "ARK-Genoa";
    CHECK(with_list(&list, root, false, usage, now_s) == ATTEST_REASON_CRL_SIG_INVALID);
    list.issuer = "ARK-Milan";
    list.extensions[0] = (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                                        .value = BYTES_LITERAL("\x05"),
                                                        .is_critical = true };
    list.extension_count = 1;
    CHECK(with_list(&list, root, false, usage, now_s) == ATTEST_REASON_CRL_SIG_INVALID);
}

static void wants_its_certificates(void)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    AUTO_MADE struct snp_made made;
    struct attest_verdict verdict;
    struct bytes report = BYTES_OF(made.report);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    /* The root behind the intermediate, as AMD's service sends them. */
    AUTO_BUFFER struct buffer pem;
    buffer_init(&pem, 16384);
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.intermediate_der));
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.root_der));
    options.collateral.intermediate = buffer_view(&pem);
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_NONE);
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.root_der));
    options.collateral.intermediate = buffer_view(&pem);
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    buffer_clear(&pem);
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.intermediate_der));
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.intermediate_der));
    options.collateral.intermediate = buffer_view(&pem);
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    options.collateral.intermediate = BYTES_LITERAL("garbage");
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    options.collateral.intermediate = (struct bytes){ 0 };
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_NO_VEK_CERT);
    options = snp_made_options(&made);
    options.collateral.vek = (struct bytes){ 0 };
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_NO_VEK_CERT);
    options.collateral.vek = BYTES_LITERAL("garbage");
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    /* Two of them: which one is meant? */
    buffer_clear(&pem);
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.vek_der));
    pem_append(&pem, "CERTIFICATE", buffer_view(&made.vek_der));
    options.collateral.vek = buffer_view(&pem);
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    /* Under AMD's own roots this chain is nothing, whatever it calls itself. */
    options = snp_made_options(&made);
    options.root = NULL;
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    options = snp_made_options(&made);
    uint8_t wanted[64];
    memset(wanted, 0x13, sizeof(wanted));
    options.report_data = BYTES_OF(wanted);
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_NONE);
    wanted[63] ^= 1;
    CHECK(snp_judge(&verdict, report, &options) == ATTEST_REASON_REPORT_DATA_MISMATCH);
}

/* Without any certificate the processor alone says that nothing can vouch for it. */
static void knows_the_lines_without_certificates(void)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    plan.cpuid_model = 0x20;
    AUTO_MADE struct snp_made made;
    struct attest_verdict verdict;
    struct attest_options options = { .tee = ATTEST_TEE_SNP, .now_s = SNP_MADE_NOW_S };
    REQUIRE(snp_made_init(&made, &plan));
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_PRODUCT_MISMATCH);
    made.report[0x189] = 0x01;
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_NO_VEK_CERT);
    struct snp_report report;
    CHECK(snp_report_read(&report, BYTES_OF(made.report)));
    CHECK(!snp_report_read(&report, bytes_of(made.report, SNP_REPORT_SIZE - 1)));
}

static void reads_long_revocation_lists(void)
{
    static struct bytes serials[1000];
    static uint8_t numbers[ARRAY_COUNT(serials)][20];
    for (size_t i = 0; i < ARRAY_COUNT(serials); i++) {
        memset(numbers[i], 0x11, sizeof(numbers[i]));
        numbers[i][18] = (uint8_t)(i >> 8);
        numbers[i][19] = (uint8_t)i;
        serials[i] = BYTES_OF(numbers[i]);
    }
    struct fixture_crl list = { .issuer = "ARK-Milan",
                                .this_update_s = SNP_MADE_NOW_S - 100,
                                .next_update_s = SNP_MADE_NOW_S + 100,
                                .serials = serials,
                                .serial_count = ARRAY_COUNT(serials) };
    const struct fixture_key *root = snp_pki_root_key();
    CHECK(with_list(&list, root, false, "\x01\x06", SNP_MADE_NOW_S) == ATTEST_REASON_NONE);
    serials[ARRAY_COUNT(serials) - 1] = BYTES_LITERAL("\x05");
    CHECK(with_list(&list, root, true, "\x01\x06", SNP_MADE_NOW_S) == ATTEST_REASON_CERT_REVOKED);
}

static const struct test tests[] = {
    TEST(judges_one_fault_each),
    TEST(knows_every_reserved_byte),
    TEST(numbers_of_the_signature_are_in_range),
    TEST(tells_masks_and_consistency),
    TEST(judges_revocation_lists),
    TEST(wants_its_certificates),
    TEST(knows_the_lines_without_certificates),
    TEST(reads_long_revocation_lists),
};

int main(int argc, char **argv)
{
    snp_pki_init();
    int code = test_main(tests, ARRAY_COUNT(tests), argc, argv);
    snp_pki_done();
    return code;
}
