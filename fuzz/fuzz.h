/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target is one function over bytes from outside; it must return whatever it is given.
 * Linked twice: with replay.c (every run of the tests replays the corpus) and with libfuzzer.c. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "core/bytes.h"

void fuzz_one(struct bytes input);

#endif
