/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs as sealed anonymous files, ready to be handed to another process.  Those of late are kept
 * open, so that what was just uploaded or compiled is not read back from the disk and unsealed
 * again, and a worker that is replaced gets its images at once.  Everything is in the store before
 * put returns; content goes by its digest, so nothing here can be stale.  Owns the files.  One
 * thread. */
#ifndef FUNCTIONS_BLOBS_H
#define FUNCTIONS_BLOBS_H

#include "store/store.h"

struct blobs;

/* The store must outlive it.  `size_max`: bytes of all files kept. */
MUST_CHECK bool blobs_new(struct blobs **blobs, struct store *store, uint64_t size_max,
                          struct error *error);
void blobs_free(struct blobs *blobs);
DEFINE_AUTO(blobs, blobs_free)

/* Like store_blob_put. */
MUST_CHECK bool blobs_put(struct blobs *blobs, const struct digest32 *digest, struct bytes content,
                          struct error *error);
/* Like store_blob_open; the file's offset is shared with others that have it. */
MUST_CHECK bool blobs_open(struct blobs *blobs, const struct digest32 *digest, int *descriptor,
                           struct error *error);

#endif
