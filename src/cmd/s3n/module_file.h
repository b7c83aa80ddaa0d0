/* SPDX-License-Identifier: Apache-2.0 */
/* A module or image on disk, and its way through the jailed compiler. */
#ifndef CMD_S3N_MODULE_FILE_H
#define CMD_S3N_MODULE_FILE_H

#include "cmd/s3n/cli.h"

/* Sets the limit for what module_file_read reads. */
void module_file_init(struct buffer *module);
/* `path` may be "-" for standard input. */
MUST_CHECK bool module_file_read(struct buffer *module, const char *path, struct error *error);

/* Compiles with s3n-compile, in a process of its own.  Its refusal becomes the error.  `flags`:
 * enum compile_flag. */
MUST_CHECK bool module_compile(struct buffer *image, struct bytes module, uint32_t flags,
                               uint64_t *took_ns, struct error *error);
/* An image kept in a file has a seal behind it: IMAGE_SEAL and the SHA-256 of the image.  It
 * shows damage before anything of the image is looked at; who made it the seal does not say. */
void image_file_seal(struct buffer *image);
/* Takes the seal off; INVALID when it is missing or does not fit. */
MUST_CHECK bool image_file_open(struct bytes *image, struct bytes content, struct error *error);
/* The values of --tier and --backend that this build has. */
MUST_CHECK bool tier_check(const char *tier, struct error *error);
MUST_CHECK bool backend_check(const char *backend, struct error *error);

#endif
