/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 and base64url (RFC 4648), strictly: one text for one value.  Decoding refuses any other
 * character, line breaks, missing or additional padding, and non-zero unused bits.  base64url is
 * without padding, as JOSE has it.  Never allocates, except the functions on buffers. */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include "base/buffer.h"
#include "core/bytes.h"

/* Characters for `size` bytes, without the final NUL. */
size_t base64_text_size(size_t size);
size_t base64url_text_size(size_t size);

/* Write the text and a NUL; `text` has room for text_size + 1. */
void base64_encode(char *text, struct bytes bytes);
void base64url_encode(char *text, struct bytes bytes);
/* Append the text, without NUL. */
void base64_append(struct buffer *text, struct bytes bytes);
void base64url_append(struct buffer *text, struct bytes bytes);

/* At most `capacity` bytes; false, with *size untouched, when the text is not exactly what encoding
 * makes or the bytes don't fit.  Text of n characters has at most n / 4 * 3 + 2 bytes. */
MUST_CHECK bool base64_decode(void *target, size_t capacity, size_t *size, struct bytes text);
MUST_CHECK bool base64url_decode(void *target, size_t capacity, size_t *size, struct bytes text);

#endif
