/* SPDX-License-Identifier: Apache-2.0 */
/* From folders of this machine to a tree of files.  Reads only; follows no link out of the folder
 * it was given. */
#ifndef FILES_GATHER_H
#define FILES_GATHER_H

#include "files/tree.h"

/* Told of each file that is left out, with the reason; `path` starts at the folder. */
struct gather_watch {
    void (*skipped)(void *context, const char *path, const char *reason);
    void *context;
};

/* Everything below `path` as the preopened folder `name`: folders, regular files, and symbolic
 * links as they are.  Other kinds, and names that are no UTF-8, are left out. */
MUST_CHECK bool gather_folder(struct tree *tree, const char *path, const char *name,
                              const struct gather_watch *watch, struct error *error);

/* The regular files below `path` that a pattern (pattern.h) matches, in the preopened folder "/",
 * with the time 0: the same files always make the same tree.  A link counts as the file that it
 * leads to, which must lie below `path` (DENIED).  INVALID: a pattern that matches nothing. */
MUST_CHECK bool gather_patterns(struct tree *tree, const char *path, const char *const *patterns,
                                size_t count, struct error *error);

#endif
