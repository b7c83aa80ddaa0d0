/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "logs/query.h"

void fuzz_one(struct bytes input)
{
    struct log_query query;
    struct error error;
    int64_t since_ms;
    if (log_query_parse(&query, input, &error))
        ASSERT(query.since_ms >= 0);
    if (log_since_parse(&since_ms, input, 1700000000000, &error))
        ASSERT(since_ms >= 0);
}
