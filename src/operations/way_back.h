/* SPDX-License-Identifier: Apache-2.0 */
/* The way back from a new form of the stores: before the first of a node's stores is brought to a
 * newer form (store/migrations.h), all of them are saved as they are in a backup of the usual form
 * beside them, "before-schema-N.backup", N being the form that they get.  The S3N before refuses
 * the newer stores, names that file, and restores it. */
#ifndef OPERATIONS_WAY_BACK_H
#define OPERATIONS_WAY_BACK_H

#include "operations/backup.h"

#include <limits.h>

struct way_back {
    const char *folder; /* of the stores */
    long schema;        /* the form that they will get; 0: the one that this S3N has */
    struct sealer sealer;
    struct backup_header header; /* id is set here */
};
/* No store may be open.  *made: whether there was need; `path` then has the file.  A file that is
 * there from an attempt before is kept as it is.  False: nothing may be changed. */
MUST_CHECK bool way_back_save(struct way_back *way, bool *made, char path[PATH_MAX],
                              struct error *error);

#endif
