/* SPDX-License-Identifier: Apache-2.0 */
/* The official suite on the optimised tier, in this process. */
#include "optimiser/optimiser.h"
#include "tests/harness.h"

static bool compile(struct buffer *image, struct bytes module, const struct wasm_options *options,
                    struct error *error)
{
    static unsigned functions, optimised;
    struct optimise_options optimise = { .wasm = *options };
    struct optimise_report report = { 0 };
    bool done = optimise_compile(image, module, &optimise, &report, error);
    /* Left to the baseline are tail calls of other instances, and what is over the budget. */
    functions += report.function_count;
    optimised += report.optimised_count;
    CHECK_NOTE(functions < 10000 || optimised > functions - functions / 50,
               "%u of %u functions were optimised", optimised, functions);
    return done;
}

#define EXECUTE_COMPILE compile
#include "wasm/execute_test.c" // NOLINT(bugprone-suspicious-include): the same test
