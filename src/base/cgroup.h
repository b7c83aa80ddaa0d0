/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups of version 2 (Linux, Documentation/admin-guide/cgroup-v2.rst): limits that hold
 * for a child with everything it starts.
 *
 * Below the group that a process was given it makes one of its own, FOLDER/NAME, and in that a leaf
 * for itself (`self`, since a group that has both processes and limited groups is refused) and one
 * for each child.  What the kernel does not offer here is missing and said so, no error.  The
 * kernel's files are a table of functions, so that tests can be the kernel.  Owns the folders it
 * made; one thread. */
#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

#include "base/error.h"

#include <limits.h>

/* Each returns 0 or an errno. */
struct cgroup_files {
    int (*make)(const char *folder);
    int (*remove)(const char *folder);
    int (*write)(const char *path, const char *text);
    /* At most size - 1 bytes, and a 0. */
    int (*read)(const char *path, char *text, size_t size);
    /* For writing; close-on-exec. */
    int (*open)(const char *path, int *descriptor);
    /* Calls `found` for each folder in it. */
    int (*list)(const char *folder, void (*found)(void *context, const char *name), void *context);
};
extern const struct cgroup_files cgroup_files_system;

enum cgroup_controller {
    CGROUP_MEMORY,
    CGROUP_PIDS,
    CGROUP_CPU,
    CGROUP_CONTROLLER_COUNT
};
const char *cgroup_controller_name(enum cgroup_controller controller);

struct cgroup_limits {
    uint64_t memory_max; /* bytes, swap not allowed on top; 0: none */
    uint32_t pids_max;   /* processes and threads; 0: none */
    uint32_t cpu_weight; /* 1 to 10000; 0: as it is, 100 */
};

struct cgroup_tree {
    const struct cgroup_files *files;
    char parent[PATH_MAX];
    char folder[PATH_MAX]; /* empty: none is open */
    bool has[CGROUP_CONTROLLER_COUNT];
    bool switched_on[CGROUP_CONTROLLER_COUNT]; /* in the parent, by us */
    char missing[128]; /* names what it has not and why; empty: nothing is missing */
};

/* The folder of this process's group; `groups` is the text of /proc/self/cgroup, `mounts` of
 * /proc/self/mountinfo.  UNSUPPORTED where there is none of version 2. */
MUST_CHECK bool cgroup_find(char folder[PATH_MAX], const char *groups, const char *mounts,
                            struct error *error);
/* The same for this process. */
MUST_CHECK bool cgroup_find_own(char folder[PATH_MAX], struct error *error);

/* Makes FOLDER/NAME-<pid>, moves this process to its leaf, and switches on what controllers there
 * are; groups that dead processes left under such names are removed.  DENIED: this user may not;
 * UNSUPPORTED: `folder` is no group of version 2, or can't be changed.  On failure everything is
 * as before. */
MUST_CHECK bool cgroup_open(struct cgroup_tree *tree, const struct cgroup_files *files,
                            const char *folder, const char *name, struct error *error);
/* As far as it goes: groups in use stay. */
void cgroup_close(struct cgroup_tree *tree);
/* What the group `folder` offers, without changing anything. */
struct cgroup_view {
    bool is_writable; /* by this user */
    bool offers[CGROUP_CONTROLLER_COUNT];
};
MUST_CHECK bool cgroup_look(struct cgroup_view *view, const struct cgroup_files *files,
                            const char *folder, struct error *error);
bool cgroup_is_open(const struct cgroup_tree *tree);
/* Whether all of memory, pids and cpu can be limited. */
bool cgroup_has_all(const struct cgroup_tree *tree);

/* A leaf with limits (those whose controller is missing are left out).  *entrance: whoever writes
 * "0" to it is in the leaf, with all it starts later (spawn_options.group). */
MUST_CHECK bool cgroup_leaf_make(const struct cgroup_tree *tree, const char *leaf,
                                 const struct cgroup_limits *limits, int *entrance,
                                 struct error *error);
/* false: something is still in it, which the kernel was told to end: try again. */
bool cgroup_leaf_remove(const struct cgroup_tree *tree, const char *leaf);
/* How many processes the kernel ended there for memory; 0 when it does not tell. */
uint64_t cgroup_leaf_oom_kills(const struct cgroup_tree *tree, const char *leaf);

#endif
