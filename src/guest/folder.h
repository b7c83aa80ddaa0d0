/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a folder.  Until it is changed that is the archive's sorted list; then its entries
 * are copied into the volume, where a table over all changed folders finds them by name.
 *
 * A cookie names a place between two entries: 0 is the start, and every entry says with its own
 * where to go on behind it.  It stays right whatever is made or removed meanwhile. */
#ifndef GUEST_FOLDER_H
#define GUEST_FOLDER_H

#include "guest/node.h"

struct folder_row {
    struct bytes name;
    uint32_t node;
    uint64_t cookie; /* behind it */
};

/* NODE_NONE: there is none. */
uint32_t folder_find(uint32_t folder, struct bytes name);
bool folder_is_empty(uint32_t folder);
/* The first entry behind `cookie`, "." and ".." before all others; false at the end. */
bool folder_next(uint32_t folder, uint64_t cookie, struct folder_row *row);
/* The folder above; of a preopened one, itself. */
uint32_t folder_parent(uint32_t folder);
/* Readies a folder for changes, so that the next insertion needs room for one entry alone. */
MUST_CHECK enum wasi_errno folder_change(uint32_t folder);
/* The name is not there yet.  NOSPC. */
MUST_CHECK enum wasi_errno folder_insert(uint32_t folder, struct bytes name, uint32_t node);
/* The name is there, and the folder was readied. */
void folder_remove(uint32_t folder, struct bytes name);
/* The same with another node in its place. */
void folder_replace(uint32_t folder, struct bytes name, uint32_t node);

#endif
