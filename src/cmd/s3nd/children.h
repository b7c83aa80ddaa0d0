/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's children: what each is, which user number it has, and since when it runs. */
#ifndef S3ND_CHILDREN_H
#define S3ND_CHILDREN_H

#include "base/spawn.h"

#include <sys/types.h>

enum child_kind {
    CHILD_SERVER,
    CHILD_KEEPER,
    CHILD_COMPILER,
    CHILD_WORKER,
    CHILD_COLLATERAL,
    CHILD_TELEMETRY,
    CHILD_OUTBOUND
};

enum {
    CHILD_COUNT_MAX = 680,
    WORKER_USER_COUNT_MAX = 512,
    OUTBOUND_CHILD_COUNT_MAX = 72 /* those that are being ended too */
};

struct child {
    enum child_kind kind;
    pid_t pid;
    uint32_t request;     /* COMPILER, COLLATERAL, TELEMETRY: the request that its end answers */
    uint64_t deadline_ns; /* killed when it still runs then; UINT64_MAX: never */
    bool is_late;         /* its time was over, it was killed */
    unsigned group;       /* number of its control group; 0: it has none */
    unsigned user;        /* WORKER: its number among the workers' users */
};

struct children {
    struct child list[CHILD_COUNT_MAX];
    unsigned count;
};

/* How a child ended, for the log. */
void child_note(char *note, size_t size, const struct spawn_end *end, bool ran_out_of_memory);
const char *child_kind_name(enum child_kind kind);
/* false when there are too many. */
MUST_CHECK bool children_add(struct children *children, const struct child *child);
struct child *children_find(struct children *children, pid_t pid);
/* Forgets it; its pointer and those of others are void afterwards. */
void children_remove(struct children *children, struct child *child);
unsigned children_count(const struct children *children, enum child_kind kind);
/* SIGKILLs all of a kind; they are forgotten when they are reaped. */
void children_kill(struct children *children, enum child_kind kind);
void children_kill_all(struct children *children);
/* The least user number that no living worker has; false when all are taken. */
MUST_CHECK bool children_free_user(const struct children *children, unsigned *user);
/* The nearest deadline, UINT64_MAX without one. */
uint64_t children_deadline_ns(const struct children *children);
/* Kills those whose time is over. */
void children_kill_late(struct children *children, uint64_t now_ns);

#endif
