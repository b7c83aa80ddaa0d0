/* SPDX-License-Identifier: Apache-2.0 */
/* Values as wast2json writes them, against slots of 64 bits (abi/instance.h). */
#ifndef SPECTEST_VALUE_H
#define SPECTEST_VALUE_H

#include "base/error.h"

#include "base/json.h"

enum {
    VALUE_SLOTS_MAX = 2, /* of a v128; everything else takes one */
    VALUE_TEXT_SIZE = 384
};

/* What a value of this type takes; 0: the type is unknown. */
unsigned value_slot_count(const json_t *value);
/* An argument. */
MUST_CHECK bool value_to_slots(const json_t *value, uint64_t slots[VALUE_SLOTS_MAX],
                               struct error *error);
/* Whether slots are what is expected, NaN patterns in numbers and lanes included. */
bool value_matches(const json_t *expected, const uint64_t slots[VALUE_SLOTS_MAX]);
/* "f32:0x7fc00000", "f32x4:0x0 0x1 0x2 0x3"; of what is expected: its own words for NaNs. */
void value_text(const json_t *expected, const uint64_t slots[VALUE_SLOTS_MAX],
                char text[VALUE_TEXT_SIZE]);
void value_expected_text(const json_t *expected, char text[VALUE_TEXT_SIZE]);

#endif
