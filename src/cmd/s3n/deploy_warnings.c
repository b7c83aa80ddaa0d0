/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/deploy_warnings.h"

#include "abi/binding.h"
#include "abi/call.h"
#include "wasm/analyse.h"

#include <stdio.h>
#include <string.h>

enum {
    WARNINGS_ARENA_MAX = 512 << 20
};

static void warn_missing(const struct manifest_function *function, const struct call_row *row)
{
    const struct permission_row *permission = permission_row_of(row->permission);
    const char *value = permission->size_max == 0 ? "true" : "[...]";
    fprintf(stderr,
            "s3n: warning: function %s imports %s and has no permission for it: `permissions.%s = "
            "%s` is missing\n",
            function->name, row->name, permission->key, value);
}

/* One module may serve several functions: then a call may be another's. */
static bool is_granted(const struct manifest *manifest, const struct manifest_function *function,
                       enum call_permission kind)
{
    for (size_t i = 0; i < manifest->function_count; i++) {
        const struct manifest_function *other = &manifest->functions[i];
        if (strcmp(other->source, function->source) == 0 &&
            permissions_have(&other->permissions, kind))
            return true;
    }
    return false;
}

void deploy_warn(const struct manifest *manifest, const struct manifest_function *function,
                 struct bytes module)
{
    AUTO(arena) struct arena *arena = arena_new(WARNINGS_ARENA_MAX);
    struct analysis analysis;
    struct error error;
    bool is_used[CALL_PERMISSION_COUNT] = { [CALL_PERMISSION_LOG] = true },
         is_told[CALL_PERMISSION_COUNT] = { 0 };
    if (function->kind == FUNCTION_NATIVE || !wasm_analyse(&analysis, arena, module, &error))
        return;
    for (uint32_t i = 0; i < analysis.import_count; i++) {
        const struct analysis_import *import = &analysis.imports[i];
        if (!bytes_equal_string(import->module, BINDING_S3N))
            continue;
        const struct call_row *row = call_row_of_name(import->field);
        if (bytes_equal_string(import->field, "batch")) /* may be any of them */
            for (unsigned j = 0; j < CALL_PERMISSION_COUNT; j++)
                is_used[j] = true;
        if (row == NULL || row->permission == CALL_PERMISSION_NONE)
            continue;
        if (!is_told[row->permission] && !is_granted(manifest, function, row->permission))
            warn_missing(function, row);
        is_used[row->permission] = is_told[row->permission] = true;
    }
    for (unsigned i = 0; i < permission_row_count; i++) {
        enum call_permission kind = permission_rows[i].kind;
        if (!is_used[kind] && permissions_have(&function->permissions, kind))
            fprintf(stderr,
                    "s3n: warning: function %s has permissions.%s and imports no call that "
                    "needs it\n",
                    function->name, permission_rows[i].key);
    }
}
