/* SPDX-License-Identifier: Apache-2.0 */
/* One file of wast2json, command by command. */
#ifndef SPECTEST_SUITE_H
#define SPECTEST_SUITE_H

#include "tests/spec/report.h"
#include "tests/spec/world.h"

struct suite_options {
    struct engine *engine;
    const struct tier *tier;
    bool links_all; /* every module becomes a linked instance */
};

/* Runs the file and reports.  Counts commands as wabt's spectest-interp does: all but `register`.
 * Skipped are modules in text form alone; whatever else can't be done is a failure. */
void suite_run(const char *path, const struct suite_options *options, struct report *report);

#endif
