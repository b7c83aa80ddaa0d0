/* SPDX-License-Identifier: Apache-2.0 */
/* Writable memory of the process backend that knows which of its pages were ever written, without a
 * system call as a rule: after the first reset only those pages are writable; the first write to
 * another one faults once, opens it, and from then on it is restored at every reset like the rest.
 * Whoever writes all over loses the tracking and is restored as a whole. */
#ifndef SLIPSTREAM_TRACKED_H
#define SLIPSTREAM_TRACKED_H

#include "slipstream/backend.h"
#include "slipstream/restoring.h"

enum {
    TRACKED_OPEN = 0x40,
    TRACKED_TOUCHED = 0x20,
    TRACKED_GROUP = 512
};

struct tracked {
    uint8_t *host;
    uint64_t size; /* tracked bytes from `host`: whole pages */
    /* One per page, as control_part.entries wants them: TRACKED_OPEN in it means that the page may
     * be written and is restored. */
    uint64_t *entries;
    /* One per TRACKED_GROUP pages, as control_part.touched wants them. */
    uint64_t *touched;
    const struct restoring *rule; /* the caller's */
    bool is_tracking;             /* false: all of it may be written, and nobody knows what was */
    bool is_whole;   /* all of it may be written, and is restored: tracking in name only */
    bool grows_down; /* a stack: neighbours below come next */
    uint32_t opened_count;
    uint32_t fault_count; /* since tracking began */
    uint32_t run;         /* pages that the last fault opened */
    uint64_t last;        /* where it did */
    uint32_t reset_count; /* since tracking began */
};

/* Memory that stays the caller's. */
MUST_CHECK bool tracked_init(struct tracked *tracked, uint8_t *host, uint64_t size,
                             const struct restoring *rule, struct error *error);
void tracked_done(struct tracked *tracked);
/* Begins to track with `count` pages open from `first` on. */
MUST_CHECK bool tracked_begin(struct tracked *tracked, uint64_t first, uint64_t count,
                              struct error *error);
/* Ends tracking: all of it may be written.  With RESTORING_DISCARD it never begins again. */
MUST_CHECK bool tracked_end(struct tracked *tracked, struct error *error);
/* Writes a page, open or not. */
MUST_CHECK bool tracked_put(struct tracked *tracked, uint64_t page, const uint8_t *content);
/* A guest's page fault: true when it was the first write to a page, which is open now.  In a signal
 * handler. */
bool tracked_open_page(struct tracked *tracked, uint64_t address);
/* Back to the content.  `learns`: begins to track, if it has not. */
MUST_CHECK bool tracked_reset(struct tracked *tracked, const struct part_template *content,
                              bool learns, struct error *error);

#endif
