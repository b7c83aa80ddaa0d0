/* SPDX-License-Identifier: Apache-2.0 */
/* Writes TDX and SGX quotes with their collateral, all of our own makers, one JSON object a line:
 * random fields, one fault each (or none), and what our verifier says.  intel-cases SEED COUNT
 * [SHAPE] */
#include "tests/oracles/intel_plan.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The harness, whose checks notice some of the faults, prints to standard output. */
static FILE *cases;

static void print_hex(const char *name, struct bytes bytes)
{
    static char text[2 * 65536 + 1];
    ASSERT(2 * bytes.size < sizeof(text));
    hex_encode(text, bytes);
    fprintf(cases, ", \"%s\": \"%s\"", name, text);
}

static void print_status(const char *name, enum intel_tcb_status status)
{
    fprintf(cases, ", \"%s\": \"%s\"", name, intel_tcb_status_name(status));
}

static void print_case(size_t index, const struct intel_fault *fault, enum intel_shape shape)
{
    static struct intel_plan plan;
    static struct attest_verdict verdict;
    struct error error;
    intel_plan_init(&plan, shape);
    fault->make(&plan);
    intel_plan_build(&plan);
    const struct attest_options *options = &plan.world.options;
    bool is_valid = attest_verify(&verdict, buffer_view(&plan.quote), options, &error);
    fprintf(cases,
            "{\"index\": %zu, \"fault\": \"%s\", \"shape\": \"%s\", \"at\": %lld, \"valid\": %s, "
            "\"reason\": \"%s\"",
            index, fault->name, intel_shape_names[plan.shape], (long long)options->now_s,
            is_valid ? "true" : "false", attest_reason_name(verdict.reason));
    if (is_valid) {
        const struct intel_claims *claims = &verdict.claims.intel;
        print_status("status", claims->tcb_status);
        print_status("level", claims->tcb_level_status);
        print_status("module", claims->tdx_module_status);
        print_status("qe", claims->qe_status);
        fprintf(cases, ", \"advisories\": [");
        for (size_t i = 0; i < claims->advisory_count; i++)
            fprintf(cases, "%s\"%s\"", i == 0 ? "" : ", ", claims->advisory_ids[i]);
        fprintf(cases, "]");
    }
    print_hex("quote", buffer_view(&plan.quote));
    print_hex("root", buffer_view(&plan.world.ders[0]));
    print_hex("tcb_info", options->collateral.tcb_info);
    print_hex("qe_identity", options->collateral.qe_identity);
    print_hex("tcb_chain", options->collateral.tcb_chain);
    print_hex("pck_crl", options->collateral.pck_crl);
    print_hex("root_crl", options->collateral.root_crl);
    fprintf(cases, "}\n");
    intel_plan_done(&plan);
}

/* They take turns. */
static const struct intel_fault *fault_of(size_t turn)
{
    size_t index = 1 + turn % (intel_fault_count + intel_document_fault_count - 1);
    return index < intel_fault_count ? &intel_faults[index]
                                     : &intel_document_faults[index - intel_fault_count];
}

int main(int argc, char **argv)
{
    size_t shape = 0;
    while (argc == 4 && shape < SHAPE_COUNT && strcmp(argv[3], intel_shape_names[shape]) != 0)
        shape++;
    if (argc < 3 || argc > 4 || shape == SHAPE_COUNT) {
        fprintf(stderr, "usage: intel-cases SEED COUNT [SHAPE]\n");
        return 2;
    }
    cases = fdopen(dup(STDOUT_FILENO), "w");
    ASSERT(cases != NULL && freopen("/dev/null", "w", stdout) != NULL);
    intel_plan_seed(strtoull(argv[1], NULL, 10));
    size_t count = strtoull(argv[2], NULL, 10);
    /* A quarter is without a fault: what no verifier must refuse. */
    for (size_t i = 0; i < count; i++)
        print_case(i, i % 4 == 0 ? &intel_faults[0] : fault_of(i - i / 4),
                   argc == 4 ? (enum intel_shape)shape : SHAPE_COUNT);
    return fclose(cases) == 0 ? 0 : 1;
}
