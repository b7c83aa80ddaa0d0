/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "wasm/imports.h"
#include "wasm/module.h"

void fuzz_one(struct bytes input)
{
    AUTO(arena) struct arena *arena = arena_new((size_t)64 << 20);
    struct module module;
    struct error error;
    bool ok = module_decode(&module, arena, input, &error) &&
              module_validate(&module, arena, &error) && imports_resolve(&module, true, &error);
    (void)ok;
}
