/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells when it could not become the program. */
struct exec_failure {
    int os_errno;
    char step[32];
};

/* Everything below up to the exec runs in the child: only calls that are safe after a fork. */
NORETURN static void give_up(int report, const char *step)
{
    struct exec_failure failure = { .os_errno = errno };
    for (size_t i = 0; i < sizeof(failure.step) - 1 && step[i] != '\0'; i++)
        failure.step[i] = step[i];
    ssize_t wrote = write(report, &failure, sizeof(failure));
    (void)wrote;
    _exit(127);
}

static void default_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_listed(const struct spawn_options *options, int number)
{
    for (unsigned i = 0; i < options->descriptor_count; i++) {
        if (options->descriptors[i].to == number)
            return true;
    }
    return false;
}

/* Moves the report pipe and all sources above every target, so that no dup2 hits a source. */
static void arrange_descriptors(const struct spawn_options *options, int *report)
{
    int above = 3, moved[SPAWN_DESCRIPTORS_MAX];
    for (unsigned i = 0; i < options->descriptor_count; i++)
        above = MAX(above, options->descriptors[i].to + 1);
    int high_report = fcntl(*report, F_DUPFD_CLOEXEC, above);
    if (high_report < 0)
        give_up(*report, "move descriptors");
    *report = high_report;
    for (unsigned i = 0; i < options->descriptor_count; i++) {
        moved[i] = fcntl(options->descriptors[i].from, F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0)
            give_up(*report, "move descriptors");
    }
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        give_up(*report, "close descriptors");
    for (unsigned i = 0; i < options->descriptor_count; i++) {
        if (dup2(moved[i], options->descriptors[i].to) < 0)
            give_up(*report, "set descriptors");
    }
    for (int number = STDIN_FILENO; number <= STDOUT_FILENO; number++) {
        if (is_listed(options, number))
            continue;
        int null = open("/dev/null", O_RDWR);
        if (null < 0)
            give_up(*report, "open /dev/null");
        if (null != number && (dup2(null, number) < 0 || close(null) != 0))
            give_up(*report, "set descriptors");
    }
}

NORETURN static void become(const struct spawn_options *options, int report, pid_t parent)
{
    static const char *const no_environment[] = { NULL };
    const char *const *environment =
        options->environment == NULL ? no_environment : options->environment;
    default_signals();
    if (options->own_group && setpgid(0, 0) != 0)
        give_up(report, "set process group");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up(report, "die with parent");
    if (getppid() != parent)
        _exit(127); /* it died before the line above */
    if (options->has_group && write(options->group, "0", 1) != 1)
        give_up(report, "enter its control group");
    arrange_descriptors(options, &report);
    execve(options->path, (char *const *)(uintptr_t)options->arguments,
           (char *const *)(uintptr_t)environment);
    give_up(report, "execute");
}

bool spawn(pid_t *pid, const struct spawn_options *options, struct error *error)
{
    ASSERT(options->descriptor_count <= SPAWN_DESCRIPTORS_MAX);
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return error_system(error, "make a pipe");
    AUTO_CLOSE int read_end = report[0];
    pid_t parent = getpid(), child = fork();
    if (child < 0) {
        error_system(error, "fork");
        close(report[1]);
        return false;
    }
    if (child == 0)
        become(options, report[1], parent);
    close(report[1]);
    struct exec_failure failure = { 0 };
    ssize_t got;
    do {
        got = read(read_end, &failure, sizeof(failure));
    } while (got < 0 && errno == EINTR);
    if (got != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
        failure.step[sizeof(failure.step) - 1] = '\0';
        errno = failure.os_errno;
        return error_system(error, "start %s: %s", options->path, failure.step);
    }
    *pid = child;
    return true;
}

bool spawn_sibling_path(char *path, size_t size, const char *program, struct error *error)
{
    char own[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
    if (length > 0) {
        own[length] = '\0';
        char *slash = strrchr(own, '/');
        ASSERT(slash != NULL);
        int used = snprintf(path, size, "%.*s/%s", (int)(slash - own), own, program);
        if (used > 0 && (size_t)used < size && access(path, X_OK) == 0)
            return true;
    }
    const char *folder = getenv("S3N_LIBEXEC");
    if (folder != NULL) {
        int used = snprintf(path, size, "%s/%s", folder, program);
        if (used > 0 && (size_t)used < size && access(path, X_OK) == 0)
            return true;
    }
    return error_set(error, ERROR_NOT_FOUND,
                     "program %s is neither beside this one nor in $S3N_LIBEXEC", program);
}

struct spawn_end spawn_end_of_status(int status)
{
    if (WIFSIGNALED(status))
        return (struct spawn_end){ .was_killed = true, .code = WTERMSIG(status) };
    return (struct spawn_end){ .code = WEXITSTATUS(status) };
}

static bool wait_until_ended(pid_t pid, int timeout_ms, struct error *error)
{
    AUTO_CLOSE int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return error_system(error, "look at process %d", (int)pid);
    struct pollfd wait = { .fd = process, .events = POLLIN };
    int ready = poll(&wait, 1, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return error_system(error, "wait for process %d", (int)pid);
    return ready > 0 || error_set(error, ERROR_TIMEOUT, "process %d still runs", (int)pid);
}

bool spawn_wait(struct spawn_end *end, pid_t pid, int timeout_ms, struct error *error)
{
    if (timeout_ms >= 0 && !wait_until_ended(pid, timeout_ms, error))
        return false;
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return error_system(error, "wait for process %d", (int)pid);
    }
    *end = spawn_end_of_status(status);
    return true;
}

bool spawn_end_is_forbidden_call(const struct spawn_end *end)
{
    return end->was_killed && end->code == SIGSYS;
}
