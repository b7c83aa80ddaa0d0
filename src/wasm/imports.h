/* SPDX-License-Identifier: Apache-2.0 */
/* Which row of abi/binding.h satisfies each import.  Internal to wasm. */
#ifndef WASM_IMPORTS_H
#define WASM_IMPORTS_H

#include "wasm/module.h"
#include "wasm/wasm.h"

/* Binds every import: afterwards each imported function has its `binding`, each imported global its
 * `value` (a CONSTANT_VALUE), each imported table and memory the limits of what is given, so that
 * from here on an imported one is treated like a defined one.  Modules other than "spectest" give
 * functions only; "spectest" itself exists only when `allow_spectest` (the official suite's
 * runner). Errors: UNSUPPORTED `unknown import "env"."foo" (func (param i32) (result i64))`, or
 * `incompatible import type ...` naming both types. */
MUST_CHECK bool imports_resolve(struct module *module, bool allow_spectest, struct error *error);
/* The same for a linked instance: what `link` finds comes first and is marked as linked; `arena`
 * takes rows of functions. */
MUST_CHECK bool imports_link(struct module *module, const struct wasm_options *options,
                             struct arena *arena, struct error *error);

/* One import alone, for reports; changes nothing. */
MUST_CHECK bool import_check(const struct module *module, const struct import *import,
                             bool allow_spectest, struct error *error);

#endif
