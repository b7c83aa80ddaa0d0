/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to what it names, never above the folder it starts from: neither by "..", nor by an
 * absolute path, nor by what a symbolic link holds (ENOTCAPABLE). */
#ifndef GUEST_PATH_H
#define GUEST_PATH_H

#include "guest/folder.h"

enum path_flag {
    PATH_FOLLOW = 1,       /* a link at the end is followed */
    PATH_FOLLOW_SLASH = 2, /* the same when a slash stands behind it */
    PATH_NO_SLASH = 4      /* a slash behind the end is ISDIR */
};

/* Where a path leads.  The folders up to the last name are there. */
struct place {
    uint32_t folder;   /* where the name stands */
    struct bytes name; /* empty: the path ends in "." or "..", or is a preopened folder */
    uint32_t node;     /* NODE_NONE: nothing has that name yet */
    bool is_folder;    /* a slash stands behind the name: only a folder will do */
    bool is_parent;    /* it ends in ".." */
};

/* NOENT, NOTDIR, LOOP, NAMETOOLONG, NOTCAPABLE, INVAL (a NUL inside), ILSEQ (no UTF-8). */
MUST_CHECK enum wasi_errno path_find(uint32_t folder, struct bytes path, unsigned flags,
                                     struct place *place);

#endif
