/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest names must have been uploaded before it is deployed. */
#ifndef FUNCTIONS_UPLOADS_H
#define FUNCTIONS_UPLOADS_H

#include "functions/blobs.h"
#include "functions/manifest.h"

/* The function's module and its files.  NOT_FOUND names what is missing; LIMIT; INVALID when its
 * files are no archive.  *archive_size is 0 when it has none. */
MUST_CHECK bool uploads_check(struct store *store, struct blobs *blobs,
                              const struct manifest_function *function, uint64_t *module_size,
                              uint64_t *archive_size, struct error *error);

#endif
