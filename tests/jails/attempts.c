/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/jails/attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define CALL(number, ...) (syscall(SYS_##number, ##__VA_ARGS__) >= 0)

#define ATTEMPT(name) static bool name(const struct targets *targets __attribute__((unused)))

/* --- files */
ATTEMPT(open_passwords)
{
    return CALL(open, "/etc/passwd", O_RDONLY);
}
ATTEMPT(open_key_file)
{
    return CALL(open, targets->file, O_RDONLY);
}
ATTEMPT(open_upwards)
{
    return CALL(openat, AT_FDCWD, "../../../../../../etc/passwd", O_RDONLY);
}
ATTEMPT(create_file)
{
    return CALL(open, "/left-behind", O_RDWR | O_CREAT, 0600);
}
ATTEMPT(make_folder)
{
    return CALL(mkdir, "/left-behind", 0700);
}
ATTEMPT(make_device)
{
    return CALL(mknod, "/kmem", S_IFCHR | 0600, 0x102);
}
ATTEMPT(read_own_environment)
{
    return CALL(open, "/proc/self/environ", O_RDONLY);
}
ATTEMPT(find_own_program)
{
    char path[64];
    return CALL(readlink, "/proc/self/exe", path, sizeof(path));
}
ATTEMPT(open_kvm)
{
    return CALL(open, "/dev/kvm", O_RDWR);
}
ATTEMPT(open_memory_device)
{
    return CALL(open, "/dev/mem", O_RDWR);
}
ATTEMPT(open_by_handle)
{
    struct {
        unsigned size;
        int type;
        uint8_t handle[8];
    } handle = { 8, 1, { 2 } };
    return CALL(open_by_handle_at, AT_FDCWD, &handle, O_RDONLY);
}
ATTEMPT(change_root)
{
    return CALL(chroot, "/");
}
ATTEMPT(mount_proc)
{
    return CALL(mount, "proc", "/", "proc", 0, NULL);
}
ATTEMPT(unmount_root)
{
    return CALL(umount2, "/", MNT_DETACH);
}
ATTEMPT(pivot)
{
    return CALL(pivot_root, ".", ".");
}
ATTEMPT(open_mount)
{
    return CALL(fsopen, "proc", 0);
}

/* --- network */
static bool connects(int family, int type, const void *address, socklen_t size)
{
    int made = (int)syscall(SYS_socket, family, type, 0);
    return made >= 0 && CALL(connect, made, address, size);
}
ATTEMPT(connect_loopback)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(targets->port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    return connects(AF_INET, SOCK_STREAM, &address, sizeof(address));
}
ATTEMPT(send_outside)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(53),
                                   .sin_addr = { htonl(0x01010101) } };
    return connects(AF_INET, SOCK_DGRAM, &address, sizeof(address));
}
ATTEMPT(connect_abstract)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = strlen(targets->socket);
    memcpy(address.sun_path + 1, targets->socket, size);
    return connects(AF_UNIX, SOCK_STREAM, &address,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size));
}
ATTEMPT(capture_packets)
{
    return CALL(socket, AF_PACKET, SOCK_RAW, 0);
}
ATTEMPT(raw_socket)
{
    return CALL(socket, AF_INET, SOCK_RAW, 1);
}

/* --- other processes */
ATTEMPT(read_memory_file)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", targets->victim);
    return CALL(open, path, O_RDONLY);
}
ATTEMPT(trace_victim)
{
    return CALL(ptrace, PTRACE_SEIZE, targets->victim, 0, 0);
}
static bool moves(long number, const struct targets *targets)
{
    uint64_t held = 0;
    struct iovec here = { &held, sizeof(held) },
                 there = { (void *)(uintptr_t)targets->secret_at, sizeof(held) };
    return syscall(number, targets->victim, &here, 1, &there, 1, 0) > 0;
}
ATTEMPT(read_victim)
{
    return moves(SYS_process_vm_readv, targets);
}
ATTEMPT(write_victim)
{
    return moves(SYS_process_vm_writev, targets);
}
ATTEMPT(take_descriptor)
{
    long victim = syscall(SYS_pidfd_open, targets->victim, 0);
    return victim >= 0 && CALL(pidfd_getfd, victim, targets->victim_descriptor, 0);
}
ATTEMPT(compare_memory)
{
    return CALL(kcmp, targets->victim, getpid(), 1, 0, 0);
}
ATTEMPT(kill_victim)
{
    return CALL(kill, targets->victim, SIGTERM);
}
ATTEMPT(kill_thread)
{
    return CALL(tgkill, targets->victim, targets->victim, SIGTERM);
}
ATTEMPT(queue_signal)
{
    siginfo_t info = { .si_code = SI_QUEUE };
    return CALL(rt_sigqueueinfo, targets->victim, SIGTERM, &info);
}
ATTEMPT(limit_victim)
{
    struct rlimit limit;
    return CALL(prlimit64, targets->victim, RLIMIT_CPU, NULL, &limit);
}
ATTEMPT(slow_victim)
{
    return CALL(setpriority, PRIO_PROCESS, targets->victim, 19);
}
ATTEMPT(move_victim)
{
    uint64_t mask = 1;
    return CALL(sched_setaffinity, targets->victim, sizeof(mask), &mask);
}
ATTEMPT(pages_of_victim)
{
    void *page = (void *)(uintptr_t)targets->secret_at;
    int status;
    return CALL(move_pages, targets->victim, 1, &page, NULL, &status, 0);
}
ATTEMPT(attach_shared_memory)
{
    return CALL(shmat, targets->shared_memory, NULL, SHM_RDONLY);
}
ATTEMPT(fork_process)
{
    long child = syscall(SYS_fork);
    if (child == 0)
        _exit(0);
    return child > 0;
}
ATTEMPT(execute_shell)
{
    char *const words[] = { NULL };
    return CALL(execve, "/bin/sh", words, words);
}
ATTEMPT(execute_memory)
{
    char *const words[] = { NULL };
    long file = syscall(SYS_memfd_create, "program", 0);
    return file >= 0 && write((int)file, "#!/bin/sh\n", 10) == 10 &&
           CALL(execveat, file, "", words, words, AT_EMPTY_PATH);
}

/* --- executable memory */
ATTEMPT(map_executable)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}
ATTEMPT(make_writable_executable)
{
    static char page[8192] __attribute__((aligned(4096)));
    return CALL(mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* --- privileges */
ATTEMPT(become_root)
{
    return CALL(setuid, 0);
}
ATTEMPT(join_groups)
{
    gid_t group = 0;
    return CALL(setgroups, 1, &group);
}
ATTEMPT(raise_capabilities)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct all[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };
    return CALL(capset, &header, all);
}
ATTEMPT(new_namespaces)
{
    return CALL(unshare, CLONE_NEWNS | CLONE_NEWNET);
}
ATTEMPT(load_program_into_kernel)
{
    uint8_t attributes[128] = { 1 };
    return CALL(bpf, 5, attributes, sizeof(attributes));
}
ATTEMPT(watch_kernel)
{
    uint8_t attributes[128] = { 1, 0, 0, 0, 128 };
    return CALL(perf_event_open, attributes, -1, 0, -1, 0);
}
ATTEMPT(load_module)
{
    return CALL(init_module, NULL, 0, "");
}
ATTEMPT(replace_kernel)
{
    return CALL(kexec_load, 0, 0, NULL, 0);
}
ATTEMPT(restart_machine)
{
    return CALL(reboot, 0xfee1dead, 672274793, 0, NULL);
}
ATTEMPT(set_clock)
{
    struct timeval now = { .tv_sec = 1000000000 };
    return CALL(settimeofday, &now, NULL);
}
ATTEMPT(rename_machine)
{
    return CALL(sethostname, "mine", 4);
}
ATTEMPT(use_ports)
{
    return CALL(iopl, 3);
}
ATTEMPT(read_kernel_log)
{
    char text[64];
    return CALL(syslog, 3, text, sizeof(text));
}
ATTEMPT(be_dumpable)
{
    return CALL(prctl, PR_SET_DUMPABLE, 1) && CALL(open, "/proc/self/mem", O_RDWR);
}

/* --- descriptors: the standard streams, and its own socket as 3 */
ATTEMPT(find_descriptors)
{
    for (int number = 4; number < 1024; number++)
        if (fcntl(number, F_GETFD) >= 0)
            return true;
    return false;
}

const struct attempt attempts[] = {
    { "open /etc/passwd", open_passwords, 0 },
    { "open a key file that everyone may read", open_key_file, 0 },
    { "open upwards", open_upwards, 0 },
    { "create a file", create_file, 0 },
    { "make a folder", make_folder, 0 },
    { "make a device", make_device, 0 },
    { "read /proc/self/environ", read_own_environment, 0 },
    { "find its own program", find_own_program, 0 },
    { "open /dev/kvm anew", open_kvm, 0 },
    { "open /dev/mem", open_memory_device, 0 },
    { "open a file by its handle", open_by_handle, 0 },
    { "change the root", change_root, 0 },
    { "mount /proc", mount_proc, 0 },
    { "unmount the root", unmount_root, 0 },
    { "pivot the root", pivot, 0 },
    { "make a file system", open_mount, 0 },
    { "connect to 127.0.0.1", connect_loopback, 0 },
    { "send outside", send_outside, 0 },
    { "connect to an abstract socket", connect_abstract, 0 },
    { "capture packets", capture_packets, 0 },
    { "open a raw socket", raw_socket, 0 },
    { "open another process's memory", read_memory_file, 0 },
    { "trace another process", trace_victim, 0 },
    { "read another process's memory", read_victim, 0 },
    { "write another process's memory", write_victim, 0 },
    { "take another process's descriptor", take_descriptor, 0 },
    { "compare with another process", compare_memory, 0 },
    { "signal another process", kill_victim, ATTEMPT_FILTER_ALONE_USER },
    { "signal another thread", kill_thread, ATTEMPT_FILTER_ALONE },
    { "queue a signal", queue_signal, ATTEMPT_FILTER_ALONE_USER },
    { "read another process's limits", limit_victim, ATTEMPT_FILTER_ALONE_USER },
    { "slow another process", slow_victim, ATTEMPT_FILTER_ALONE_USER },
    { "move another process", move_victim, ATTEMPT_FILTER_ALONE_USER },
    { "see another process's pages", pages_of_victim, 0 },
    { "attach shared memory", attach_shared_memory, 0 },
    { "fork", fork_process, ATTEMPT_FILTER_ALONE },
    { "execute a shell", execute_shell, 0 },
    { "execute memory", execute_memory, ATTEMPT_FILTER_ALONE },
    { "map executable memory", map_executable, ATTEMPT_FILTER_ALONE },
    { "make memory executable", make_writable_executable, ATTEMPT_FILTER_ALONE },
    { "become root", become_root, 0 },
    { "join groups", join_groups, 0 },
    { "raise capabilities", raise_capabilities, 0 },
    { "make namespaces", new_namespaces, 0 },
    { "load a program into the kernel", load_program_into_kernel, 0 },
    { "watch the kernel", watch_kernel, ATTEMPT_FILTER_ALONE },
    { "load a module", load_module, 0 },
    { "replace the kernel", replace_kernel, 0 },
    { "restart the machine", restart_machine, 0 },
    { "set the clock", set_clock, 0 },
    { "rename the machine", rename_machine, 0 },
    { "use ports", use_ports, 0 },
    { "read the kernel's log", read_kernel_log, ATTEMPT_FILTER_ALONE },
    { "open its own memory for writing", be_dumpable, 0 },
    { "find a descriptor it should not have", find_descriptors, 0 },
};
const unsigned attempt_count = sizeof(attempts) / sizeof(attempts[0]);
