/* SPDX-License-Identifier: Apache-2.0 */
/* The server's copy of the keeper's event log: for serving it, and to know what is in it already,
 * so that nothing is recorded twice.  One thread. */
#ifndef KEYS_EVENT_COPY_H
#define KEYS_EVENT_COPY_H

#include "keys/keeper.h"

struct event_load {
    struct digest32 version; /* of a function, as in receipts */
    struct digest32 image;
};

struct event_copy {
    struct buffer log;
    uint64_t count;           /* entries */
    struct event_load *loads; /* those in it */
    size_t load_count, load_room;
    struct buffer policy; /* details of the last entry `policy` with "change":"start" */
};

void event_copy_init(struct event_copy *copy);
void event_copy_done(struct event_copy *copy);
/* Asks for the entries that came since. */
MUST_CHECK bool event_copy_refresh(struct event_copy *copy, struct keeper *keeper,
                                   struct error *error);
/* Records a load unless it is in the log; *is_new tells.  On success it is in the log. */
MUST_CHECK bool event_copy_load(struct event_copy *copy, struct keeper *keeper,
                                const struct event_load *load, bool *is_new, struct error *error);
/* Records what a node starts under, unless that is what it last started under.  `details` has a
 * member "change":"start". */
MUST_CHECK bool event_copy_policy(struct event_copy *copy, struct keeper *keeper,
                                  const char *details, struct error *error);

#endif
