/* SPDX-License-Identifier: Apache-2.0 */
/* Before code of a version is loaded anywhere, for a trial or for invocations, it is recorded which
 * image that is: in the node's event log, once per version and image. */
#ifndef FUNCTIONS_LOADING_H
#define FUNCTIONS_LOADING_H

#include "functions/registry.h"

/* Who records.  false: it must not be loaded. */
struct load_recorder {
    void *context;
    /* `version` as receipts name it (receipt_version), `image` the digest of what was compiled. */
    bool (*record)(void *context, const struct digest32 *version, const struct digest32 *image,
                   struct error *error);
};

/* A recorder that is NULL or has no function records nothing (tests). */
MUST_CHECK bool loading_record(const struct load_recorder *recorder,
                               const struct manifest *manifest,
                               const struct digest32 *manifest_digest, size_t function,
                               const struct function_image *image, struct error *error);

#endif
