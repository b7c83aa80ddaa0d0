/* SPDX-License-Identifier: Apache-2.0 */
/* What a jailed slipstream may ask of the kernel. */
#include "cmd/slipstream/slipstream.h"

#include "base/jail_calls.h"

#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* clang-format off */
#define ARGUMENT(number, value) true, number, UINT64_MAX, (uint64_t)(value)
#define ONLY(request)           ARGUMENT(1, request)
#define PROFILE_CALLS                                                                              \
    { SCMP_SYS(ioctl), "enter a micro-VM", ONLY(KVM_RUN) },                                        \
    { SCMP_SYS(ioctl), "make a micro-VM", ONLY(KVM_CREATE_VM) },                                   \
    { SCMP_SYS(ioctl), "make its vCPU", ONLY(KVM_CREATE_VCPU) },                                   \
    { SCMP_SYS(ioctl), "give it memory", ONLY(KVM_SET_USER_MEMORY_REGION) },                       \
    { SCMP_SYS(ioctl), "set its processor's features", ONLY(KVM_SET_CPUID2) },                     \
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
    JAIL_CALL_NARROW,
    PROFILE_CALLS,
};

/* What a worker does without any guest: loads programs, and makes cells. */
#define MAKER_CALLS                                                                                \
    { SCMP_SYS(pread64), "the header of the channel's memory" },                                   \
    { SCMP_SYS(openat), "malloc of a thread asks /proc about overcommitment; there is no /proc",   \
      .refuse_errno = ENOENT },                                                                    \
    { SCMP_SYS(clone), "a cell: a process, without new namespaces", true, 0, UINT32_MAX,           \
      CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD },                                       \
    { SCMP_SYS(prctl), "a cell dies with its worker", ARGUMENT(0, PR_SET_PDEATHSIG) },             \
    { SCMP_SYS(getppid), "whether a new cell's worker is still there" },                           \
    { SCMP_SYS(wait4), "a cell ends" },                                                            \
    { SCMP_SYS(waitid), "whether a cell has ended" },                                              \
    { SCMP_SYS(kill), "a cell is ended", ARGUMENT(1, SIGKILL) },                                   \
    { SCMP_SYS(socketpair), "a blank is told its lane", ARGUMENT(0, AF_UNIX) },                    \
    { SCMP_SYS(pipe2), "a cell gives its lane back" },                                             \
    { SCMP_SYS(dup2), "a cell keeps few descriptors" },                                            \
    { SCMP_SYS(close_range), "and closes the others" },                                            \
    JAIL_CALLS_IPC,                                                                                \
    JAIL_CALLS_THREADS

static const struct jail_call worker_calls[] = {
    PROFILE_CALLS,
    JAIL_CALL_NARROW,
    MAKER_CALLS,
};

/* The process backend. */
#define PROCESS_CALLS                                                                              \
    { SCMP_SYS(mprotect), "compiled code becomes executable, and stays read-only", true, 2,       \
      UINT64_MAX, PROT_READ | PROT_EXEC },                                                         \
    { SCMP_SYS(sigaltstack), "faults of the guest have a stack of their own" },                    \
    { SCMP_SYS(timer_create), "the time limit of invocations" },                                   \
    { SCMP_SYS(timer_settime), "the time limit of an invocation" },                                \
    { SCMP_SYS(clock_nanosleep), "the guest sleeps" },                                             \
    JAIL_CALL_NARROW,                                                                              \
    JAIL_CALLS_PROCESS,                                                                            \
    JAIL_CALLS_MEMORY,                                                                             \
    JAIL_CALLS_DESCRIPTORS

static const struct jail_call run_process_calls[] = {
    PROCESS_CALLS,
};

/* While a guest runs, in this address space or in a micro-VM.  Nothing here opens, makes or reaches
 * anything. */
#define RUN_GUEST_CALLS                                                                            \
    { SCMP_SYS(read), "standard input" },                                                          \
    { SCMP_SYS(poll), "standard input, with a time limit" },                                       \
    { SCMP_SYS(write), "standard output, and messages" },                                          \
    { SCMP_SYS(rt_sigreturn), "returning from a fault or the timer" },                             \
    { SCMP_SYS(timer_settime), "the time limit" },                                                 \
    { SCMP_SYS(clock_nanosleep), "the guest sleeps" },                                             \
    { SCMP_SYS(getrandom), "the guest's random numbers" },                                         \
    { SCMP_SYS(mmap), "the snapshot after a start function; never executable", true, 2, PROT_EXEC, 0 },\
    { SCMP_SYS(mprotect), "memory grows; never executable", true, 2, PROT_EXEC, 0 },               \
    { SCMP_SYS(madvise), "memory is given back" },                                                 \
    { SCMP_SYS(munmap), "the snapshot of before" },                                                \
    { SCMP_SYS(brk), "malloc" },                                                                   \
    { SCMP_SYS(restart_syscall), "the kernel resumes an interrupted wait" },                       \
    { SCMP_SYS(clock_gettime), "clocks where the vDSO has no fast path" },                         \
    { SCMP_SYS(exit_group), "the end" }

static const struct jail_call run_guest_calls[] = {
    RUN_GUEST_CALLS,
};

static const struct jail_call run_guest_kvm_calls[] = {
    { SCMP_SYS(ioctl), "enter the micro-VM", ONLY(KVM_RUN) },
    { SCMP_SYS(ioctl), "memory grows", ONLY(KVM_SET_USER_MEMORY_REGION) },
    RUN_GUEST_CALLS,
};

static const struct jail_call worker_process_calls[] = {
    PROCESS_CALLS,
    MAKER_CALLS,
};

/* All that a process can do with guest code inside: at most twelve calls. */
static const struct jail_call cell_calls[] = {
    { SCMP_SYS(futex), "waits for invocations, and for its turn" },
    { SCMP_SYS(write), "wakes the server; gives the lane back" },
    { SCMP_SYS(rt_sigreturn), "returning from a fault or the timer" },
    { SCMP_SYS(timer_settime), "the time limit" },
    { SCMP_SYS(clock_nanosleep), "the guest sleeps" },
    { SCMP_SYS(getrandom), "the guest's random numbers" },
    { SCMP_SYS(mprotect), "memory grows, pages are tracked; never executable", true, 2, PROT_EXEC, 0 },
    { SCMP_SYS(madvise), "memory is given back" },
    { SCMP_SYS(munmap), "free" },
    { SCMP_SYS(restart_syscall), "the kernel resumes an interrupted wait" },
    { SCMP_SYS(clock_gettime), "clocks where the vDSO has no fast path" },
    { SCMP_SYS(exit_group), "the end" },
};
_Static_assert(ARRAY_COUNT(cell_calls) <= 12, "the promise of docs/jail.md");

/* All that a process can do once it enters a micro-VM; its machine is made before. */
static const struct jail_call cell_kvm_calls[] = {
    { SCMP_SYS(ioctl), "enter the micro-VM", ONLY(KVM_RUN) },
    { SCMP_SYS(ioctl), "memory grows", ONLY(KVM_SET_USER_MEMORY_REGION) },
    { SCMP_SYS(futex), "waits for invocations, and for its turn" },
    { SCMP_SYS(write), "wakes the server; gives the lane back" },
    { SCMP_SYS(rt_sigreturn), "returning from the timer" },
    { SCMP_SYS(timer_settime), "the time limit" },
    { SCMP_SYS(clock_nanosleep), "the guest sleeps" },
    { SCMP_SYS(getrandom), "the guest's random numbers" },
    { SCMP_SYS(mprotect), "KVM forgets its shadow; never executable", true, 2, PROT_EXEC, 0 },
    { SCMP_SYS(madvise), "memory is given back" },
    { SCMP_SYS(restart_syscall), "the kernel resumes an interrupted wait" },
    { SCMP_SYS(clock_gettime), "clocks where the vDSO has no fast path" },
    { SCMP_SYS(exit_group), "the end" },
};
/* clang-format on */

const struct jail_profile profile_worker_process = {
    .name = "slipstream --worker (process)",
    .calls = worker_process_calls,
    .call_count = ARRAY_COUNT(worker_process_calls),
    .file_size_max = UINT64_MAX, /* logs may go to a file */
};

const struct jail_profile profile_cell = {
    .name = "slipstream --worker (cell)",
    .calls = cell_calls,
    .call_count = ARRAY_COUNT(cell_calls),
    .file_size_max = UINT64_MAX,
};

const struct jail_profile profile_cell_kvm = {
    .name = "slipstream --worker (cell with a micro-VM)",
    .calls = cell_kvm_calls,
    .call_count = ARRAY_COUNT(cell_kvm_calls),
    .file_size_max = UINT64_MAX,
};

const struct jail_profile profile_run_process = {
    .name = "slipstream --run (process)",
    .calls = run_process_calls,
    .call_count = ARRAY_COUNT(run_process_calls),
    .file_size_max = UINT64_MAX, /* stdout may be a file */
};

const struct jail_profile profile_run_guest = {
    .name = "slipstream --run (guest)",
    .calls = run_guest_calls,
    .call_count = ARRAY_COUNT(run_guest_calls),
    .file_size_max = UINT64_MAX,
};

const struct jail_profile profile_run_guest_kvm = {
    .name = "slipstream --run (guest in a micro-VM)",
    .calls = run_guest_kvm_calls,
    .call_count = ARRAY_COUNT(run_guest_kvm_calls),
    .file_size_max = UINT64_MAX,
};

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
