/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the forms that terminals, web interfaces and other programs give them. */
#ifndef ATTEST_EVIDENCE_TEXT_H
#define ATTEST_EVIDENCE_TEXT_H

#include "core/bytes.h"

/* Whether the file has only characters of hexadecimal and base64 text. */
bool evidence_text_is(struct bytes file);
/* Evidence that was copied as text: hexadecimal (0x before it or not) or base64 of either
 * alphabet, padded or not; spaces and line ends anywhere.  False when `file` is not such a text, or
 * less than any evidence has.  `space` takes as many bytes as the file has, and then what it stands
 * for: twice file.size suffices. */
MUST_CHECK bool evidence_text_read(struct bytes *evidence, uint8_t *space, struct bytes file);

/* Certificates or a revocation list as a file gives them, in DER or strict PEM (crypto/pem.h):
 *
 *     PEM with other text around its blocks (RFC 7468 section 2): `openssl x509 -text`, comments,
 *         a byte order mark; unless that text has "-----" in it, as a spoilt boundary would
 *     PEM with %-escapes, as HTTP headers carry issuer chains
 *     DER as hexadecimal or base64 text: revocation lists of PCCS
 *
 * Anything else is given back as it is, for its parser to judge.  `space` as above.  Only what
 * collateral_text_is has any of these forms: no binary bytes. */
bool collateral_text_is(struct bytes file);
struct bytes collateral_text_read(uint8_t *space, struct bytes file);

#endif
