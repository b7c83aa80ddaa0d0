/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of programs: a table of options, from which parsing, errors and --help follow.
 *
 * `--name VALUE`, `--name=VALUE`, `-n VALUE`, flags without value, `--` before what only looks like
 * an option.  Given twice, the last one counts (lists keep all).  `--help` and `-h` are always
 * there.  Never prints and never exits; every failure is USAGE and names the nearest valid option.
 * Values borrow argv. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/buffer.h"
#include "base/error.h"

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_STRING, /* const char * */
    OPTION_NUMBER, /* uint64_t, decimal, within min and max */
    OPTION_LIST    /* struct option_list */
};

enum {
    OPTION_LIST_MAX = 256
};

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* 'q' for -q; 0: none */
    enum option_kind kind;
    size_t offset;     /* of the field in the target struct */
    const char *value; /* what --help calls the value: "FILE" */
    const char *help;  /* one line; says the default */
    uint64_t min;      /* numbers only */
    uint64_t max;
};

struct option_table {
    const char *program; /* "s3nd", "s3n run" */
    const char *usage;   /* what follows "[options]": "FILE [ARGUMENTS]" */
    const char *about;   /* a sentence or more for --help */
    const struct option_row *rows;
    size_t row_count;
    const struct option_row
        *shared; /* rows that several commands have, into a target of their own */
    size_t shared_count;
    unsigned positional_min;
    unsigned positional_max;
    bool stops_at_positional; /* what follows the first positional argument belongs to it */
};

struct option_arguments {
    char **items; /* the positional arguments, NULL-terminated, moved to the front of argv */
    size_t count;
    bool wants_help; /* then nothing else was checked */
};

/* `argv` without the program's name; its order is changed.  `target` and `shared_target` hold the
 * defaults before; they may be partly set when this fails. */
MUST_CHECK bool options_parse(const struct option_table *table, char **argv, void *target,
                              void *shared_target, struct option_arguments *arguments,
                              struct error *error);
/* The text of --help. */
void options_help(struct buffer *text, const struct option_table *table);

#endif
