/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "optimiser/lines.h"

static bool ignore(void *context, uint64_t address, uint32_t line)
{
    (void)context;
    (void)address;
    (void)line;
    return true;
}

void fuzz_one(struct bytes input)
{
    struct error error;
    (void)!lines_read(input, ignore, NULL, &error);
}
