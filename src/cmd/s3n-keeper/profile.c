/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-keeper/keeper_profile.h"

#include "base/jail_calls.h"

static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_CLOCKS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_IPC,
    { SCMP_SYS(poll), "wait for the next request" },
    { SCMP_SYS(close), "the connection, and descriptors that a request should not have brought" },
    { SCMP_SYS(write), "logs" },
    { SCMP_SYS(writev), "assertion messages" },
    { SCMP_SYS(fcntl), "is the socket blocking?" },
};

const struct jail_profile keeper_profile = {
    .name = "s3n-keeper",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .memory_max = 512 << 20,
    .file_size_max = UINT64_MAX, /* logs may go to a file */
    .descriptors_max = 32,
};
