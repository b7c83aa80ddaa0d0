/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of files in memory, on its way to an archive (abi/files.h).
 *
 * What for: whoever gathers files adds them in any order; the archive that comes out depends on
 * nothing but what was added.  Owns copies of all names and contents.  Never: touches the file
 * system (gather.h does). */
#ifndef FILES_TREE_H
#define FILES_TREE_H

#include "abi/files.h"
#include "base/buffer.h"
#include "base/error.h"

struct tree;

MUST_CHECK bool tree_new(struct tree **tree, struct error *error);
void tree_free(struct tree *tree);
DEFINE_AUTO(tree, tree_free)

/* All return the number of what they added.  INVALID (a name no file may have), EXISTS, LIMIT. */
MUST_CHECK bool tree_add_preopened(struct tree *tree, const char *name, uint32_t *folder,
                                   struct error *error);
/* One that is there already is fine. */
MUST_CHECK bool tree_add_folder(struct tree *tree, uint32_t parent, struct bytes name,
                                uint64_t modified_ns, uint32_t *folder, struct error *error);
MUST_CHECK bool tree_add_file(struct tree *tree, uint32_t parent, struct bytes name,
                              uint64_t modified_ns, struct bytes content, struct error *error);
MUST_CHECK bool tree_add_link(struct tree *tree, uint32_t parent, struct bytes name,
                              uint64_t modified_ns, struct bytes target, struct error *error);

/* Bytes of content that still fit. */
size_t tree_room(const struct tree *tree);
/* Regular files and links so far. */
size_t tree_file_count(const struct tree *tree);
/* Into an initialised buffer; FILES_SIZE_MAX is enough. */
MUST_CHECK bool tree_write(struct buffer *archive, const struct tree *tree, struct error *error);

#endif
