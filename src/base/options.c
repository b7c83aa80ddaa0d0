/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include "base/limits.h"
#include "base/nearest.h"
#include "core/checked.h"

#include <stdio.h>
#include <string.h>

/* Where a row's value goes. */
struct match {
    const struct option_row *row;
    uint8_t *target;
};

struct parse {
    const struct option_table *table;
    void *target;
    void *shared_target;
    struct error *error;
};

static struct match find_row(const struct parse *parse, const char *name, size_t size, char letter)
{
    const struct option_table *table = parse->table;
    for (size_t i = 0; i < table->row_count + table->shared_count; i++) {
        bool is_shared = i >= table->row_count;
        const struct option_row *row =
            is_shared ? &table->shared[i - table->row_count] : &table->rows[i];
        bool found = name == NULL ? letter != 0 && row->letter == letter
                                  : strncmp(row->name, name, size) == 0 && row->name[size] == '\0';
        if (found)
            return (struct match){ row, is_shared ? parse->shared_target : parse->target };
    }
    return (struct match){ 0 };
}

static bool unknown_option(const struct parse *parse, const char *option, size_t size)
{
    const struct option_table *table = parse->table;
    const char *names[2 * OPTIONS_MAX + 2] = { "help" };
    size_t count = 1;
    for (size_t i = 0; i < table->row_count; i++)
        names[count++] = table->rows[i].name;
    for (size_t i = 0; i < table->shared_count; i++)
        names[count++] = table->shared[i].name;
    char name[NEAREST_SIZE_MAX + 1] = "";
    if (size > 2 && option[1] == '-')
        snprintf(name, sizeof(name), "%.*s", (int)MIN(size - 2, sizeof(name)), option + 2);
    const char *nearest = nearest_name(name, names);
    return error_set(parse->error, ERROR_USAGE, "unknown option %s%s%s%s (%s --help lists them)",
                     error_quote(bytes_of(option, size)).text,
                     nearest == NULL ? "" : ", did you mean --", nearest == NULL ? "" : nearest,
                     nearest == NULL ? "" : "?", table->program);
}

static bool parse_number(const struct parse *parse, const struct option_row *row, const char *text,
                         uint64_t *number)
{
    uint64_t value = 0;
    bool is_number = text[0] != '\0';
    for (const char *at = text; *at != '\0' && is_number; at++) {
        is_number = *at >= '0' && *at <= '9' && mul_fits(value, (uint64_t)10, &value) &&
                    add_fits(value, (uint64_t)(*at - '0'), &value);
    }
    if (!is_number || value < row->min || value > row->max)
        return error_set(parse->error, ERROR_USAGE,
                         "--%s wants a number from %llu to %llu, not \"%s\"", row->name,
                         (unsigned long long)row->min, (unsigned long long)row->max,
                         error_quote(bytes_of_string(text)).text);
    *number = value;
    return true;
}

static bool store_value(const struct parse *parse, struct match match, const char *value)
{
    const struct option_row *row = match.row;
    void *field = match.target + row->offset;
    struct option_list *list = field;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_STRING:
        *(const char **)field = value;
        return true;
    case OPTION_NUMBER:
        return parse_number(parse, row, value, field);
    case OPTION_LIST:
        if (list->count == OPTION_LIST_MAX)
            return error_set(parse->error, ERROR_USAGE, "--%s given more than %d times", row->name,
                             OPTION_LIST_MAX);
        list->items[list->count++] = value;
        return true;
    }
    return false;
}

/* One option at argv[*at], moving *at over its value if that stands apart. */
static bool parse_option(const struct parse *parse, char **argv, size_t *at)
{
    const char *option = argv[*at], *value = NULL;
    struct match match;
    size_t size = strlen(option);
    if (option[1] == '-') {
        const char *equals = strchr(option, '=');
        if (equals != NULL) {
            size = (size_t)(equals - option);
            value = equals + 1;
        }
        match = find_row(parse, option + 2, size - 2, 0);
    } else {
        match = find_row(parse, NULL, 0, option[1]);
        if (option[2] != '\0')
            value = option + 2;
    }
    if (match.row == NULL)
        return unknown_option(parse, option, size);
    if (match.row->kind == OPTION_FLAG && value != NULL)
        return error_set(parse->error, ERROR_USAGE, "--%s takes no value", match.row->name);
    if (match.row->kind != OPTION_FLAG && value == NULL) {
        value = argv[*at + 1];
        if (value == NULL)
            return error_set(parse->error, ERROR_USAGE, "--%s wants a value: %s", match.row->name,
                             match.row->value);
        (*at)++;
    }
    return store_value(parse, match, value);
}

static bool check_count(const struct option_table *table, const struct option_arguments *arguments,
                        struct error *error)
{
    if (arguments->count > table->positional_max)
        return error_set(error, ERROR_USAGE, "unexpected argument \"%s\" (usage: %s [options]%s%s)",
                         error_quote(bytes_of_string(arguments->items[table->positional_max])).text,
                         table->program, table->usage[0] == '\0' ? "" : " ", table->usage);
    if (arguments->count < table->positional_min)
        return error_set(error, ERROR_USAGE, "argument missing (usage: %s [options] %s)",
                         table->program, table->usage);
    return true;
}

bool options_parse(const struct option_table *table, char **argv, void *target, void *shared_target,
                   struct option_arguments *arguments, struct error *error)
{
    ASSERT(table->row_count <= OPTIONS_MAX && table->shared_count <= OPTIONS_MAX);
    const struct parse parse = { table, target, shared_target, error };
    struct option_arguments found = { .items = argv };
    bool options_over = false;
    for (size_t at = 0; argv[at] != NULL; at++) {
        const char *item = argv[at];
        if (options_over || item[0] != '-' || item[1] == '\0') {
            argv[found.count++] = argv[at];
            options_over = options_over || table->stops_at_positional;
        } else if (strcmp(item, "--") == 0) {
            options_over = true;
        } else if (strcmp(item, "--help") == 0 || strcmp(item, "-h") == 0) {
            *arguments = (struct option_arguments){ .items = argv, .wants_help = true };
            return true;
        } else if (!parse_option(&parse, argv, &at)) {
            return false;
        }
    }
    argv[found.count] = NULL;
    if (!check_count(table, &found, error))
        return false;
    *arguments = found;
    return true;
}

static void help_row(struct buffer *text, const struct option_row *row)
{
    enum {
        COLUMN = 28
    };
    char left[80];
    bool has_value = row->kind != OPTION_FLAG;
    char letter[8] = "";
    if (row->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    int used = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, row->name, has_value ? " " : "",
                        has_value ? row->value : "");
    if (used < COLUMN)
        buffer_format(text, "%-*s%s\n", COLUMN, left, row->help);
    else
        buffer_format(text, "%s\n%-*s%s\n", left, COLUMN, "", row->help);
}

void options_help(struct buffer *text, const struct option_table *table)
{
    static const struct option_row help = { .name = "help",
                                            .letter = 'h',
                                            .help = "show this text" };
    buffer_format(text, "usage: %s [options]%s%s\n\n%s\n\noptions:\n", table->program,
                  table->usage[0] == '\0' ? "" : " ", table->usage, table->about);
    for (size_t i = 0; i < table->row_count; i++)
        help_row(text, &table->rows[i]);
    for (size_t i = 0; i < table->shared_count; i++)
        help_row(text, &table->shared[i]);
    help_row(text, &help);
}
