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
};

/* Fails when the program can't be executed (the child's exec error comes back). */
MUST_CHECK bool spawn(pid_t *pid, const struct spawn_options *options, struct error *error);
/* Path of a sibling program: the folder of the running executable, then $S3N_LIBEXEC. */
MUST_CHECK bool spawn_sibling_path(char *path, size_t size, const char *program,
                                   struct error *error);

#endif
