/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker is told and given to load a function. */
#include "abi/image.h"
#include "base/file.h"
#include "functions/house.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct settings function_settings(const struct manifest_function *function)
{
    const struct function_limits *limits = &function->limits;
    static const uint32_t entries[FUNCTION_ABI_COUNT] = {
        [FUNCTION_ABI_COMMAND] = SETTINGS_ENTRY_COMMAND,
        [FUNCTION_ABI_CGI] = SETTINGS_ENTRY_COMMAND,
        [FUNCTION_ABI_REACTOR] = SETTINGS_ENTRY_REACTOR,
    };
    bool is_native = function->kind == FUNCTION_NATIVE;
    return (struct settings){
        .memory_size_max = (uint64_t)limits->memory_mib << 20,
        .scratch_size_max = (uint64_t)limits->scratch_kib << 10,
        .fuel = limits->fuel,
        .clock_resolution_ns = function->clock_resolution_ns,
        .timeout_ms = limits->timeout_ms,
        .stack_size = limits->stack_kib << 10,
        .output_size_max = limits->output_kib << 10,
        .errors_size_max = limits->log_kib << 10,
        .host_call_count_max = limits->host_calls,
        .entry = is_native ? (uint32_t)SETTINGS_ENTRY_NATIVE : entries[function->abi],
        .flags = (function->is_isolated || is_native ? SETTINGS_ISOLATE_INVOCATION : 0u) |
                 (function->is_reused ? SETTINGS_REUSE_INSTANCE : 0u) |
                 (function->permissions.is_granted[CALL_PERMISSION_LOG] ? 0u : SETTINGS_NO_LOG),
    };
}

/* The blob is what its digest says (store.h); that it is an image of this function's code, its
 * header says. */
static bool image_check(int image, const struct manifest_function *function, struct error *error)
{
    uint8_t digest[sizeof(function->code.bytes)];
    if (pread(image, digest, sizeof(digest), offsetof(struct image_header, module_digest)) ==
            (ssize_t)sizeof(digest) &&
        memcmp(digest, function->code.bytes, sizeof(digest)) == 0)
        return true;
    return error_set(error, ERROR_CORRUPT, "the image is not of this function's code");
}

bool function_open(struct blobs *blobs, const struct manifest_function *function,
                   const struct function_image *compiled, int *image, int *files,
                   struct error *error)
{
    AUTO_CLOSE int opened = -1;
    if (!blobs_open(blobs, &compiled->image, &opened, error) ||
        !image_check(opened, function, error))
        return false;
    *files = -1;
    if (function->has_archive && !blobs_open(blobs, &function->archive, files, error))
        return error_within(error, "its files");
    *image = opened;
    opened = -1;
    return true;
}
