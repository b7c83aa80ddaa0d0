/* SPDX-License-Identifier: Apache-2.0 */
/* A part lies within what there is. */
#include "fuzz/fuzz.h"
#include "gateway/representation.h"

void fuzz_one(struct bytes input)
{
    static const uint64_t sizes[] = { 0, 1, 1000, UINT64_MAX };
    struct range range;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        if (range_parse(&range, input, sizes[i]) == RANGE_PART)
            ASSERT(range.count > 0 && range.first < sizes[i] &&
                   range.count <= sizes[i] - range.first);
    }
}
