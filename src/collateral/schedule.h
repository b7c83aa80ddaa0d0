/* SPDX-License-Identifier: Apache-2.0 */
/* When a node asks for its collateral again.  Pure: the time is an argument.
 *
 * What went well is asked for again when the first piece is due, a minute later at the earliest;
 * the clock is looked at every hour at least, since it may have been set.  What failed is tried
 * again after 30 s, then twice as long each time, up to an hour; a service that named a time is
 * left alone until then, for an hour at most. */
#ifndef COLLATERAL_SCHEDULE_H
#define COLLATERAL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct collateral_schedule {
    bool has_asked;
    unsigned failures;       /* the latest, in a row */
    int64_t due_s;           /* when the first piece is to be asked for again, seconds since 1970 */
    int64_t refused_until_s; /* by the latest answer; 0: no */
};

/* Whether it is time to ask; otherwise the clock is looked at only. */
bool collateral_schedule_is_due(const struct collateral_schedule *schedule, int64_t now_s);
/* How long to wait before the next look. */
uint64_t collateral_schedule_wait_ms(const struct collateral_schedule *schedule, int64_t now_s);

#endif
