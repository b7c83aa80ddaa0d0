/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler may ask of the kernel: memory, and its three streams. */
#include "cmd/s3n-compile/profile.h"

#include "base/jail_calls.h"

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
};
/* clang-format on */

const struct jail_profile profile_compile = {
    .name = "s3n-compile",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .descriptors_max = 8,
};
