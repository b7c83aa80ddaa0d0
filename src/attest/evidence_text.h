/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence that was copied as text, as terminals, web interfaces and JSON give
 * it: hexadecimal (0x before it or not) or base64 of either alphabet, padded or
 * not; spaces and line ends anywhere. */
#ifndef ATTEST_EVIDENCE_TEXT_H
#define ATTEST_EVIDENCE_TEXT_H

#include "core/bytes.h"

/* Whether the file has no other characters than these. */
bool evidence_text_is(struct bytes file);
/* False when `file` is not such a text, or less than any evidence has.  `space`
 * takes as many bytes as the file has, and then what it stands for: twice
 * file.size suffices. */
MUST_CHECK bool evidence_text_read(struct bytes *evidence, uint8_t *space, struct bytes file);

#endif
