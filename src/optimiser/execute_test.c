/* SPDX-License-Identifier: Apache-2.0 */
/* The official suite on the optimised tier, in this process. */
#include "optimiser/optimiser.h"

static bool compile(struct buffer *image, struct bytes module, const struct wasm_options *options,
                    struct error *error)
{
    struct optimise_options optimise = { .wasm = *options };
    return optimise_compile(image, module, &optimise, NULL, error);
}

#define EXECUTE_COMPILE compile
#include "wasm/execute_test.c" // NOLINT(bugprone-suspicious-include): the same test
