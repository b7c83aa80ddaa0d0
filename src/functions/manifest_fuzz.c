/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest.h"

#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    AUTO(manifest) struct manifest *resolved = NULL;
    AUTO(manifest) struct manifest *source = NULL;
    struct error error;
    if (manifest_parse(&resolved, input, &error)) {
        AUTO_BUFFER struct buffer again;
        buffer_init(&again, 2 * MANIFEST_SIZE_MAX);
        ASSERT(manifest_canonical(&again, resolved, &error));
        ASSERT(bytes_equal(buffer_view(&again), input));
    }
    if (manifest_parse_toml(&source, "s3n.toml", input, &error))
        ASSERT(source->function_count > 0);
}
