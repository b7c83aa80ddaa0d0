/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-outbound/outbound_profile.h"

#include "base/jail_calls.h"

#include <sys/socket.h>

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_IPC,
    JAIL_CALLS_CLOCKS,
    { SCMP_SYS(socket), "connections to servers, questions to name servers", true, 0, UINT32_MAX, AF_INET },
    { SCMP_SYS(socket), "the same", true, 0, UINT32_MAX, AF_INET6 },
    { SCMP_SYS(connect), "the same" },
    { SCMP_SYS(getsockopt), "whether one is connected" },
    { SCMP_SYS(setsockopt), "no delay" },
    { SCMP_SYS(getsockname), "libcurl notes both ends" },
    { SCMP_SYS(getpeername), "the same" },
    { SCMP_SYS(sendto), "TLS, requests, questions" },
    { SCMP_SYS(recvfrom), "their answers" },
    { SCMP_SYS(shutdown), "TLS ends" },
    { SCMP_SYS(ioctl), "non-blocking sockets" },
    { SCMP_SYS(socketpair), "libcurl's way to wake itself" },
    { SCMP_SYS(pipe2), "the same" },
    { SCMP_SYS(eventfd2), "the same" },
    { SCMP_SYS(geteuid), "OpenSSL asks who it is" },
    { SCMP_SYS(getuid), "the same" },
    { SCMP_SYS(uname), "libcurl" },
    { SCMP_SYS(openat), "what libraries look for is not there", .refuse_errno = ENOENT },
    { SCMP_SYS(access), "the same", .refuse_errno = ENOENT },
};
/* clang-format on */

const struct jail_profile outbound_profile = {
    .name = "s3n-outbound",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .keep_network = true,
    .memory_max = 768 << 20,
    .file_size_max = UINT64_MAX, /* logs may go to a file */
    .descriptors_max = 512,
};
