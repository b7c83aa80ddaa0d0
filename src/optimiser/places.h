/* SPDX-License-Identifier: Apache-2.0 */
/* From machine code back to the instruction of the module that a trap in it belongs to.
 *
 * While functions are translated, everything that may trap gets a debug location whose line is its
 * offset in the module.  Before code is made of them, those and all that may swallow a load get a
 * number each; LLVM's line table then says which number each piece of code has.  An instruction of
 * the machine that swallowed a load has the number of what it was merged into, so each number knows
 * the loads in question: the one of them that has no code of its own is meant.  Internal to
 * optimiser. */
#ifndef OPTIMISER_PLACES_H
#define OPTIMISER_PLACES_H

#include "base/buffer.h"
#include "optimiser/translator.h"

enum {
    PLACE_LOADS_MAX = 4
};

/* Of one number, counted from 1; the line table has it as its line. */
struct place {
    uint32_t offset;                 /* in the module; 0: this itself can't trap */
    uint32_t loads[PLACE_LOADS_MAX]; /* numbers of loads that it may have swallowed; 0: none */
};

/* A line of the table that is an offset itself: the start of a function. */
#define PLACE_START 0x80000000u

void places_begin(struct translator *translator);
/* The function at hand, whose first instruction stands at `offset`. */
void places_function(struct translator *translator, uint32_t offset);
/* The instruction at `offset` is translated next. */
void place_begin(struct translator *translator, uint32_t offset);
/* What was just made traps for the instruction at hand. */
void place_set(struct translator *translator, LLVMValueRef made);
/* Around passes that move instructions and forget where they came from. */
void places_note(struct translator *translator);
void places_restore(struct translator *translator);
/* Numbers all; no pass comes any more.  Rows of struct place, the first for number 1. */
void places_number(struct translator *translator, struct buffer *rows);

#endif
