/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/server_jail.h"
#include "base/jail.h"
#include "base/jail_calls.h"
#include "cmd/s3nd/launcher.h"

#include <stdio.h>

enum {
    SERVER_DESCRIPTORS_MAX = 16384
};

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_IPC,
    JAIL_CALLS_CLOCKS,
    { SCMP_SYS(epoll_create1), "event loop" },
    { SCMP_SYS(epoll_ctl), "event loop" },
    { SCMP_SYS(epoll_wait), "event loop" },
    { SCMP_SYS(epoll_pwait), "event loop" },
    { SCMP_SYS(eventfd2), "event loop; wakes workers" },
    { SCMP_SYS(pipe2), "event loop" },
    { SCMP_SYS(timerfd_create), "event loop" },
    { SCMP_SYS(accept4), "connections" },
    { SCMP_SYS(listen), "connections" },
    { SCMP_SYS(getsockname), "which address a socket has" },
    { SCMP_SYS(getpeername), "limits by peer" },
    { SCMP_SYS(getsockopt), "errors of connections" },
    { SCMP_SYS(setsockopt), "no delay, keep alive" },
    { SCMP_SYS(shutdown), "connections end" },
    { SCMP_SYS(ioctl), "non-blocking sockets, as libuv sets them" },
    { SCMP_SYS(memfd_create), "modules, images and channels for other processes" },
    { SCMP_SYS(ftruncate), "the same; the store's log" },
    { SCMP_SYS(openat), "the store, in the only folder there is" },
    { SCMP_SYS(open), "the same" },
    { SCMP_SYS(stat), "the same" },
    { SCMP_SYS(lstat), "the same" },
    { SCMP_SYS(access), "the same" },
    { SCMP_SYS(getcwd), "the same: a full path" },
    { SCMP_SYS(readlink), "the same: a full path" },
    { SCMP_SYS(unlink), "the store's log at its end" },
    { SCMP_SYS(rename), "the backup before a change of form appears whole" },
    { SCMP_SYS(fchmod), "the store's log has the store's mode" },
    { SCMP_SYS(fchown), "the same" },
    { SCMP_SYS(geteuid), "the same" },
    { SCMP_SYS(pread64), "the store" },
    { SCMP_SYS(pwrite64), "the store" },
    { SCMP_SYS(fsync), "the store: on the disk before it is acknowledged" },
    { SCMP_SYS(fdatasync), "the same" },
    { SCMP_SYS(fallocate), "the same" },
    { SCMP_SYS(flock), "one process has the store" },
    { SCMP_SYS(fstatfs), "sizes of pages of the file system" },
    { SCMP_SYS(mlock), "secrets stay out of the swap" },
    { SCMP_SYS(kill), "a worker that does not keep its time" },
    JAIL_CALLS_THREADS, /* states are written by one */
};
/* clang-format on */

bool server_jail_enter(const struct config *config, struct error *error)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s/store", config->data_folder) >= (int)sizeof(folder))
        return error_set(error, ERROR_INVALID, "the data folder's path is too long");
    struct jail_profile profile = {
        .name = "server",
        .calls = calls,
        .call_count = ARRAY_COUNT(calls),
        .keep_network = true,
        .folder = folder,
        .file_size_max = UINT64_MAX,
        .descriptors_max = SERVER_DESCRIPTORS_MAX,
    };
    uid_t uid = config->uid_base + NODE_USER_SERVER;
    return jail_enter(&profile, uid, uid, error);
}
