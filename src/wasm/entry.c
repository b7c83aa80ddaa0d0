/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/entry.h"

#include "abi/image.h"
#include "base/error.h"
#include "wasm/limits.h"
#include "wasm/wasm.h"

struct entry_row {
    const char *name;
    const char *parameters; /* value type bytes */
    const char *results;
    const char *type; /* for people */
};

static const struct entry_row row_start = { "_start", "", "", "[] -> []" };
static const struct entry_row row_initialise = { "_initialize", "", "", "[] -> []" };
static const struct entry_row row_init = { "s3n_init", "", "", "[] -> []" };
static const struct entry_row row_alloc = { "s3n_alloc", "\x7f", "\x7f", "[i32] -> [i32]" };
static const struct entry_row row_handle = { "s3n_handle", "\x7f\x7f", "\x7e",
                                             "[i32 i32] -> [i64]" };

static const struct function *export_find(const struct module *module, const char *name,
                                          uint32_t *index)
{
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct export *export = &module->exports[i];
        if (export->kind == EXTERNAL_FUNCTION && bytes_equal_string(export->name, name)) {
            *index = export->index;
            return &module->functions[export->index];
        }
    }
    return NULL;
}

static bool has_type(const struct function *function, const struct entry_row *row)
{
    const struct function_type *type = function->type;
    return bytes_equal_string(bytes_of(type->parameters, type->parameter_count), row->parameters) &&
           bytes_equal_string(bytes_of(type->results, type->result_count), row->results);
}

/* Must have its type if it is there: *has and *index. */
static bool find(const struct module *module, const struct entry_row *row, bool *has,
                 uint32_t *index, struct error *error)
{
    const struct function *function = export_find(module, row->name, index);
    *has = function != NULL;
    if (function == NULL || has_type(function, row))
        return true;
    return error_set(error, ERROR_INVALID, "export %s does not have the type %s", row->name,
                     row->type);
}

static bool write_reactor(struct image_header *header, const struct module *module,
                          const uint32_t *starts, struct error *error)
{
    bool has_alloc, has_handle, has_initialise, has_init;
    uint32_t alloc, handle, initialise, init;
    if (!find(module, &row_alloc, &has_alloc, &alloc, error) ||
        !find(module, &row_handle, &has_handle, &handle, error))
        return false;
    if (has_alloc != has_handle)
        return error_set(error, ERROR_INVALID, "the module exports %s but not %s",
                         has_alloc ? row_alloc.name : row_handle.name,
                         has_alloc ? row_handle.name : row_alloc.name);
    if (!has_handle)
        return true;
    if (module->memory_count == 0)
        return error_set(error, ERROR_INVALID, "the module exports s3n_handle but has no memory");
    if (!find(module, &row_initialise, &has_initialise, &initialise, error) ||
        !find(module, &row_init, &has_init, &init, error))
        return false;
    header->flags |= IMAGE_HAS_REACTOR;
    header->alloc_offset = starts[alloc];
    header->handle_offset = starts[handle];
    if (has_initialise) {
        header->flags |= IMAGE_HAS_INITIALISE;
        header->initialise_offset = starts[initialise];
    }
    if (has_init) {
        header->flags |= IMAGE_HAS_INIT;
        header->init_offset = starts[init];
    }
    return true;
}

bool entry_write(struct image_header *header, const struct module *module, const uint32_t *starts,
                 struct error *error)
{
    uint32_t index;
    const struct function *start = export_find(module, row_start.name, &index);
    if (start != NULL && has_type(start, &row_start)) {
        header->flags |= IMAGE_HAS_COMMAND;
        header->command_offset = starts[index];
    }
    if (module->abi_section.data != NULL) {
        enum image_abi abi = image_abi_of(module->abi_section);
        if (abi != IMAGE_ABI_COMMAND && abi != IMAGE_ABI_CGI && abi != IMAGE_ABI_REACTOR)
            return error_set(error, ERROR_INVALID,
                             "custom section s3n.abi says \"%s\": neither command, cgi nor reactor",
                             error_quote(module->abi_section).text);
        header->abi = abi;
    }
    return write_reactor(header, module, starts, error);
}

bool entry_choose_abi(enum image_abi *abi, const struct module *module, struct arena *arena,
                      struct error *error)
{
    struct image_header header = { 0 };
    const char *reason;
    const uint32_t *nowhere = arena_array(arena, module->function_count + 1u, sizeof(*nowhere));
    if (nowhere == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to read a module");
    return entry_write(&header, module, nowhere, error) &&
           (image_choose_abi(&header, IMAGE_ABI_NONE, abi, &reason) ||
            error_set(error, ERROR_INVALID, "%s", reason));
}

bool wasm_choose_abi(enum image_abi *abi, struct bytes source, bool *is_module, struct error *error)
{
    AUTO(arena) struct arena *arena = arena_new(WASM_ARENA_SIZE_MAX);
    struct module module = { 0 };
    if (arena == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to read a module");
    *is_module = module_decode(&module, arena, source, error);
    if (!*is_module)
        return false;
    return entry_choose_abi(abi, &module, arena, error);
}
