/* SPDX-License-Identifier: Apache-2.0 */
/* Random changes of a real program: each result is refused, or runs to some end in a micro-VM. */
#ifndef SPECTEST_MUTATE_H
#define SPECTEST_MUTATE_H

#include "slipstream/engine.h"
#include "tests/spec/report.h"

/* Tries `count` mutations of the module in the file, the same ones in every run.  A failure is a
 * micro-VM that breaks, or a host that can't go on; a crash of the compiler ends the program. */
void mutate_run(const char *path, struct engine *engine, unsigned count, struct report *report);

#endif
