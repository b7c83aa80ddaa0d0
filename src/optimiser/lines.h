/* SPDX-License-Identifier: Apache-2.0 */
/* DWARF's line table (versions 4 and 5, section 6.2), as far as LLVM writes it for one section of
 * code: addresses and lines.  Internal to optimiser. */
#ifndef OPTIMISER_LINES_H
#define OPTIMISER_LINES_H

#include "base/error.h"
#include "core/bytes.h"

/* From `address` on code has this line; 0: none is known.  False ends the reading. */
typedef bool lines_visit(void *context, uint64_t address, uint32_t line);

/* All rows of the section's tables in order; relocations are applied.  CORRUPT when it is something
 * else. */
MUST_CHECK bool lines_read(struct bytes section, lines_visit *visit, void *context,
                           struct error *error);

#endif
