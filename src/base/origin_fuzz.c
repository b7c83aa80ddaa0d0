/* SPDX-License-Identifier: Apache-2.0 */
/* What passes for an origin may stand in a field of an answer. */
#include "base/origin.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    if (!origin_is_valid(input))
        return;
    ASSERT(input.size > sizeof("http://") - 1 && input.size < 300);
    for (size_t i = 0; i < input.size; i++)
        ASSERT(input.data[i] > ' ' && input.data[i] < 0x7f && input.data[i] != ',' &&
               input.data[i] != '@' && input.data[i] != '*' &&
               !(input.data[i] >= 'A' && input.data[i] <= 'Z'));
}
