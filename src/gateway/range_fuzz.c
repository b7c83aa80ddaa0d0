/* SPDX-License-Identifier: Apache-2.0 */
/* Parts lie within what there is and apart from each other, and are less than it. */
#include "fuzz/fuzz.h"
#include "gateway/representation.h"

void fuzz_one(struct bytes input)
{
    static const uint64_t sizes[] = { 0, 1, 1000, UINT64_MAX };
    struct ranges ranges;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        enum range_verdict verdict = ranges_parse(&ranges, input, sizes[i]);
        uint64_t left = sizes[i];
        if (verdict != RANGE_PART && verdict != RANGE_PARTS)
            continue;
        ASSERT((verdict == RANGE_PART) == (ranges.count == 1));
        ASSERT(ranges.count >= 1 && ranges.count <= GATEWAY_RANGE_COUNT_MAX);
        for (size_t k = 0; k < ranges.count; k++) {
            const struct range *range = &ranges.items[k];
            ASSERT(range->count > 0 && range->first < sizes[i] &&
                   range->count <= sizes[i] - range->first && range->count <= left);
            left -= range->count;
        }
    }
}
