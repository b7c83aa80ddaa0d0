/* SPDX-License-Identifier: Apache-2.0 */
/* Text of strangers, fit for a terminal: nothing in it moves a cursor, changes colours, sets a
 * title, reorders a line or ends one.
 *
 * Characters that show pass, tabs too.  Control characters (C0, DEL, C1), those that steer the
 * direction of text or break lines (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069) and
 * bytes that are no UTF-8 stand as \x1b or \u202e. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include "base/buffer.h"
#include "core/bytes.h"

/* Size of the character at the beginning of a text that is not empty (1 for a byte that is no
 * UTF-8), and whether it passes. */
size_t terminal_character(struct bytes text, bool *passes);
/* Whether a text is one line for people: UTF-8 of which every character shows, and no tab.  What
 * names are made of that people choose for others to read. */
bool terminal_is_line(struct bytes text);
void terminal_append(struct buffer *target, struct bytes text);
/* Puts a question mark for each character that does not pass, in place. */
void terminal_mask(char *text);
/* The same text as UTF-8 for JSON: U+FFFD for bytes that are none. */
void utf8_append(struct buffer *target, struct bytes text);

#endif
