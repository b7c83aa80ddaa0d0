/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/layout.h"
#include "wasm/imports.h"
#include "wasm/limits.h"
#include "wasm/linker.h"
#include "wasm/linking.h"
#include "wasm/wasm.h"

#include <string.h>

static bool compile_functions(const struct code_options *options, struct code *code,
                              struct error *error)
{
    const struct module *module = options->module;
    struct baseline *baseline = NULL;
    struct validator *validator = NULL;
    if (!baseline_new(&baseline, options, error) ||
        !validator_new(&validator, module, options->arena, error))
        return false;
    if (options->is_metered)
        validator_count_costs(validator);
    for (uint32_t i = module->imported_function_count; i < module->function_count; i++) {
        struct function_facts facts;
        if (!validate_function(validator, i, &facts, error) ||
            !baseline_function(baseline, i, &facts, error))
            return false;
    }
    return baseline_finish(baseline, code, error);
}

static bool compile(struct buffer *image, struct bytes source, const struct wasm_options *options,
                    struct arena *arena, struct error *error)
{
    struct module module = { 0 };
    struct instance_layout layout;
    struct code code;
    if (!module_decode(&module, arena, source, error) ||
        !imports_link(&module, options, arena, error) ||
        (options->link != NULL && !module_link(&module, arena, options->link, error)) ||
        !linker_layout(&layout, &module, error))
        return false;
    uint8_t *header = buffer_reserve(image, IMAGE_HEADER_SIZE);
    if (header == NULL)
        return error_set(error, ERROR_LIMIT, "the image is larger than %zu bytes", image->size_max);
    memset(header, 0, IMAGE_HEADER_SIZE);
    image->size = IMAGE_HEADER_SIZE;
    struct code_options made = { .module = &module,
                                 .layout = &layout,
                                 .native = options->native,
                                 .buffer = image,
                                 .arena = arena,
                                 .is_metered = options->fuel,
                                 .is_deterministic = options->deterministic };
    struct link_options link = { .module = &module,
                                 .layout = &layout,
                                 .code = &code,
                                 .arena = arena,
                                 .is_metered = options->fuel,
                                 .compiler = options->native == NULL
                                                 ? "s3n " S3N_VERSION " baseline"
                                                 : "s3n " S3N_VERSION " optimised" };
    if (options->module_digest != NULL)
        link.module_digest = *options->module_digest;
    return compile_functions(&made, &code, error) && linker_write(image, &link, error);
}

bool wasm_compile(struct buffer *image, struct bytes module, const struct wasm_options *options,
                  struct error *error)
{
    size_t module_max =
        options->module_size_max != 0 ? options->module_size_max : WASM_MODULE_SIZE_MAX;
    size_t image_max = options->image_size_max != 0 ? options->image_size_max : WASM_IMAGE_SIZE_MAX;
    if (module.size > module_max)
        return error_set(error, ERROR_LIMIT, "the module has %zu bytes, at most %zu", module.size,
                         module_max);
    AUTO(arena) struct arena *arena = arena_new(WASM_ARENA_SIZE_MAX);
    if (arena == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to compile");
    size_t given_max = image->size_max;
    buffer_clear(image);
    image->size_max = MIN(image_max, given_max);
    bool done = compile(image, module, options, arena, error);
    image->size_max = given_max;
    if (!done)
        buffer_clear(image);
    return done;
}
