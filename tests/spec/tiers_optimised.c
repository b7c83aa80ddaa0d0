/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/optimiser.h"
#include "tests/spec/world.h"

static struct tier_counts counts;

static bool compile_optimised(struct buffer *image, struct bytes module,
                              const struct wasm_options *options, struct error *error)
{
    struct optimise_options optimise = { .wasm = *options };
    struct optimise_report report = { 0 };
    if (!optimise_compile(image, module, &optimise, &report, error))
        return false;
    counts.functions += report.function_count;
    counts.optimised += report.optimised_count;
    return true;
}

const struct tier tiers[] = { { "baseline", wasm_compile, NULL },
                              { "optimised", compile_optimised, &counts } };
const size_t tier_count = ARRAY_COUNT(tiers);
