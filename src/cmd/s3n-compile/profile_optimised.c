/* SPDX-License-Identifier: Apache-2.0 */
/* What the optimising compiler may ask of the kernel: what the compiler may, and workers. */
#include "base/jail_calls.h"
#include "cmd/s3n-compile/profile.h"

#include <signal.h>
#include <sys/resource.h>

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    { SCMP_SYS(read), "the module on stdin" },
    { SCMP_SYS(write), "the image on stdout, a message on stderr" },
    { SCMP_SYS(writev), "assertion messages" },
    { SCMP_SYS(fstat), "size of the module" },
    { SCMP_SYS(newfstatat), "fstat of newer C libraries; there is no file to name" },
    { SCMP_SYS(lseek), "position in the module" },
    { SCMP_SYS(sysinfo), "qsort asks how much memory it may take" },
    { SCMP_SYS(close), "the end" },
    { SCMP_SYS(sched_getaffinity), "how many workers to start" },
    { SCMP_SYS(clone), "fork: a worker for a part of the module", true, 0, 0xff, SIGCHLD },
    { SCMP_SYS(set_robust_list), "fork, in the worker" },
    { SCMP_SYS(rseq), "fork, in the worker" },
    { SCMP_SYS(prlimit64), "a worker's own limits", true, 0, UINT64_MAX, 0 },
    { SCMP_SYS(wait4), "how a worker ended" },
    { SCMP_SYS(ioctl), "LLVM asks whether its messages go to a terminal", .refuse_errno = ENOTTY },
    { SCMP_SYS(getrusage), "LLVM's timers", .refuse_errno = EPERM },
    { SCMP_SYS(sigaltstack), "LLVM's crash handlers", .refuse_errno = EPERM },
};
/* clang-format on */

const struct jail_profile profile_compile = {
    .name = "s3n-optimise",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .descriptors_max = 8,
};
