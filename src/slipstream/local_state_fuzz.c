/* SPDX-License-Identifier: Apache-2.0 */
/* A file of `s3n run --kv`: what is read is written as something that reads the same. */
#include "fuzz/fuzz.h"
#include "slipstream/local_state.h"

void fuzz_one(struct bytes input)
{
    AUTO_LOCAL_STATE struct local_state state = { 0 }, again = { 0 };
    AUTO_BUFFER struct buffer file;
    struct error error;
    buffer_init(&file, 2 * (size_t)LOCAL_STATE_SIZE_MAX);
    if (!local_state_read(&state, input, &error))
        return;
    local_state_write(&state, &file, INT64_MIN);
    ASSERT(local_state_read(&again, buffer_view(&file), &error));
    ASSERT(again.count == state.count && again.size == state.size);
}
