/* SPDX-License-Identifier: Apache-2.0 */
/* Writes SEV-SNP evidence of our own PKI, one JSON object a line: random fields, one fault each (or
 * none), and what our verifier says.  snp-cases SEED COUNT */
#include "attest/amd/test_pki.h"
#include "core/hex.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t below(uint64_t limit)
{
    return test_random(&state) % limit;
}

static uint8_t byte(void)
{
    return (uint8_t)below(256);
}

static size_t at(size_t first, size_t last)
{
    return first + (size_t)below(last - first + 1);
}

/* What went wrong with a plan; some faults do their work on the signed report. */
struct work {
    struct snp_plan plan;
    size_t flip; /* bit of the finished report, or SIZE_MAX */
    size_t cut;  /* bytes that are missing at the end */
};

static void flip_signed(struct work *work)
{
    work->flip = 8 * at(0x50, 0x187) + below(8);
}
static void flip_signature(struct work *work)
{
    work->flip = 8 * (SNP_SIGNED_SIZE + 72 * below(2) + below(48)) + below(8);
}
static void flip_padding(struct work *work)
{
    work->flip = 8 * (below(2) == 0 ? at(0x2d0, 0x2e7) : at(0x330, 0x49f)) + below(8);
}
static void cut(struct work *work)
{
    work->cut = 1 + below(SNP_REPORT_SIZE);
}
static void reserved(struct work *work)
{
    static const size_t starts[] = { 0x4c, 0x18b, 0x1eb, 0x1ef, 0x208 };
    static const size_t ends[] = { 0x4f, 0x19f, 0x1eb, 0x1ef, 0x29f };
    size_t which = below(ARRAY_COUNT(starts));
    snp_plan_patch(&work->plan, at(starts[which], ends[which]), (uint8_t)(1 + below(255)));
}
static void policy_high(struct work *work)
{
    snp_plan_patch(&work->plan, at(0x0c, 0x0f), (uint8_t)(1 + below(255)));
}
static void policy_bit_17(struct work *work)
{
    snp_plan_patch(&work->plan, 0x0a, (uint8_t)(below(256) & ~2U));
}
static void version(struct work *work)
{
    snp_plan_patch(&work->plan, 0, below(2) == 0 ? (uint8_t)below(2) : (uint8_t)(6 + below(250)));
}
static void algorithm(struct work *work)
{
    snp_plan_patch(&work->plan, 0x34, (uint8_t)(2 + below(254)));
}
static void signing_key(struct work *work)
{
    snp_plan_patch(&work->plan, 0x48, (uint8_t)((2 + below(6)) << 2));
}
static void other_key_kind(struct work *work)
{
    snp_plan_patch(&work->plan, 0x48, work->plan.is_vlek ? 0 : 1 << 2);
}
static void cpuid(struct work *work)
{
    work->plan.version = 3 + (uint32_t)below(3);
    work->plan.cpuid_family = below(2) == 0 ? 0x19 : 0x1a;
    work->plan.cpuid_model = (uint8_t)(0x20 + below(0x30));
}
static void component(struct work *work)
{
    static const size_t offsets[] = { 0x180, 0x181, 0x186, 0x187 };
    static const size_t turin[] = { 0x180, 0x181, 0x182, 0x183, 0x187 };
    bool is_turin = strcmp(work->plan.product, "Turin") == 0;
    /* The made SVNs are below 0xf0. */
    snp_plan_patch(&work->plan, is_turin ? turin[below(5)] : offsets[below(4)],
                   (uint8_t)(0xf0 + below(16)));
}
static void no_component(struct work *work)
{
    static const unsigned numbers[] = { 1, 2, 3, 8 };
    work->plan.left_out |= (uint16_t)(1U << numbers[below(4)]);
}
static void spare(struct work *work)
{
    work->plan.components[4 + below(4)] = (uint8_t)(1 + below(255));
}
static void no_spare(struct work *work)
{
    work->plan.left_out |= (uint16_t)(1U << (4 + below(4)));
}
static void no_structure(struct work *work)
{
    work->plan.left_out |= 1;
}
static void structure(struct work *work)
{
    work->plan.components[0] = (uint8_t)(2 + below(100));
}
static void chip(struct work *work)
{
    bool is_turin = strcmp(work->plan.product, "Turin") == 0;
    work->plan.is_vlek = false;
    snp_plan_patch(&work->plan, 0x1a0 + below(is_turin ? 8 : 64), 0xf0);
}
static void no_hwid(struct work *work)
{
    work->plan.is_vlek = false;
    work->plan.is_hwid_left_out = true;
}
static void hwid_size(struct work *work)
{
    work->plan.is_vlek = false;
    work->plan.hwid_size = 1 + below(63);
}
static void hwid_wrapped(struct work *work)
{
    work->plan.is_hwid_wrapped = true;
}
static void ids(struct work *work)
{
    work->plan.has_no_provider = true;
}
static void both_ids(struct work *work)
{
    work->plan.is_vlek = true;
    work->plan.has_hwid_too = true;
}
static void product_name(struct work *work)
{
    work->plan.vek_product = strcmp(work->plan.product, "Milan") == 0 ? "Genoa" : "Milan";
}
static void no_product_name(struct work *work)
{
    work->plan.is_product_left_out = true;
}
static void vek_name(struct work *work)
{
    work->plan.vek_name = below(2) == 0 ? "SEV-VXEK" : "VCEK";
}
static void issuer_name(struct work *work)
{
    work->plan.vek_issuer_name = "SEV-Rome";
}
static void vek_key(struct work *work)
{
    work->plan.is_vek_p256 = true;
}
static void vek_signing(struct work *work)
{
    static const enum fixture_algorithm others[] = { FIXTURE_PSS_SHA256, FIXTURE_PKCS1,
                                                     FIXTURE_PSS_DEFAULTS };
    work->plan.vek_signing = others[below(ARRAY_COUNT(others))];
}
static void salt(struct work *work)
{
    work->plan.vek_signing = FIXTURE_PSS_SALT_32;
}
static void salt_lied(struct work *work)
{
    work->plan.vek_signing = FIXTURE_PSS_SALT_32_LIED;
}
static void other_issuer(struct work *work)
{
    work->plan.other_key = below(2) == 0 ? SNP_LEVEL_VEK : SNP_LEVEL_INTERMEDIATE;
}
static void root_not_self_signed(struct work *work)
{
    work->plan.other_key = SNP_LEVEL_ROOT;
}
static void no_ca(struct work *work)
{
    work->plan.intermediate_constraints = below(2) == 0 ? FIXTURE_NOT_CA : FIXTURE_NO_CONSTRAINTS;
}
static void usage(struct work *work)
{
    work->plan.intermediate_usage = "\x07\x80";
}
static void critical_vek(struct work *work)
{
    work->plan.critical = SNP_LEVEL_VEK;
}
static void critical_intermediate(struct work *work)
{
    work->plan.critical = SNP_LEVEL_INTERMEDIATE;
}
static void critical_root(struct work *work)
{
    work->plan.critical = SNP_LEVEL_ROOT;
}
static void expired(struct work *work)
{
    work->plan.expired = (enum snp_level)(1 + below(3));
}
static void not_yet(struct work *work)
{
    work->plan.not_yet = (enum snp_level)(1 + below(3));
}
static void negative_serial(struct work *work)
{
    work->plan.is_serial_negative = true;
}
static void none(struct work *work)
{
    (void)work;
}

#define FAULT(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }
static const struct {
    const char *name;
    void (*make)(struct work *work);
} faults[] = {
    FAULT(none),
    FAULT(flip_signed),
    FAULT(flip_signature),
    FAULT(flip_padding),
    FAULT(cut),
    FAULT(reserved),
    FAULT(policy_high),
    FAULT(policy_bit_17),
    FAULT(version),
    FAULT(algorithm),
    FAULT(signing_key),
    FAULT(other_key_kind),
    FAULT(cpuid),
    FAULT(component),
    FAULT(no_component),
    FAULT(spare),
    FAULT(no_spare),
    FAULT(no_structure),
    FAULT(structure),
    FAULT(chip),
    FAULT(no_hwid),
    FAULT(hwid_size),
    FAULT(hwid_wrapped),
    FAULT(ids),
    FAULT(both_ids),
    FAULT(product_name),
    FAULT(no_product_name),
    FAULT(vek_name),
    FAULT(issuer_name),
    FAULT(vek_key),
    FAULT(vek_signing),
    FAULT(salt),
    FAULT(salt_lied),
    FAULT(other_issuer),
    FAULT(root_not_self_signed),
    FAULT(no_ca),
    FAULT(usage),
    FAULT(critical_vek),
    FAULT(critical_intermediate),
    FAULT(critical_root),
    FAULT(expired),
    FAULT(not_yet),
    FAULT(negative_serial),
};

static struct snp_plan random_plan(void)
{
    const char *product = below(12) == 0 ? "Turin" : below(2) == 0 ? "Milan" : "Genoa";
    struct snp_plan plan = snp_plan_of(product, 2 + (uint32_t)below(4));
    plan.has_place = true;
    plan.is_vlek = below(4) == 0;
    if (!plan.is_vlek && strcmp(product, "Turin") != 0) /* VCEKs tell the stepping, too */
        plan.vek_product = strcmp(product, "Milan") == 0 ? "Milan-B0" : "Genoa-B1";
    for (unsigned i = 1; i <= 9; i++) {
        /* AMD's key service knows 0 to 127 (microcode: 255); the FMC is Turin's. */
        if (plan.components[i] != 0)
            plan.components[i] = (uint8_t)below(i == 8 ? 0xf0 : 128);
    }
    /* Guest SVN, VMPL, report data, measurement. */
    snp_plan_patch(&plan, 0x04, byte());
    snp_plan_patch(&plan, 0x30, (uint8_t)below(4));
    snp_plan_patch(&plan, at(0x50, 0x8f), byte());
    snp_plan_patch(&plan, at(0x90, 0xbf), byte());
    snp_plan_patch(&plan, 0x40, (uint8_t)(below(64))); /* platform info */
    return plan;
}

static void print_hex(const char *name, struct bytes bytes)
{
    char text[8192];
    ASSERT(2 * bytes.size < sizeof(text));
    hex_encode(text, bytes);
    printf(", \"%s\": \"%s\"", name, text);
}

static void print_case(size_t index, size_t fault)
{
    struct error error;
    struct attest_verdict verdict;
    struct work work = { .plan = random_plan(), .flip = SIZE_MAX };
    AUTO_MADE struct snp_made made;
    faults[fault].make(&work);
    ASSERT(snp_made_init(&made, &work.plan));
    if (work.flip != SIZE_MAX)
        made.report[work.flip / 8] ^= (uint8_t)(1 << work.flip % 8);
    struct bytes report = bytes_of(made.report, SNP_REPORT_SIZE - work.cut);
    struct attest_options options = snp_made_options(&made);
    bool is_valid = attest_verify(&verdict, report, &options, &error);
    printf(
        "{\"index\": %zu, \"fault\": \"%s\", \"product\": \"%s\", \"version\": %u, \"vlek\": %s, "
        "\"at\": %lld, \"valid\": %s, \"reason\": \"%s\"",
        index, faults[fault].name, work.plan.product, work.plan.version,
        work.plan.is_vlek ? "true" : "false", (long long)options.now_s, is_valid ? "true" : "false",
        attest_reason_name(verdict.reason));
    print_hex("report", report);
    print_hex("vek", options.collateral.vek);
    print_hex("intermediate", options.collateral.intermediate);
    print_hex("root", buffer_view(&made.root_der));
    printf("}\n");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: snp-cases SEED COUNT\n");
        return 2;
    }
    state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
    size_t count = strtoull(argv[2], NULL, 10);
    snp_pki_init();
    /* A third is without a fault: what one verifier must not refuse. */
    for (size_t i = 0; i < count; i++)
        print_case(i, i % 3 == 0 ? 0 : 1 + below(ARRAY_COUNT(faults) - 1));
    snp_pki_done();
    return 0;
}
