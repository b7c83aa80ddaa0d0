/* SPDX-License-Identifier: Apache-2.0 */
/* The official suite with every other function optimised, so that each tier calls the other. */
#include "optimiser/optimiser.h"

static bool compile(struct buffer *image, struct bytes module, const struct wasm_options *options,
                    struct error *error)
{
    static const uint8_t odd[256] = { [0 ... 255] = 0xaa };
    struct optimise_options optimise = { .wasm = *options,
                                         .functions = odd,
                                         .functions_size = sizeof(odd) };
    return optimise_compile(image, module, &optimise, NULL, error);
}

#define EXECUTE_COMPILE compile
#include "wasm/execute_test.c" // NOLINT(bugprone-suspicious-include): the same test
