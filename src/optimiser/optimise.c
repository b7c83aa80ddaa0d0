/* SPDX-License-Identifier: Apache-2.0 */
#include "optimiser/optimiser.h"
#include "optimiser/parts.h"
#include "wasm/imports.h"
#include "wasm/limits.h"
#include "wasm/linker.h"
#include "wasm/linking.h"

static void tell(struct optimise_report *report, const struct module *module,
                 const struct object_link *link, uint32_t process_count)
{
    *report = (struct optimise_report){ .function_count = module->function_count -
                                                          module->imported_function_count,
                                        .process_count = process_count };
    for (uint32_t i = module->imported_function_count; i < module->function_count; i++) {
        if (link->starts[i] == NATIVE_NONE)
            continue;
        report->optimised_count++;
        report->optimised_size += module->functions[i].body.size;
    }
}

/* As module_validate. */
static bool validate(const struct module *module, struct arena *arena, bool *has_tail_calls,
                     struct error *error)
{
    struct validator *validator;
    uint32_t features = 0;
    if (!validator_new(&validator, module, arena, error))
        return false;
    for (uint32_t i = module->imported_function_count; i < module->function_count; i++) {
        struct function_facts facts;
        if (!validate_function(validator, i, &facts, error))
            return false;
        features |= facts.features;
    }
    *has_tail_calls = (features & WASM_FEATURE_TAIL_CALL) != 0;
    return true;
}

bool optimise_compile(struct buffer *image, struct bytes source,
                      const struct optimise_options *options, struct optimise_report *report,
                      struct error *error)
{
    struct module module = { 0 };
    struct instance_layout layout;
    struct object_link link = { 0 };
    bool has_tail_calls;
    AUTO(arena) struct arena *arena = arena_new(WASM_ARENA_SIZE_MAX);
    if (!module_decode(&module, arena, source, error) ||
        !imports_link(&module, &options->wasm, arena, error) ||
        (options->wasm.link != NULL && !module_link(&module, arena, options->wasm.link, error)) ||
        !linker_layout(&layout, &module, error) ||
        !validate(&module, arena, &has_tail_calls, error) || /* before LLVM sees any of it */
        !object_link_init(&link, module.function_count, module.type_count, arena, error))
        return false;
    struct parts_job job = { .module = &module,
                             .layout = &layout,
                             .options = options,
                             .arena = arena,
                             .has_tail_calls = has_tail_calls };
    uint32_t process_count;
    bool done = parts_run(&job, &link, &process_count, error);
    if (done) {
        struct native_code native = object_link_view(&link);
        native.has_tail_calls = has_tail_calls;
        struct wasm_options wasm = options->wasm;
        wasm.native = &native;
        done = wasm_compile(image, source, &wasm, error);
    }
    object_link_done(&link);
    if (done && report != NULL)
        tell(report, &module, &link, process_count);
    return done;
}
