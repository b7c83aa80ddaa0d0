/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-compile/tier.h"

#include "base/spawn.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

bool tier_begin(const struct tier_options *options, char **arguments, struct error *error)
{
    char path[PATH_MAX];
    if (strcmp(options->tier, "baseline") == 0)
        return true;
    if (strcmp(options->tier, "optimised") != 0)
        return error_set(error, ERROR_USAGE,
                         "no tier is called %s (there are: baseline, optimised)",
                         error_quote(bytes_of_string(options->tier)).text);
    if (!spawn_sibling_path(path, sizeof(path), "s3n-optimise", error))
        return error_set(error, ERROR_UNSUPPORTED,
                         "the optimised tier needs s3n-optimise, which is not here (built without "
                         "LLVM 19)");
    execv(path, arguments);
    return error_system(error, "run %s", path);
}

bool tier_compile(struct buffer *image, struct bytes module, const struct wasm_options *wasm,
                  const struct tier_options *options UNUSED, struct error *error)
{
    return wasm_compile(image, module, wasm, error);
}
