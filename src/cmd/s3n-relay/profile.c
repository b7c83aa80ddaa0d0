/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-relay/relay_profile.h"

#include "base/jail_calls.h"

#include <sys/socket.h>

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_IPC,
    JAIL_CALLS_CLOCKS,
    JAIL_CALLS_HTTP_CLIENT,
    { SCMP_SYS(openat), "what libcurl looks for is not there", .refuse_errno = ENOENT },
    { SCMP_SYS(access), "the same", .refuse_errno = ENOENT },
};
/* clang-format on */

const struct jail_profile relay_profile = {
    .name = "s3n-relay",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .keep_network = true,
    .memory_max = 512 << 20,
    .file_size_max = UINT64_MAX, /* logs may go to a file */
    .descriptors_max = 32,
};
