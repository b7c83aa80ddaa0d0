/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the commands of one file that wast2json wrote. */
#ifndef SPECTEST_SUITE_H
#define SPECTEST_SUITE_H

#include "base/error.h"
#include "slipstream/engine.h"

struct totals {
    unsigned passed, failed, skipped;
};

/* Adds to `totals`; prints a line for each failure, one for each kind of skip, and one for the
 * file. false: the file itself can't be read. */
MUST_CHECK bool suite_run(const char *path, struct engine *engine, bool is_verbose,
                          struct totals *totals, struct error *error);

#endif
