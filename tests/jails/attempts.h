/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody tries who has taken over a jailed process.  Each attempt returns true when it got
 * somewhere it must not. */
#ifndef TESTS_JAILS_ATTEMPTS_H
#define TESTS_JAILS_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What there is to get at, outside. */
struct targets {
    pid_t victim;          /* a process that runs beside it, as another worker or s3nd does */
    uint64_t secret_at;    /* in its memory */
    int victim_descriptor; /* open in it */
    uint16_t port;         /* on 127.0.0.1, somebody listens */
    char socket[64];       /* name of an abstract Unix socket, somebody listens */
    char file[256];        /* can be read by everyone, and holds a key */
    int shared_memory;     /* System V segment of everyone */
};

enum {
    ATTEMPT_FILTER_ALONE = 1,      /* nothing but the system-call filter forbids it */
    ATTEMPT_FILTER_ALONE_USER = 2, /* the same, to processes of the same ordinary user */
};

struct attempt {
    const char *name;
    bool (*run)(const struct targets *targets);
    unsigned flags;
};

extern const struct attempt attempts[];
extern const unsigned attempt_count;

/* Rows for a filter that lets all of them through, to test the other walls alone. */
/* clang-format off */
#define ATTEMPT_CALLS \
    { SCMP_SYS(open), "attempt" },\
    { SCMP_SYS(openat), "attempt" },\
    { SCMP_SYS(creat), "attempt" },\
    { SCMP_SYS(mkdir), "attempt" },\
    { SCMP_SYS(readlink), "attempt" },\
    { SCMP_SYS(chdir), "attempt" },\
    { SCMP_SYS(chroot), "attempt" },\
    { SCMP_SYS(mount), "attempt" },\
    { SCMP_SYS(umount2), "attempt" },\
    { SCMP_SYS(pivot_root), "attempt" },\
    { SCMP_SYS(open_by_handle_at), "attempt" },\
    { SCMP_SYS(open_tree), "attempt" },\
    { SCMP_SYS(fsopen), "attempt" },\
    { SCMP_SYS(socket), "attempt" },\
    { SCMP_SYS(connect), "attempt" },\
    { SCMP_SYS(bind), "attempt" },\
    { SCMP_SYS(kill), "attempt" },\
    { SCMP_SYS(rt_sigqueueinfo), "attempt" },\
    { SCMP_SYS(ptrace), "attempt" },\
    { SCMP_SYS(process_vm_readv), "attempt" },\
    { SCMP_SYS(process_vm_writev), "attempt" },\
    { SCMP_SYS(pidfd_open), "attempt" },\
    { SCMP_SYS(pidfd_getfd), "attempt" },\
    { SCMP_SYS(kcmp), "attempt" },\
    { SCMP_SYS(prlimit64), "attempt" },\
    { SCMP_SYS(setpriority), "attempt" },\
    { SCMP_SYS(sched_setaffinity), "attempt" },\
    { SCMP_SYS(move_pages), "attempt" },\
    { SCMP_SYS(process_madvise), "attempt" },\
    { SCMP_SYS(shmget), "attempt" },\
    { SCMP_SYS(shmat), "attempt" },\
    { SCMP_SYS(mq_open), "attempt" },\
    { SCMP_SYS(setuid), "attempt" },\
    { SCMP_SYS(setgroups), "attempt" },\
    { SCMP_SYS(capset), "attempt" },\
    { SCMP_SYS(unshare), "attempt" },\
    { SCMP_SYS(setns), "attempt" },\
    { SCMP_SYS(bpf), "attempt" },\
    { SCMP_SYS(perf_event_open), "attempt" },\
    { SCMP_SYS(init_module), "attempt" },\
    { SCMP_SYS(kexec_load), "attempt" },\
    { SCMP_SYS(reboot), "attempt" },\
    { SCMP_SYS(swapon), "attempt" },\
    { SCMP_SYS(settimeofday), "attempt" },\
    { SCMP_SYS(sethostname), "attempt" },\
    { SCMP_SYS(iopl), "attempt" },\
    { SCMP_SYS(acct), "attempt" },\
    { SCMP_SYS(quotactl), "attempt" },\
    { SCMP_SYS(execve), "attempt" },\
    { SCMP_SYS(execveat), "attempt" },\
    { SCMP_SYS(prctl), "attempt" },\
    { SCMP_SYS(mknod), "attempt" },\
    { SCMP_SYS(name_to_handle_at), "attempt" },\
    { SCMP_SYS(syslog), "attempt" }
/* clang-format on */

#endif
