/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program of S3N as a child: chosen descriptors only, dies with its parent, no
 * environment but what is named. */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include "base/error.h"

#include <sys/types.h>

enum {
    SPAWN_DESCRIPTORS_MAX = 16
};

struct spawn_descriptor {
    int from; /* in the parent */
    int to;   /* in the child */
};

struct spawn_options {
    const char *path;
    const char *const *arguments;   /* NULL-terminated, with the program's name first */
    const char *const *environment; /* NULL-terminated; NULL: empty */
    struct spawn_descriptor descriptors[SPAWN_DESCRIPTORS_MAX];
    unsigned descriptor_count; /* 0-2 not listed: /dev/null, but stderr stays the parent's */
    bool has_group;            /* it moves to a control group before it starts: */
    int group;                 /* cgroup_leaf_make's entrance */
    bool own_group; /* a process group of its own: a terminal's Ctrl-C doesn't reach it */
};

/* Fails when the program can't be executed (the child's exec error comes back).  The child starts
 * with default signal handling and is killed when the *thread* that called this ends. */
MUST_CHECK bool spawn(pid_t *pid, const struct spawn_options *options, struct error *error);
/* Path of a sibling program: the folder of the running executable, then $S3N_LIBEXEC. */
MUST_CHECK bool spawn_sibling_path(char *path, size_t size, const char *program,
                                   struct error *error);

/* How a child ended. */
struct spawn_end {
    bool was_killed;
    int code; /* exit code, or the signal */
};

/* Waits for the child and reaps it; TIMEOUT leaves it running.  `timeout_ms` -1: for ever. */
MUST_CHECK bool spawn_wait(struct spawn_end *end, pid_t pid, int timeout_ms, struct error *error);
/* The child made a system call that its jail forbids (SIGSYS). */
bool spawn_end_is_forbidden_call(const struct spawn_end *end);
/* From waitpid's status, for whoever reaps in their own loop. */
struct spawn_end spawn_end_of_status(int status);

#endif
