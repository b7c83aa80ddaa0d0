/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n-keeper/keeper_profile.h"

#include "base/jail_calls.h"

#include <sys/socket.h>

/* clang-format off */
#define KEEPER_CALLS                                                                               \
    JAIL_CALLS_PROCESS, JAIL_CALLS_CLOCKS, JAIL_CALLS_MEMORY, JAIL_CALLS_IPC,                      \
    { SCMP_SYS(poll), "wait for the next request" },                                               \
    { SCMP_SYS(close), "the connection, and descriptors that a request should not have brought" }, \
    { SCMP_SYS(pread64), "registers of run-time events" },                                         \
    { SCMP_SYS(pwrite64), "the event log, and its register" },                                     \
    { SCMP_SYS(fdatasync), "the head of a store, remembered" },                                   \
    { SCMP_SYS(ftruncate), "an entry of the event log that could not be extended" },               \
    { SCMP_SYS(write), "logs" },                                                                   \
    { SCMP_SYS(writev), "assertion messages" },                                                    \
    { SCMP_SYS(mlock), "secrets stay out of the swap" },                                           \
    { SCMP_SYS(fcntl), "is the socket blocking?" }
/* clang-format on */

enum {
    NSM_RAW = 0xc0200a00,    /* the Nitro secure module's one request */
    TDX_REPORT = 0xc4405401, /* a TDREPORT */
    LOW_WORD = 0xffffffff
};

static const struct jail_call calls[] = { KEEPER_CALLS };

static const struct jail_call tee_calls[] = {
    KEEPER_CALLS,
    { SCMP_SYS(openat), "the platform's files; they are the whole root folder" },
    { SCMP_SYS(open), "the same in older C libraries" },
    { SCMP_SYS(read), "evidence" },
    { SCMP_SYS(ioctl), "/dev/nsm", true, 1, LOW_WORD, NSM_RAW },
    { SCMP_SYS(ioctl), "/dev/tdx_guest", true, 1, LOW_WORD, TDX_REPORT },
    { SCMP_SYS(socket), "the quote generation service, over vsock", true, 0, LOW_WORD, AF_VSOCK },
    { SCMP_SYS(connect), "the same" },
    { SCMP_SYS(setsockopt), "its time limit" },
    { SCMP_SYS(recvfrom), "its answer" },
    { SCMP_SYS(setitimer), "the time limit of a kernel interface" },
    { SCMP_SYS(clock_nanosleep), "while the device is busy" },
    { SCMP_SYS(nanosleep), "the same in older C libraries" },
    { SCMP_SYS(fstat), "what was opened" },
    { SCMP_SYS(newfstatat), "the same in newer C libraries" },
};

const struct jail_profile keeper_profile = {
    .name = "s3n-keeper",
    .calls = calls,
    .call_count = ARRAY_COUNT(calls),
    .memory_max = 512 << 20,
    .file_size_max = UINT64_MAX, /* logs may go to a file */
    .descriptors_max = 32,
};

const struct jail_profile keeper_tee_profile = {
    .name = "s3n-keeper",
    .calls = tee_calls,
    .call_count = ARRAY_COUNT(tee_calls),
    /* no network: vsock, the way to a quote generation service, is in no network namespace */
    .memory_max = 512 << 20,
    .file_size_max = UINT64_MAX,
    .descriptors_max = 32,
};
