/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the encodings that HTTP knows: gzip (RFC 1952, through zlib) and br (RFC 7932, through
 * brotli), as small as they get: it is done once, at deployment.  Equal contents give equal bytes
 * with equal libraries: no names, no times. */
#ifndef FILES_COMPRESS_H
#define FILES_COMPRESS_H

#include "base/buffer.h"
#include "base/error.h"

/* Both append to an initialised buffer; one that has no room is left failed, and that is no error:
 * false is lack of memory only. */
MUST_CHECK bool compress_gzip(struct buffer *target, struct bytes content, struct error *error);
MUST_CHECK bool compress_brotli(struct buffer *target, struct bytes content, struct error *error);

/* Adds to a written archive, for every file below one of the folders that gets a tenth smaller, the
 * same compressed, as NAME.gz and NAME.br; those that are there already are kept.  `folders` are
 * paths as "a/b".  `target` is initialised. */
MUST_CHECK bool compress_archive(struct buffer *target, struct bytes archive,
                                 const char *const *folders, size_t count, struct error *error);

#endif
