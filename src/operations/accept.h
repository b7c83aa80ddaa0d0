/* SPDX-License-Identifier: Apache-2.0 */
/* A node's stores are taken as they are, though the keeper remembers others: after an S3N that kept
 * no anchor wrote them, or an older copy was put in place on purpose; or though what the keeper
 * remembers does not open, after its file was damaged.  Never unnoticed: the event log and every
 * owner's audit log tell of it, and they must be whole. */
#ifndef OPERATIONS_ACCEPT_H
#define OPERATIONS_ACCEPT_H

#include "keys/keeper.h"
#include "operations/check.h"

struct accept {
    const char *store, *states, *anchor; /* the files; the last is the keeper's */
    struct keeper *keeper;
    int64_t now_s;
};

/* Proves both but for their age, and has the keeper remember them.  *accepted false: it remembers
 * these already, and nothing was written.  UNVERIFIED: they are not good, and nothing was written
 * (the check's listener was told what). */
MUST_CHECK bool accept_stores(const struct accept *accept, struct check *check, bool *accepted,
                              struct error *error);

#endif
