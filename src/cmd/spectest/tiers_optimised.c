/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/spectest/world.h"
#include "optimiser/optimiser.h"

static bool compile_optimised(struct buffer *image, struct bytes module,
                              const struct wasm_options *options, struct error *error)
{
    struct optimise_options optimise = { .wasm = *options };
    return optimise_compile(image, module, &optimise, NULL, error);
}

const struct tier tiers[] = { { "baseline", wasm_compile }, { "optimised", compile_optimised } };
const size_t tier_count = ARRAY_COUNT(tiers);
