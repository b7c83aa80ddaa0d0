/* SPDX-License-Identifier: Apache-2.0 */
/* The jail: how a process gives up what it does not need, once it has opened what it does.
 *
 * Order: new namespaces (user when unprivileged, mount, network, IPC, UTS; an empty root folder),
 * rlimits, uid and gid when root, all capabilities, not dumpable, no-new-privileges, then the
 * system-call filter.  Filters are data: one row per call with the reason it is needed; any other
 * call kills the process by SIGSYS, which its parent recognises (spawn_end_is_forbidden_call).
 * Descriptors that are open stay open: pass no folder in.  base/jail_calls.h has rows that many
 * profiles share. */
#ifndef BASE_JAIL_H
#define BASE_JAIL_H

#include "base/error.h"

#include <seccomp.h>
#include <sys/types.h>

struct jail_call {
    int number; /* SCMP_SYS(name) */
    const char *reason;
    /* When has_argument: allowed only if argument `argument` masked with `mask` equals `value`. */
    bool has_argument;
    unsigned argument;
    uint64_t mask;
    uint64_t value;
    bool own_process; /* the argument must be this process's id, as it is when it enters */
    int refuse_errno; /* not 0: the call fails with this errno instead (libraries that only try) */
};

struct jail_profile {
    const char *name;
    const struct jail_call *calls;
    size_t call_count;
    bool keep_network;        /* false: an empty network namespace */
    bool keep_files;          /* false: an empty, read-only root folder */
    const char *folder;       /* not NULL: this folder becomes the root, and can be written */
    uint64_t memory_max;      /* RLIMIT_AS in bytes, 0 none */
    uint64_t cpu_seconds_max; /* RLIMIT_CPU, 0 none */
    uint64_t file_size_max;   /* RLIMIT_FSIZE in bytes; UINT64_MAX none */
    unsigned descriptors_max; /* RLIMIT_NOFILE, 0 unchanged */
    unsigned processes_max;   /* RLIMIT_NPROC, 0 unchanged */
};

/* `uid`, `gid`: to become when running as root, neither 0; ignored otherwise.  What the kernel
 * refuses (no user namespaces, say) is an error, never skipped; the process is then half jailed and
 * must end.  Call it while there is one thread; threads made later are inside.  A parent-death
 * signal survives. */
MUST_CHECK bool jail_enter(const struct jail_profile *profile, uid_t uid, gid_t gid,
                           struct error *error);

/* For a process that needs more while it makes ready than afterwards: jail_narrow_prepare builds a
 * second filter before jail_enter (whose profile must allow the row JAIL_CALL_NARROW), jail_narrow
 * installs it.  What either filter refuses is refused. */
MUST_CHECK bool jail_narrow_prepare(const struct jail_profile *profile, struct error *error);
MUST_CHECK bool jail_narrow(struct error *error);

#endif
