/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hexadecimal text.  Never allocates. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

#include "core/bytes.h"

/* Writes 2 x size lower-case digits and a NUL; `text` has room for 2 x size + 1. */
void hex_encode(char *text, struct bytes bytes);
/* 0 to 15, or -1 when it is no digit of either case. */
int hex_digit_value(uint8_t digit);
/* Exactly 2 x size digits of either case; false otherwise, with `target` untouched. */
MUST_CHECK bool hex_decode(void *target, size_t size, struct bytes text);

struct hex32 {
    char text[65];
};
/* A digest as a printable value. */
struct hex32 hex_of_digest(const struct digest32 *digest);

#endif
