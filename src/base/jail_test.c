/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/jail.h"
#include "base/jail_calls.h"
#include "base/spawn.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JAIL_USER = 63099,
    ORDINARY_USER = 65534
};

/* Who the process is before it enters. */
enum who {
    WHO_ROOT,
    WHO_ROOT_IN_PIVOTED_TREE,
    WHO_ORDINARY_USER,
    WHO_USER_IN_PIVOTED_TREE,
    WHO_COUNT
};
static const char *const who_names[] = { "root", "root in a pivoted tree", "ordinary user",
                                         "ordinary user in a pivoted tree" };

static const struct jail_call strict_calls[] = { JAIL_CALLS_PROCESS, JAIL_CALLS_MEMORY,
                                                 JAIL_CALLS_DESCRIPTORS };
/* What the probes below call to see what is left. */
static const struct jail_call probing_calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_THREADS,
    { SCMP_SYS(openat), "probe: the file system" },
    { SCMP_SYS(open), "probe: the file system" },
    { SCMP_SYS(getdents64), "probe: the file system" },
    { SCMP_SYS(mkdir), "probe: the file system" },
    { SCMP_SYS(getcwd), "probe: the file system" },
    { SCMP_SYS(mount), "probe: capabilities" },
    { SCMP_SYS(capget), "probe: capabilities" },
    { SCMP_SYS(prctl), "probe: capabilities" },
    { SCMP_SYS(getuid), "probe: ids" },
    { SCMP_SYS(geteuid), "probe: ids" },
    { SCMP_SYS(getgid), "probe: ids" },
    { SCMP_SYS(getgroups), "probe: ids" },
    { SCMP_SYS(setuid), "probe: ids" },
    { SCMP_SYS(setresuid), "probe: ids" },
    { SCMP_SYS(socket), "probe: the network" },
    { SCMP_SYS(connect), "probe: the network" },
    { SCMP_SYS(ioctl), "probe: the network" },
    { SCMP_SYS(dup), "probe: limits" },
    { SCMP_SYS(clone), "probe: limits" },
    { SCMP_SYS(wait4), "probe: limits" },
    { SCMP_SYS(prlimit64), "probe: limits" },
    { SCMP_SYS(getrlimit), "probe: limits" },
    { SCMP_SYS(getppid), "probe: refused", .refuse_errno = EXDEV },
};

static const struct jail_profile strict = { .name = "strict",
                                            .calls = strict_calls,
                                            .call_count = ARRAY_COUNT(strict_calls) };
static const struct jail_profile probing = { .name = "probing",
                                             .calls = probing_calls,
                                             .call_count = ARRAY_COUNT(probing_calls),
                                             .memory_max = 1ull << 30,
                                             .cpu_seconds_max = 100,
                                             .file_size_max = 4096,
                                             .descriptors_max = 20,
                                             .processes_max = 1 };

/* A probe runs inside and returns 0, or the line that found something wrong. */
#define EXPECT(fact)                                                                               \
    do {                                                                                           \
        if (!(fact))                                                                               \
            return __LINE__;                                                                       \
    } while (0)

static bool enter_pivoted_tree(void)
{
    char *folder = strdup(test_folder());
    bool entered =
        unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("/", folder, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(folder) == 0 &&
        syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
    free(folder);
    return entered;
}

static bool become(enum who who)
{
    if (who == WHO_ROOT_IN_PIVOTED_TREE || who == WHO_USER_IN_PIVOTED_TREE) {
        if (!enter_pivoted_tree())
            return false;
    }
    if (who == WHO_ROOT || who == WHO_ROOT_IN_PIVOTED_TREE || geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           prctl(PR_SET_DUMPABLE, 1) == 0;
}

enum {
    EXIT_NOT_ENTERED = 250
};

/* Code 0: all as expected.  The error of an entry that failed is printed. */
static struct spawn_end run_inside(enum who who, const struct jail_profile *profile,
                                   int (*probe)(void))
{
    test_folder(); /* made by the parent, which removes it */
    int ends[2];
    ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        struct error error = { 0 };
        if (!become(who))
            error_system(&error, "could not become %s", who_names[who]);
        else if (jail_enter(profile, JAIL_USER, JAIL_USER, &error)) {
            int line = probe();
            ssize_t wrote = write(ends[1], &line, sizeof(line));
            _exit(wrote != sizeof(line) || line != 0);
        }
        printf("    not entered: %s\n", error.text);
        fflush(stdout);
        _exit(EXIT_NOT_ENTERED);
    }
    close(ends[1]);
    int line = 0;
    if (read(ends[0], &line, sizeof(line)) == sizeof(line) && line != 0)
        test_note("%s: line %d", who_names[who], line);
    close(ends[0]);
    int status = 0;
    ASSERT(waitpid(child, &status, 0) == child);
    return spawn_end_of_status(status);
}

static bool is_possible(enum who who)
{
    if (who != WHO_ORDINARY_USER)
        return geteuid() == 0;
    int status = 0;
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0)
        _exit(become(who) && unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    ASSERT(waitpid(child, &status, 0) == child);
    return status == 0;
}

static void check_inside(const struct jail_profile *profile, int (*probe)(void))
{
    unsigned tried = 0;
    for (int who = 0; who < WHO_COUNT; who++) {
        if (!is_possible((enum who)who))
            continue;
        tried++;
        struct spawn_end end = run_inside((enum who)who, profile, probe);
        CHECK_NOTE(!end.was_killed && end.code == 0, "%s: %s %d", who_names[who],
                   end.was_killed ? "killed by" : "exit code", end.code);
    }
    if (tried == 0)
        test_skip("neither root nor user namespaces here");
}

static void check_killed(int (*probe)(void))
{
    for (int who = 0; who < WHO_COUNT; who++) {
        if (!is_possible((enum who)who))
            continue;
        struct spawn_end end = run_inside((enum who)who, &strict, probe);
        CHECK_NOTE(spawn_end_is_forbidden_call(&end), "%s: code %d", who_names[who], end.code);
    }
}

static int probe_nothing(void)
{
    void *memory = malloc(300000);
    EXPECT(memory != NULL);
    free(memory);
    return 0;
}

static int probe_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 1;
}

static int probe_open(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno : 1;
}

static int probe_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL;
}

static int probe_made_executable(void)
{
    static char page[8192] __attribute__((aligned(4096)));
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int probe_execute(void)
{
    char *const arguments[] = { NULL };
    return execve("/bin/sh", arguments, arguments);
}

static int probe_fork(void)
{
    return fork() < 0;
}

static int probe_other_abi(void)
{
    /* getpid by the 32-bit gate: another table of calls, so the filter must refuse it whole. */
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(20) : "memory");
    return (int)result;
}

static void forbidden_calls_kill(void)
{
    check_inside(&strict, probe_nothing);
    check_killed(probe_socket);
    check_killed(probe_open);
    check_killed(probe_executable_memory);
    check_killed(probe_made_executable);
    check_killed(probe_execute);
    check_killed(probe_fork);
    check_killed(probe_other_abi);
}

static int probe_files(void)
{
    char path[PATH_MAX];
    EXPECT(getcwd(path, sizeof(path)) != NULL && strcmp(path, "/") == 0);
    EXPECT(open("/etc/passwd", O_RDONLY | O_CLOEXEC) == -1 && errno == ENOENT);
    EXPECT(open("/proc/self/status", O_RDONLY | O_CLOEXEC) == -1 && errno == ENOENT);
    EXPECT(open("../../../../etc/passwd", O_RDONLY | O_CLOEXEC) == -1 && errno == ENOENT);
    EXPECT(open("/new", O_RDWR | O_CREAT | O_CLOEXEC, 0600) == -1);
    EXPECT(errno == EROFS || errno == EACCES);
    EXPECT(mkdir("/new", 0700) == -1 && (errno == EROFS || errno == EACCES));
    DIR *root = opendir("/");
    EXPECT(root != NULL);
    for (struct dirent *entry = readdir(root); entry != NULL; entry = readdir(root))
        EXPECT(entry->d_name[0] == '.');
    closedir(root);
    return 0;
}

static void files_are_gone(void)
{
    check_inside(&probing, probe_files);
}

static int probe_network(void)
{
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(made >= 0);
    struct sockaddr_in local = { .sin_family = AF_INET,
                                 .sin_port = htons(9),
                                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
    EXPECT(connect(made, (struct sockaddr *)&local, sizeof(local)) == -1);
    EXPECT(errno == ENETUNREACH);
    for (int index = 1; index < 20; index++) {
        struct ifreq request = { .ifr_ifindex = index };
        if (ioctl(made, SIOCGIFNAME, &request) != 0)
            continue;
        EXPECT(ioctl(made, SIOCGIFFLAGS, &request) == 0);
        EXPECT((request.ifr_flags & IFF_UP) == 0);
    }
    close(made);
    return 0;
}

static void network_is_gone(void)
{
    check_inside(&probing, probe_network);
}

static int probe_kept(void)
{
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    EXPECT(file >= 0);
    close(file);
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_name = "lo" };
    EXPECT(ioctl(made, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0);
    close(made);
    return 0;
}

static void both_can_be_kept(void)
{
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_name = "lo" };
    bool is_up = ioctl(made, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
    close(made);
    if (!is_up)
        SKIP("the loopback interface is down");
    struct jail_profile open_to_both = probing;
    open_to_both.keep_files = true;
    open_to_both.keep_network = true;
    check_inside(&open_to_both, probe_kept);
}

static int probe_privileges(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3];
    EXPECT(syscall(SYS_capget, &header, held) == 0);
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        EXPECT(held[i].effective == 0 && held[i].permitted == 0 && held[i].inheritable == 0);
    for (unsigned long number = 0; number < 41; number++)
        EXPECT(prctl(PR_CAPBSET_READ, number, 0, 0, 0) <= 0);
    EXPECT(getuid() == geteuid() && getuid() != 0);
    EXPECT(getuid() == JAIL_USER || getuid() == ORDINARY_USER || geteuid() != 0);
    EXPECT(setuid(0) == -1);
    EXPECT(mount("none", "/", "tmpfs", 0, NULL) == -1 && errno == EPERM);
    EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    EXPECT(prctl(PR_GET_DUMPABLE) == 0);
    return 0;
}

static void privileges_are_gone(void)
{
    check_inside(&probing, probe_privileges);
}

static int probe_root_became_user(void)
{
    EXPECT(getuid() == JAIL_USER && getgid() == JAIL_USER);
    EXPECT(getgroups(0, NULL) == 0);
    return 0;
}

static void root_becomes_the_user(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    struct spawn_end end = run_inside(WHO_ROOT, &probing, probe_root_became_user);
    CHECK(!end.was_killed && end.code == 0);
    struct error error = { 0 };
    CHECK(!jail_enter(&strict, 0, JAIL_USER, &error));
    CHECK(error.code == ERROR_INVALID);
}

static int probe_limits(void)
{
    struct rlimit limit;
    int opened = 0;
    while (dup(STDOUT_FILENO) >= 0)
        opened++;
    EXPECT(errno == EMFILE && opened < 20);
    for (int i = 3; i < 20; i++)
        EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 20);
    EXPECT(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
    EXPECT(getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_max == 100);
    EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max == 4096);
    EXPECT(getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_max == 1);
    EXPECT(getrlimit(RLIMIT_AS, &limit) == 0);
    if (limit.rlim_max != RLIM_INFINITY) {
        EXPECT(mmap(NULL, 2ul << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                    0) == MAP_FAILED);
        EXPECT(errno == ENOMEM);
    }
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(0);
    EXPECT(child == -1 && errno == EAGAIN);
    return 0;
}

static void limits_hold(void)
{
    check_inside(&probing, probe_limits);
}

static int grown_file = -1;

static int probe_file_size(void)
{
    static char data[5000];
    EXPECT(write(grown_file, data, sizeof(data)) == 4096);
    EXPECT(write(grown_file, data, 1) == 1);
    return 0;
}

static void file_size_limit_kills(void)
{
    AUTO_CLOSE int file = memfd_create("grown", MFD_CLOEXEC);
    grown_file = file;
    for (int who = 0; who < WHO_COUNT; who++) {
        if (!is_possible((enum who)who))
            continue;
        CHECK(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
        struct spawn_end end = run_inside((enum who)who, &probing, probe_file_size);
        CHECK(end.was_killed && end.code == SIGXFSZ);
    }
}

static int probe_refused(void)
{
    EXPECT(syscall(SYS_getppid) == -1 && errno == EXDEV);
    return 0;
}

static void calls_can_be_refused_instead(void)
{
    check_inside(&probing, probe_refused);
}

static void *thread_runs(void *argument)
{
    int *ran = argument;
    *ran = 1;
    return NULL;
}

static int probe_threads(void)
{
    pthread_t thread;
    int ran = 0;
    EXPECT(pthread_create(&thread, NULL, thread_runs, &ran) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(ran == 1);
    return 0;
}

static void threads_can_be_allowed(void)
{
    struct jail_profile threaded = probing;
    threaded.processes_max = 0;
    check_inside(&threaded, probe_threads);
}

static int probe_parent_death_signal(void)
{
    int number = 0;
    EXPECT(prctl(PR_GET_PDEATHSIG, &number) == 0 && number == SIGKILL);
    return 0;
}

/* Changing user clears it, so jail_enter must put it back. */
static void parent_death_signal_survives(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    int status = 1;
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        struct error error = { 0 };
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(jail_enter(&probing, JAIL_USER, JAIL_USER, &error) ? probe_parent_death_signal() != 0
                                                                 : EXIT_NOT_ENTERED);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_NUMBER(status, 0);
}

static bool write_to(const char *path, const char *text)
{
    struct error error = { 0 };
    AUTO_CLOSE int file = open(path, O_WRONLY | O_CLOEXEC);
    return file >= 0 && file_write_all(file, bytes_of_string(text), &error);
}

/* A user namespace in which no further one may be made stands in for a kernel that refuses them. */
static void refused_namespaces_are_an_error(void)
{
    if (!is_possible(WHO_ORDINARY_USER))
        SKIP("no user namespaces here");
    int status = 1;
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        struct error error = { 0 };
        char map[32];
        bool prepared = become(WHO_ORDINARY_USER);
        snprintf(map, sizeof(map), "%u %u 1", geteuid(), geteuid());
        prepared = prepared && unshare(CLONE_NEWUSER) == 0 && write_to("/proc/self/uid_map", map) &&
                   write_to("/proc/sys/user/max_user_namespaces", "0");
        if (!prepared)
            _exit(77);
        bool entered = jail_enter(&strict, 0, 0, &error);
        bool is_clear = error.code == ERROR_UNAVAILABLE &&
                        strstr(error.text, "refuses namespaces to ordinary users") != NULL;
        _exit(!entered && is_clear ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("could not prepare such a namespace");
    CHECK_NUMBER(status, 0);
}

static void unknown_calls_are_an_error(void)
{
    static const struct jail_call calls[] = { { 123456789, "no such call" } };
    struct jail_profile profile = { .name = "odd", .calls = calls, .call_count = 1 };
    struct error error = { 0 };
    CHECK(!jail_enter(&profile, JAIL_USER, JAIL_USER, &error));
    CHECK_NOTE(strstr(error.text, "jail odd") != NULL, "%s", error.text);
}

static int probe_folder(void)
{
    char made[32];
    snprintf(made, sizeof(made), "/made-%d", (int)getpid());
    EXPECT(open("/kept", O_RDONLY) >= 0);
    EXPECT(open(made, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0);
    EXPECT(open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
    EXPECT(open("/../../../etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
    EXPECT(open("/proc/self/status", O_RDONLY) < 0 && errno == ENOENT);
    return 0;
}

static void keeps_one_folder_as_the_root(void)
{
    char folder[4096], kept[4200];
    struct error error = { 0 };
    snprintf(folder, sizeof(folder), "%s/root", test_folder());
    snprintf(kept, sizeof(kept), "%s/kept", folder);
    REQUIRE(chmod(test_folder(), 0755) == 0 && mkdir(folder, 0777) == 0 &&
            chmod(folder, 0777) == 0);
    CHECK_NOTE(file_replace(kept, BYTES_LITERAL("kept"), 0644, &error), "%s", error.text);
    struct jail_profile profile = probing;
    profile.folder = folder;
    check_inside(&profile, probe_folder);
}

static const struct test tests[] = {
    TEST(keeps_one_folder_as_the_root),
    TEST(forbidden_calls_kill),
    TEST(files_are_gone),
    TEST(network_is_gone),
    TEST(both_can_be_kept),
    TEST(privileges_are_gone),
    TEST(root_becomes_the_user),
    TEST(limits_hold),
    TEST(file_size_limit_kills),
    TEST(calls_can_be_refused_instead),
    TEST(threads_can_be_allowed),
    TEST(parent_death_signal_survives),
    TEST(refused_namespaces_are_an_error),
    TEST(unknown_calls_are_an_error),
};
TEST_MAIN(tests)
