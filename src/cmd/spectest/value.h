/* SPDX-License-Identifier: Apache-2.0 */
/* Values as wast2json writes them, against slots of 64 bits. */
#ifndef SPECTEST_VALUE_H
#define SPECTEST_VALUE_H

#include "base/error.h"

#include "base/json.h"

enum {
    VALUE_TEXT_SIZE = 64
};

/* An argument as a slot (abi/instance.h). */
MUST_CHECK bool value_to_slot(const json_t *value, uint64_t *slot, struct error *error);
/* Whether a slot is what is expected, NaN patterns included. */
bool value_matches(const json_t *expected, uint64_t slot);
/* "f32:0x7fc00000" */
void value_text(const json_t *expected, uint64_t slot, char text[VALUE_TEXT_SIZE]);

#endif
