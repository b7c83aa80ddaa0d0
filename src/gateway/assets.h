/* SPDX-License-Identifier: Apache-2.0 */
/* A version's files as the gateway serves them: an archive (abi/files.h) with the tags of what was
 * asked for so far.
 *
 * A path is looked up name by name in the archive, which has no links to follow, no "." and no
 * "..": there is nothing else to get at.  Borrows the archive.  One thread. */
#ifndef GATEWAY_ASSETS_H
#define GATEWAY_ASSETS_H

#include "abi/files.h"
#include "base/error.h"
#include "gateway/representation.h"

struct assets;

/* `archive` was checked before (files_parse), lies still and outlives it. */
MUST_CHECK bool assets_new(struct assets **assets, struct bytes archive, struct error *error);
void assets_free(struct assets *assets);
DEFINE_AUTO(assets, assets_free)

struct asset {
    struct bytes name;    /* the last one of its path, for its type */
    struct bytes content; /* in the best encoding that there is */
    enum encoding encoding;
    bool has_variants; /* another Accept-Encoding may get another */
    char etag[2 + 32 + 1];
};
/* The file at `path` (percent-encoded, as it came) below `folder`; for a folder its `index`. False:
 * there is none. */
bool assets_find(struct assets *assets, const char *folder, struct bytes path, const char *index,
                 struct bytes accept_encoding, struct asset *asset);

#endif
