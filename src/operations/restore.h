/* SPDX-License-Identifier: Apache-2.0 */
/* A backup becomes a folder of stores again. */
#ifndef OPERATIONS_RESTORE_H
#define OPERATIONS_RESTORE_H

#include "operations/backup.h"
#include "operations/check.h"

/* Writes the backup's stores into the new folder `target` and proves all that is in them.  Errors
 * as backup_next has them; UNVERIFIED too when something in it is not good (the check's listener
 * was told what). */
MUST_CHECK bool restore_unpack(int file, const char *target, const struct sealer *sealer,
                               struct backup_header *header, struct check *check,
                               struct error *error);
/* Removes a folder that restore_unpack made. */
void restore_drop(const char *target);

#endif
