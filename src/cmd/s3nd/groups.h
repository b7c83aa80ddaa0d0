/* SPDX-License-Identifier: Apache-2.0 */
/* The children's control groups: one for each, with the limits of the configuration, removed when
 * the child has ended.  Without them (none to be had, or `cgroup.use = "off"`) children start as
 * they are; docs/operating.md. */
#ifndef S3ND_GROUPS_H
#define S3ND_GROUPS_H

#include "base/cgroup.h"
#include "cmd/s3nd/children.h"
#include "cmd/s3nd/config.h"

enum {
    GROUPS_LEFT_MAX = 64
};

struct groups {
    const struct config *config;
    struct cgroup_tree tree;
    unsigned last;                  /* number of the newest */
    unsigned left[GROUPS_LEFT_MAX]; /* what could not be removed yet */
    unsigned left_count;
};

/* UNAVAILABLE when the configuration demands what this machine does not give. */
MUST_CHECK bool groups_open(struct groups *groups, const struct config *config,
                            struct error *error);
/* Makes the next child's group; *number 0 and *entrance -1: it has none. */
MUST_CHECK bool groups_begin(struct groups *groups, enum child_kind kind, unsigned *number,
                             int *entrance, struct error *error);
/* The child has ended, or did not start; true: the kernel ended something there for memory. */
bool groups_end(struct groups *groups, unsigned number);
/* Removes what is left.  false: something is left still. */
bool groups_sweep(struct groups *groups);
void groups_close(struct groups *groups);

#endif
