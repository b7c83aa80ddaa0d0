/* SPDX-License-Identifier: Apache-2.0 */
/* How a run of s3n-compile ended, as an error for whoever sent the module.  Node and command line
 * tell the same.  The compiler has read a stranger's module, so its words are outside text. */
#ifndef FUNCTIONS_COMPILER_END_H
#define FUNCTIONS_COMPILER_END_H

#include "base/error.h"
#include "base/spawn.h"

enum {
    COMPILER_WORDS_MAX = 200 /* bytes of its line "code: text" that are looked at */
};

/* True when it ended well.  `words`: what it wrote to stderr.  A refusal has one of the codes that
 * a module can cause (INVALID, UNSUPPORTED, LIMIT); INTERNAL: it failed otherwise; CRASHED. */
MUST_CHECK bool compiler_end_check(const struct spawn_end *end, struct bytes words,
                                   struct error *error);

#endif
