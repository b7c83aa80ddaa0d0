/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for jail profiles that more than one program needs:
 *     static const struct jail_call calls[] = { JAIL_CALLS_PROCESS, JAIL_CALLS_MEMORY, ... };
 * Each is a plain list of struct jail_call; a program adds rows of its own. */
#ifndef BASE_JAIL_CALLS_H
#define BASE_JAIL_CALLS_H

#include "base/jail.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

/* clang-format off */

/* To run and to end. */
#define JAIL_CALLS_PROCESS                                                                         \
    { SCMP_SYS(exit), "a thread ends" },                                                           \
    { SCMP_SYS(exit_group), "the process ends" },                                                  \
    { SCMP_SYS(rt_sigreturn), "returning from a signal handler" },                                 \
    { SCMP_SYS(rt_sigprocmask), "abort() and thread start block signals" },                        \
    { SCMP_SYS(rt_sigaction), "abort() restores the default action" },                             \
    { SCMP_SYS(getpid), "abort() signals itself" },                                                \
    { SCMP_SYS(gettid), "abort() signals itself" },                                                \
    { SCMP_SYS(tgkill), "abort() signals itself, and nobody else", true, 0, UINT32_MAX, 0, true }, \
    { SCMP_SYS(futex), "locks" },                                                                  \
    { SCMP_SYS(restart_syscall), "the kernel resumes an interrupted wait" },                       \
    { SCMP_SYS(clock_gettime), "clocks where the vDSO has no fast path" },                         \
    { SCMP_SYS(getrandom), "random bytes, malloc's own included" }

/* Memory that is never executable. */
#define JAIL_CALLS_MEMORY                                                                          \
    { SCMP_SYS(brk), "malloc" },                                                                   \
    { SCMP_SYS(mmap), "malloc; never executable", true, 2, PROT_EXEC, 0 },                         \
    { SCMP_SYS(mprotect), "malloc and stacks; never executable", true, 2, PROT_EXEC, 0 },          \
    { SCMP_SYS(munmap), "free" },                                                                  \
    { SCMP_SYS(mremap), "realloc" },                                                               \
    { SCMP_SYS(madvise), "free gives pages back" }

/* Descriptors that are open already. */
#define JAIL_CALLS_DESCRIPTORS                                                                     \
    { SCMP_SYS(read), "open descriptors" },                                                        \
    { SCMP_SYS(readv), "open descriptors" },                                                       \
    { SCMP_SYS(write), "open descriptors, logs" },                                                 \
    { SCMP_SYS(writev), "open descriptors, assertion messages" },                                  \
    { SCMP_SYS(close), "open descriptors" },                                                       \
    { SCMP_SYS(fstat), "size of an open file" },                                                   \
    { SCMP_SYS(newfstatat), "fstat of newer C libraries; there is no file to name" },              \
    { SCMP_SYS(lseek), "position in an open file" },                                               \
    { SCMP_SYS(poll), "waiting for a descriptor" },                                                \
    { SCMP_SYS(fcntl), "flags and duplicates of open descriptors" }

/* base/ipc: messages with descriptors over sockets that are open already. */
#define JAIL_CALLS_IPC                                                                             \
    { SCMP_SYS(sendmsg), "framed messages" },                                                      \
    { SCMP_SYS(recvmsg), "framed messages" }

/* Libraries that ask for the time in old ways, where the vDSO has no clock (some hypervisors). */
#define JAIL_CALLS_CLOCKS                                                                          \
    { SCMP_SYS(time), "clocks where the vDSO has no fast path" },                                  \
    { SCMP_SYS(gettimeofday), "the same" }

/* Errands of one process that asks others over HTTP with libcurl (net/fetch.h). */
#define JAIL_CALLS_HTTP_CLIENT \
    { SCMP_SYS(socket), "connections to others", true, 0, UINT32_MAX, AF_INET }, \
    { SCMP_SYS(socket), "the same", true, 0, UINT32_MAX, AF_INET6 }, \
    { SCMP_SYS(connect), "the same" }, \
    { SCMP_SYS(getsockopt), "whether one is connected" }, \
    { SCMP_SYS(setsockopt), "no delay" }, \
    { SCMP_SYS(getsockname), "libcurl notes both ends" }, \
    { SCMP_SYS(getpeername), "the same" }, \
    { SCMP_SYS(sendto), "requests" }, \
    { SCMP_SYS(recvfrom), "answers" }, \
    { SCMP_SYS(shutdown), "connections end" }, \
    { SCMP_SYS(ioctl), "non-blocking sockets" }, \
    { SCMP_SYS(socketpair), "libcurl's way to wake itself" }, \
    { SCMP_SYS(pipe2), "the same" }, \
    { SCMP_SYS(eventfd2), "the same" }, \
    { SCMP_SYS(geteuid), "OpenSSL asks who it is" }, \
    { SCMP_SYS(getuid), "the same" }, \
    { SCMP_SYS(uname), "libcurl" }

/* Threads, not processes: clone3 hides its flags in memory, so the C library is sent back to clone. */
#define JAIL_CALLS_THREADS                                                                         \
    { SCMP_SYS(clone), "a thread starts", true, 0, CLONE_THREAD, CLONE_THREAD },                   \
    { SCMP_SYS(clone3), "the C library falls back to clone", .refuse_errno = ENOSYS },             \
    { SCMP_SYS(set_robust_list), "a thread starts" },                                              \
    { SCMP_SYS(rseq), "a thread starts" },                                                         \
    { SCMP_SYS(sched_yield), "spinning locks" },                                                   \
    { SCMP_SYS(sched_getaffinity), "malloc counts the cores" }

/* For jail_narrow. */
#define JAIL_CALL_NARROW                                                                           \
    { SCMP_SYS(seccomp), "a narrower filter", true, 0, UINT64_MAX, SECCOMP_SET_MODE_FILTER }

/* clang-format on */

#endif
