/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468, the strict grammar): blocks of base64 in lines of 64 characters (up to 76, all
 * alike), LF or CRLF, nothing before, between or after them but line ends, and NULs at the very
 * end.  A block may begin on the line that ends the one before, as in quotes of early Ice Lake
 * machines. */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/reader.h"
#include "core/writer.h"

/* Characters of one block. */
size_t pem_text_size(const char *label, size_t size);
void pem_write(struct writer *text, const char *label, struct bytes content);
/* Appends one block. */
void pem_append(struct buffer *text, const char *label, struct bytes content);
/* Reads the next block, which must carry `label`, from the reader; `target` has `capacity` bytes,
 * *size of them are used. */
MUST_CHECK bool pem_read(struct reader *text, const char *label, void *target, size_t capacity,
                         size_t *size, struct error *error);
/* What a file holds that may be DER or PEM: `text` itself when it begins as a SEQUENCE, else its
 * only block, which must carry `label`, decoded into `space` (its limit counts; cleared first). */
MUST_CHECK bool pem_unwrap(struct bytes *content, struct buffer *space, const char *label,
                           struct bytes text, struct error *error);
/* True when nothing but line ends and NULs is left. */
bool pem_is_end(const struct reader *text);

#endif
