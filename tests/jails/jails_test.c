/* SPDX-License-Identifier: Apache-2.0 */
/* The jails of slipstream and s3n-compile, tested alone: a program takes the jailed process's place
 * and tries to get out (attempts.c), once behind the profile as it is, and once behind a filter
 * that lets the attempts through, so that the other walls stand alone.  As root and as an ordinary
 * user, where that is possible. */
#include "base/file.h"
#include "base/jail_calls.h"
#include "base/spawn.h"
#include "cmd/s3n-compile/profile.h"
#include "cmd/slipstream/slipstream.h"
#include "tests/harness.h"
#include "tests/jails/attempts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JAIL_USER = 63097,
    VICTIM_USER = 63096,
    ORDINARY_USER = 65534,
    CODE_HELD = 0,
    CODE_WENT_THROUGH = 42,
    CODE_NOT_ENTERED = 43
};

static const struct jail_call loose_calls[] = { JAIL_CALLS_PROCESS,     JAIL_CALLS_MEMORY,
                                                JAIL_CALLS_DESCRIPTORS, JAIL_CALLS_IPC,
                                                JAIL_CALLS_THREADS,     ATTEMPT_CALLS };

static const struct place {
    const char *name;
    const struct jail_profile *profile;
    const struct jail_profile *narrow; /* taken once inside; NULL: none */
    bool is_alike;                     /* but for the filter like another one */
} places[] = {
    { "worker", &profile_worker, NULL, false },
    { "cell (kvm)", &profile_worker, &profile_cell_kvm, true },
    { "worker (process)", &profile_worker_process, NULL, true },
    { "cell (process)", &profile_worker_process, &profile_cell, true },
    { "run", &profile_run, NULL, true },
    { "run (guest in a micro-VM)", &profile_run, &profile_run_guest_kvm, true },
    { "run (process)", &profile_run_process, &profile_run_guest, true },
    { "compiler", &profile_compile, NULL, false },
};

/* --- the process inside; its words are: role, place, attempt, loose, user */

static bool become_user(void)
{
    return setgroups(0, NULL) == 0 && setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
           prctl(PR_SET_DUMPABLE, 1) == 0;
}

static bool enter(const struct place *place, bool is_loose, struct error *error)
{
    struct jail_profile loose = *place->profile;
    loose.calls = loose_calls;
    loose.call_count = ARRAY_COUNT(loose_calls);
    if (is_loose)
        return jail_enter(&loose, JAIL_USER, JAIL_USER, error);
    return (place->narrow == NULL || jail_narrow_prepare(place->narrow, error)) &&
           jail_enter(place->profile, JAIL_USER, JAIL_USER, error) &&
           (place->narrow == NULL || jail_narrow(error));
}

static int inside(char **words)
{
    static struct targets targets;
    struct error error;
    const struct place *place = &places[atoi(words[2])];
    const struct attempt *attempt = &attempts[atoi(words[3])];
    bool is_loose = atoi(words[4]) != 0, is_user = atoi(words[5]) != 0;
    if (read(3, &targets, sizeof(targets)) != sizeof(targets) ||
        (is_user && geteuid() == 0 && !become_user()))
        return CODE_NOT_ENTERED;
    if (!enter(place, is_loose, &error)) {
        fprintf(stderr, "    %s\n", error.text);
        return CODE_NOT_ENTERED;
    }
    bool went = attempt->run(&targets);
    _exit(went ? CODE_WENT_THROUGH : CODE_HELD);
}

/* --- what is outside */

static struct targets targets;
static int listeners[2];
static const uint64_t secret = 0x5ec2e75ec2e7;

static void victim_start(uid_t uid)
{
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 ||
                               setresuid(uid, uid, uid) != 0))
            _exit(1);
        prctl(PR_SET_DUMPABLE, 1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    targets.victim = pid;
    targets.secret_at = (uint64_t)(uintptr_t)&secret;
}

static void victim_stop(void)
{
    kill(targets.victim, SIGKILL);
    waitpid(targets.victim, NULL, 0);
}

static void targets_open(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 16) == 0 &&
           getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    targets.port = ntohs(address.sin_port);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    snprintf(targets.socket, sizeof(targets.socket), "s3n-jails-%d", getpid());
    memcpy(name.sun_path + 1, targets.socket, strlen(targets.socket));
    int abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(bind(abstract, (struct sockaddr *)&name,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(targets.socket))) ==
               0 &&
           listen(abstract, 16) == 0);
    listeners[0] = listener;
    listeners[1] = abstract;
    snprintf(targets.file, sizeof(targets.file), "%s/key", test_folder());
    targets.victim_descriptor = open(targets.file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    ASSERT(targets.victim_descriptor >= 0 && chmod(test_folder(), 0755) == 0);
    targets.shared_memory = shmget(IPC_PRIVATE, 4096, 0666);
    ASSERT(targets.shared_memory >= 0);
}

static void targets_close(void)
{
    shmctl(targets.shared_memory, IPC_RMID, NULL);
    file_close(&listeners[0]);
    file_close(&listeners[1]);
    file_close(&targets.victim_descriptor);
}

/* --- the test */

static struct spawn_end try(unsigned place, unsigned attempt, bool is_loose, bool is_user)
{
    char words[4][12];
    struct error error = { 0 };
    struct spawn_end end = { .was_killed = true };
    int ends[2];
    pid_t pid;
    snprintf(words[0], sizeof(words[0]), "%u", place);
    snprintf(words[1], sizeof(words[1]), "%u", attempt);
    snprintf(words[2], sizeof(words[2]), "%d", is_loose);
    snprintf(words[3], sizeof(words[3]), "%d", is_user);
    ASSERT(pipe2(ends, O_CLOEXEC) == 0 &&
           write(ends[1], &targets, sizeof(targets)) == sizeof(targets));
    const char *const arguments[] = { "test-jails", "inside", words[0], words[1],
                                      words[2],     words[3], NULL };
    struct spawn_options options = { .path = "/proc/self/exe",
                                     .arguments = arguments,
                                     .descriptors = { { ends[0], 3 } },
                                     .descriptor_count = 1 };
    bool spawned = spawn(&pid, &options, &error);
    close(ends[0]);
    close(ends[1]);
    CHECK_NOTE(spawned && spawn_wait(&end, pid, TEST_PATIENCE_MS, &error), "%s", error.text);
    return end;
}

static void check_place(unsigned place, bool is_user)
{
    unsigned forbidden = 0;
    for (unsigned i = 0; i < attempt_count; i++) {
        struct spawn_end end = try(place, i, false, is_user);
        bool is_forbidden = spawn_end_is_forbidden_call(&end);
        forbidden += is_forbidden;
        CHECK_NOTE(is_forbidden || (!end.was_killed && end.code == CODE_HELD), "%s: %s: %s %d",
                   places[place].name, attempts[i].name, end.was_killed ? "killed by" : "code",
                   end.code);
    }
    CHECK(forbidden > attempt_count / 2);
    for (unsigned i = 0; i < attempt_count && !places[place].is_alike; i++) {
        bool is_alone = (attempts[i].flags & ATTEMPT_FILTER_ALONE) != 0 ||
                        (is_user && (attempts[i].flags & ATTEMPT_FILTER_ALONE_USER) != 0);
        if (is_alone)
            continue;
        struct spawn_end end = try(place, i, true, is_user);
        CHECK_NOTE(!end.was_killed && end.code == CODE_HELD, "%s without its filter: %s: %s %d",
                   places[place].name, attempts[i].name, end.was_killed ? "killed by" : "code",
                   end.code);
    }
}

static void check_all(bool is_user)
{
    for (unsigned place = 0; place < ARRAY_COUNT(places); place++) {
        struct spawn_end end = try(place, 0, false, is_user);
        if (!end.was_killed && end.code == CODE_NOT_ENTERED)
            SKIP("no jail for this user here");
        check_place(place, is_user);
    }
}

static void jails_hold_for_root(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    targets_open();
    victim_start(VICTIM_USER);
    check_all(false);
    victim_stop();
    targets_close();
}

static void jails_hold_for_an_ordinary_user(void)
{
    targets_open();
    victim_start(geteuid() == 0 ? ORDINARY_USER : geteuid());
    check_all(true);
    victim_stop();
    targets_close();
}

static unsigned calls_count(const struct jail_profile *profile)
{
    unsigned count = 0;
    for (size_t i = 0; i < profile->call_count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new = is_new && profile->calls[j].number != profile->calls[i].number;
        count += is_new && profile->calls[i].refuse_errno == 0;
    }
    return count;
}

/* What enters guests makes twelve system calls at most, of ioctl two requests. */
static void cells_have_twelve_calls(void)
{
    static const uint64_t requests[] = { KVM_RUN, KVM_SET_USER_MEMORY_REGION };
    unsigned ioctls = 0;
    CHECK(calls_count(&profile_cell) <= 12);
    CHECK(calls_count(&profile_cell_kvm) <= 12);
    for (size_t i = 0; i < profile_cell_kvm.call_count; i++) {
        const struct jail_call *call = &profile_cell_kvm.calls[i];
        bool is_known = false;
        if (call->number != SCMP_SYS(ioctl))
            continue;
        ioctls++;
        for (size_t j = 0; j < ARRAY_COUNT(requests); j++)
            is_known = is_known || call->value == requests[j];
        CHECK(is_known && call->has_argument && call->argument == 1 && call->mask == UINT64_MAX);
    }
    CHECK_NUMBER(ioctls, ARRAY_COUNT(requests));
    for (size_t i = 0; i < profile_cell.call_count; i++)
        CHECK(profile_cell.calls[i].number != SCMP_SYS(ioctl));
}

static const struct test tests[] = {
    TEST(cells_have_twelve_calls),
    TEST(jails_hold_for_root),
    TEST(jails_hold_for_an_ordinary_user),
};

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "inside") == 0)
        return inside(argv);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
