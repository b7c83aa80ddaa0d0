/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-compile/tier.h"

#include "optimiser/limits.h"
#include "optimiser/optimiser.h"
#include "wasm/limits.h"

#include <string.h>

bool tier_begin(const struct tier_options *options, char **arguments UNUSED, struct error *error)
{
    return strcmp(options->tier, "baseline") == 0 || strcmp(options->tier, "optimised") == 0 ||
           error_set(error, ERROR_USAGE, "no tier is called %s (there are: baseline, optimised)",
                     error_quote(bytes_of_string(options->tier)).text);
}

static bool read_number(const char **at, uint32_t *number)
{
    uint64_t value = 0;
    const char *start = *at;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        value = value * 10 + (uint64_t)(**at - '0');
        if (value >= WASM_FUNCTIONS_MAX)
            return false;
    }
    *number = (uint32_t)value;
    return *at != start;
}

static bool read_list(uint8_t *bits, const char *list)
{
    for (const char *at = list;; at++) {
        uint32_t first, last;
        if (!read_number(&at, &first))
            return false;
        last = first;
        if (*at == '-') {
            at++;
            if (!read_number(&at, &last) || last < first)
                return false;
        }
        for (uint32_t i = first; i <= last; i++)
            bits[i / 8] |= (uint8_t)(1u << (i % 8));
        if (*at == 0)
            return true;
        if (*at != ',')
            return false;
    }
}

bool tier_compile(struct buffer *image, struct bytes module, const struct wasm_options *wasm,
                  const struct tier_options *options, struct error *error)
{
    static uint8_t wanted[WASM_FUNCTIONS_MAX / 8 + 1];
    if (strcmp(options->tier, "optimised") != 0)
        return wasm_compile(image, module, wasm, error);
    struct optimise_options optimise = { .wasm = *wasm,
                                         .worker_memory_max = OPTIMISER_PART_MEMORY_MAX,
                                         .workers = (uint32_t)options->workers,
                                         .cpu_seconds = (uint32_t)options->cpu_seconds };
    if (options->functions != NULL) {
        if (!read_list(wanted, options->functions))
            return error_set(error, ERROR_USAGE, "--functions: not a list like 3,7-9");
        optimise.functions = wanted;
        optimise.functions_size = sizeof(wanted);
    }
    return optimise_compile(image, module, &optimise, NULL, error);
}
