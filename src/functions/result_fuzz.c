/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is written the same. */
#include "functions/result.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    static struct kept_result result;
    AUTO_BUFFER struct buffer again;
    struct error error;
    buffer_init(&again, input.size + 1);
    if (!kept_result_read(&result, input, &error))
        return;
    ASSERT(kept_result_write(&again, &result, &error));
    ASSERT(bytes_equal(buffer_view(&again), input));
}
