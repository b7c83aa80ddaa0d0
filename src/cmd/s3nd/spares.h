/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that are started and jailed and wait for their first application.  How many follows how
 * often one is taken. */
#ifndef S3ND_SPARES_H
#define S3ND_SPARES_H

#include "core/compiler.h"
#include "functions/demand.h"

#include <sys/types.h>

enum {
    SPARE_COUNT_MAX = 64,
    SPARE_BUSY_MS = 1000 /* what starting the next can take while many start at once */
};

struct spare {
    pid_t pid;
    int socket; /* the server's future end of its control socket */
};

struct spares {
    struct spare list[SPARE_COUNT_MAX]; /* the longest waiting first */
    unsigned count;
    unsigned count_min, count_max; /* 1 <= min <= max <= SPARE_COUNT_MAX */
    struct demand demand;
    uint64_t start_at_ns; /* not before */
    unsigned delay_ms;    /* grows while spares die before they are used */
};

void spares_add(struct spares *spares, struct spare spare);
/* One is needed now: the longest waiting.  False: there is none. */
MUST_CHECK bool spares_take(struct spares *spares, uint64_t now_ns, struct spare *spare);
/* Whether one more shall be started now. */
MUST_CHECK bool spares_want_more(struct spares *spares, uint64_t now_ns);
/* One more than wanted now, taken out.  False: there is none. */
MUST_CHECK bool spares_surplus(struct spares *spares, uint64_t now_ns, struct spare *spare);
/* When the next may be started, or may have become too many; UINT64_MAX: nothing is due. */
uint64_t spares_due_ns(struct spares *spares, uint64_t now_ns);
bool spares_have(const struct spares *spares, pid_t pid);
/* It has ended, or could not be started (pid 0): the next waits a while. */
void spares_failed(struct spares *spares, pid_t pid, uint64_t now_ns);
void spares_drop(struct spares *spares);

#endif
