/* SPDX-License-Identifier: Apache-2.0 */
/* Types as text, and comparisons of types.  Internal to wasm. */
#ifndef WASM_TYPES_H
#define WASM_TYPES_H

#include "wasm/module.h"

enum {
    TYPE_TEXT_SIZE = 160
};

/* A type as the text format has it, cut with "..." when it is long. */
struct type_text {
    char text[TYPE_TEXT_SIZE];
};

/* "i32"; "unknown" for VALUE_UNKNOWN. */
const char *value_type_name(enum value_type type);
/* v128 counts as a number. */
bool value_type_is_number(enum value_type type);
bool value_type_is_reference(enum value_type type);
bool function_type_equal(const struct function_type *a, const struct function_type *b);
/* Some total order: negative, 0 for equal ones, positive. */
int function_type_order(const struct function_type *a, const struct function_type *b);

/* "(func (param i32 i64) (result f32))" */
struct type_text function_type_text(const struct function_type *type);
/* "(table 1 20 funcref)", "(memory 1 2)", "(global (mut i32))" */
struct type_text table_type_text(const struct table_type *type);
struct type_text memory_type_text(const struct limits *limits);
struct type_text global_type_text(const struct global_type *type);
struct type_text import_type_text(const struct module *module, const struct import *import);
struct type_text export_type_text(const struct module *module, const struct export *export);

#endif
