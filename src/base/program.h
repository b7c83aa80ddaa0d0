/* SPDX-License-Identifier: Apache-2.0 */
/* The main of a program that other programs start, and that people know by its log alone: options,
 * help, then its work; what goes wrong is one line of the log and the exit code. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/options.h"

struct program {
    const struct option_table *table; /* its `program` is the log's name, too */
    void *options;                    /* the table's target, with its defaults */
    bool (*run)(void *options, struct error *error);
};
/* `argv` is main's.  The exit code. */
int program_main(const struct program *program, char **argv);

#endif
