/* SPDX-License-Identifier: Apache-2.0 */
/* What a jailed slipstream may ask of the kernel. */
#include "cmd/slipstream/slipstream.h"

#include "base/jail_calls.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

/* clang-format off */
#define ONLY(request) true, 1, UINT64_MAX, (uint64_t)(request)
#define PROFILE_CALLS                                                                              \
    { SCMP_SYS(ioctl), "enter a micro-VM", ONLY(KVM_RUN) },                                        \
    { SCMP_SYS(ioctl), "make a micro-VM", ONLY(KVM_CREATE_VM) },                                   \
    { SCMP_SYS(ioctl), "make its vCPU", ONLY(KVM_CREATE_VCPU) },                                   \
    { SCMP_SYS(ioctl), "give it memory", ONLY(KVM_SET_USER_MEMORY_REGION) },                       \
    { SCMP_SYS(ioctl), "set its processor's features", ONLY(KVM_SET_CPUID2) },                     \
    { SCMP_SYS(ioctl), "read its registers, the fault's address among them", ONLY(KVM_GET_SREGS) },\
    { SCMP_SYS(ioctl), "set its first registers", ONLY(KVM_SET_SREGS) },                           \
    { SCMP_SYS(ioctl), "switch its vector registers on", ONLY(KVM_SET_XCRS) },                     \
    { SCMP_SYS(ioctl), "share the time stamp counter", ONLY(KVM_SET_DEVICE_ATTR) },                \
    { SCMP_SYS(ioctl), "how fast that counter runs", ONLY(KVM_GET_TSC_KHZ) },                      \
    { SCMP_SYS(timer_create), "the time limit of a thread's invocations" },                        \
    { SCMP_SYS(timer_settime), "the time limit of an invocation" },                                \
    { SCMP_SYS(timer_delete), "a thread ends" },                                                   \
    { SCMP_SYS(clock_nanosleep), "the guest sleeps" },                                             \
    JAIL_CALLS_PROCESS,                                                                            \
    JAIL_CALLS_MEMORY,                                                                             \
    JAIL_CALLS_DESCRIPTORS

static const struct jail_call run_calls[] = {
    PROFILE_CALLS,
};

static const struct jail_call worker_calls[] = {
    PROFILE_CALLS,
    { SCMP_SYS(pread64), "the header of the channel's memory" },
    { SCMP_SYS(openat), "malloc of a thread asks /proc about overcommitment; there is no /proc",
      .refuse_errno = ENOENT },
    JAIL_CALLS_IPC,
    JAIL_CALLS_THREADS,
};
/* clang-format on */

const struct jail_profile profile_run = {
    .name = "slipstream --run",
    .calls = run_calls,
    .call_count = ARRAY_COUNT(run_calls),
    .file_size_max = UINT64_MAX, /* stdout may be a file */
};

const struct jail_profile profile_worker = {
    .name = "slipstream --worker",
    .calls = worker_calls,
    .call_count = ARRAY_COUNT(worker_calls),
    .file_size_max = UINT64_MAX, /* logs may go to a file */
};
