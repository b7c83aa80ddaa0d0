/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/types.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *value_type_name(enum value_type type)
{
    switch (type) {
    case VALUE_I32:
        return "i32";
    case VALUE_I64:
        return "i64";
    case VALUE_F32:
        return "f32";
    case VALUE_F64:
        return "f64";
    case VALUE_V128:
        return "v128";
    case VALUE_FUNCREF:
        return "funcref";
    case VALUE_EXTERNREF:
        return "externref";
    case VALUE_UNKNOWN:
        return "unknown";
    }
    return "?";
}

bool value_type_is_number(enum value_type type)
{
    return type >= VALUE_V128 && type <= VALUE_I32;
}

bool value_type_is_reference(enum value_type type)
{
    return type == VALUE_FUNCREF || type == VALUE_EXTERNREF;
}

bool function_type_equal(const struct function_type *a, const struct function_type *b)
{
    return a->parameter_count == b->parameter_count && a->result_count == b->result_count &&
           (a->parameter_count == 0 ||
            memcmp(a->parameters, b->parameters, a->parameter_count) == 0) &&
           (a->result_count == 0 || memcmp(a->results, b->results, a->result_count) == 0);
}

struct cursor {
    struct type_text text;
    size_t used;
};

PRINTF_LIKE(2, 3) static void add(struct cursor *cursor, const char *format, ...)
{
    static const char cut[] = "...";
    size_t room = TYPE_TEXT_SIZE - cursor->used;
    if (room <= sizeof(cut))
        return;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(cursor->text.text + cursor->used, room, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size + sizeof(cut) <= room) {
        cursor->used += (size_t)size;
        return;
    }
    memcpy(cursor->text.text + cursor->used, cut, sizeof(cut));
    cursor->used = TYPE_TEXT_SIZE;
}

static void add_types(struct cursor *cursor, const char *word, const uint8_t *types, uint32_t count)
{
    if (count == 0)
        return;
    add(cursor, " (%s", word);
    for (uint32_t i = 0; i < count && cursor->used < TYPE_TEXT_SIZE; i++)
        add(cursor, " %s", value_type_name(types[i]));
    add(cursor, ")");
}

static void add_limits(struct cursor *cursor, const struct limits *limits)
{
    add(cursor, " %u", limits->min);
    if (limits->has_max)
        add(cursor, " %u", limits->max);
}

struct type_text function_type_text(const struct function_type *type)
{
    struct cursor cursor = { 0 };
    add(&cursor, "(func");
    add_types(&cursor, "param", type->parameters, type->parameter_count);
    add_types(&cursor, "result", type->results, type->result_count);
    add(&cursor, ")");
    return cursor.text;
}

struct type_text table_type_text(const struct table_type *type)
{
    struct cursor cursor = { 0 };
    add(&cursor, "(table");
    add_limits(&cursor, &type->limits);
    add(&cursor, " %s)", value_type_name(type->element));
    return cursor.text;
}

struct type_text memory_type_text(const struct limits *limits)
{
    struct cursor cursor = { 0 };
    add(&cursor, "(memory");
    add_limits(&cursor, limits);
    add(&cursor, ")");
    return cursor.text;
}

struct type_text global_type_text(const struct global_type *type)
{
    struct cursor cursor = { 0 };
    add(&cursor, type->is_mutable ? "(global (mut %s))" : "(global %s)",
        value_type_name(type->type));
    return cursor.text;
}

struct type_text import_type_text(const struct module *module, const struct import *import)
{
    switch (import->kind) {
    case EXTERNAL_FUNCTION:
        return function_type_text(&module->types[import->type_index]);
    case EXTERNAL_TABLE:
        return table_type_text(&import->table);
    case EXTERNAL_MEMORY:
        return memory_type_text(&import->memory);
    case EXTERNAL_GLOBAL:
        return global_type_text(&import->global);
    }
    return (struct type_text){ "?" };
}

struct type_text export_type_text(const struct module *module, const struct export *export)
{
    switch (export->kind) {
    case EXTERNAL_FUNCTION:
        return function_type_text(module->functions[export->index].type);
    case EXTERNAL_TABLE:
        return table_type_text(&module->tables[export->index]);
    case EXTERNAL_MEMORY:
        return memory_type_text(&module->memories[export->index]);
    case EXTERNAL_GLOBAL:
        return global_type_text(&module->globals[export->index].type);
    }
    return (struct type_text){ "?" };
}
