/* SPDX-License-Identifier: Apache-2.0 */
/* What LLVM does between the translation and the object file.  Internal to optimiser. */
#ifndef OPTIMISER_PIPELINE_H
#define OPTIMISER_PIPELINE_H

#include "base/buffer.h"
#include "optimiser/translator.h"

/* Optimises all functions of the translator's module and appends their object file (ELF) to
 * `object`, and to `traps` what object_traps makes of that. */
MUST_CHECK bool pipeline_run(struct translator *translator, struct buffer *object,
                             struct buffer *traps, struct error *error);

/* dead_loads.c: loads of linear memory whose value nothing uses become volatile, since the trap of
 * an access out of bounds must stay.  Wants memory in registers (SROA). */
void dead_loads_keep(struct translator *translator);

#endif
