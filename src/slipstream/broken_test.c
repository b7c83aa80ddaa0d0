/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kvm absent, unreadable, or failing in the middle: a clear word, nobody else disturbed, and
 * the process backend only where it was asked for. */
#include "base/file.h"
#include "base/spawn.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUIRE_KVM()                                                                              \
    if (!test_has_kvm())                                                                           \
    SKIP("/dev/kvm can't be opened here")

static const struct test_image small = {
    .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
};

/* Every descriptor of this process that is `name` becomes one that knows no request of KVM. */
static unsigned descriptors_break(const char *name)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    ASSERT(folder != NULL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char target[64] = { 0 };
        if (readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) <= 0 ||
            strncmp(target, name, strlen(name)) != 0)
            continue;
        count += dup2(null, atoi(entry->d_name)) >= 0;
    }
    close(null);
    closedir(folder);
    return count;
}

static bool load(struct engine *engine, struct program *program, struct shell **shell,
                 struct error *error)
{
    static const struct settings settings = { .timeout_ms = 1000 };
    struct outcome outcome;
    return shell_open(shell, engine, NULL, 0, error) &&
           shell_load(*shell, program, &settings, &outcome, error) && outcome.kind == OUTCOME_DONE;
}

static bool adds(struct shell *shell, struct outcome *outcome, struct error *error)
{
    uint64_t arguments[2] = { 40, 2 }, result = 0;
    return shell_call(shell, test_offset(TEST_add), arguments, 2, &result, 1, outcome, error) &&
           outcome->kind == OUTCOME_DONE && result == 42;
}

static void a_device_that_fails_is_told(void)
{
    REQUIRE_KVM();
    AUTO(engine) struct engine *engine = NULL;
    AUTO(program) struct program *program = NULL;
    AUTO(shell) struct shell *first = NULL;
    AUTO(shell) struct shell *second = NULL;
    AUTO_CLOSE int image = test_image_make(&small);
    struct outcome outcome;
    struct error error;
    REQUIRE(engine_open(&engine, "kvm", &error));
    REQUIRE(program_open(&program, image, &error) && load(engine, program, &first, &error));
    CHECK(adds(first, &outcome, &error));
    /* No new micro-VMs; the ones that are run on. */
    CHECK(descriptors_break("/dev/kvm") > 0);
    CHECK(!load(engine, program, &second, &error));
    CHECK_NOTE(strstr(error.text, "make a micro-VM") != NULL, "%s", error.text);
    CHECK(adds(first, &outcome, &error));
    /* A vCPU that can't be entered any more: this invocation has crashed, and says with what. */
    CHECK(descriptors_break("anon_inode:kvm-vcpu") > 0);
    CHECK(!adds(first, &outcome, &error));
    CHECK_NUMBER(outcome.kind, OUTCOME_CRASHED);
    CHECK_NUMBER(outcome.exit_code, ENOTTY);
    CHECK(!outcome_check(&outcome, &error));
    CHECK(strstr(error.text, "reason 25") != NULL);
    CHECK(!adds(first, &outcome, &error)); /* and never again */
}

/* `slipstream --run --backend NAME` where /dev holds what `prepare` left; its message. */
static int run_without(bool (*prepare)(void), const char *backend, char *text, size_t size)
{
    int ends[2];
    AUTO_CLOSE int image = test_image_make(&small);
    ASSERT(pipe(ends) == 0);
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        if (!prepare() || dup2(ends[1], 2) < 0 || dup2(image, 5) < 0)
            _exit(99);
        execl(test_program("slipstream"), "slipstream", "--run", "--backend", backend, "--image-fd",
              "5", "--", "name", (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    ssize_t got = 0, part;
    /* The deadline of a shell of the test before may still strike: it interrupts, and means nothing
     * here. */
    while ((part = TEMP_FAILURE_RETRY(read(ends[0], text + got, size - 1 - (size_t)got))) > 0)
        got += part;
    text[got] = '\0';
    close(ends[0]);
    int status = 0;
    ASSERT(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool without_device(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/dev", "tmpfs", 0, NULL) == 0 && dup2(null, 0) == 0;
}

/* There, and it is no KVM. */
static bool with_another_device(void)
{
    return without_device() && mknod("/dev/kvm", S_IFCHR | 0600, 0x103) == 0;
}

static void an_absent_device_is_told(void)
{
    char text[512];
    if (geteuid() != 0)
        SKIP("not root: no mount namespace to take /dev/kvm away in");
    if (run_without(without_device, "kvm", text, sizeof(text)) == 99)
        SKIP("no mount namespaces here");
    CHECK_NUMBER(run_without(without_device, "kvm", text, sizeof(text)), 7);
    CHECK_NOTE(strstr(text, "open /dev/kvm: No such file or directory") != NULL, "%s", text);
    /* auto is kvm here, too: nobody asked for less. */
    CHECK_NUMBER(run_without(without_device, "auto", text, sizeof(text)), 7);
    CHECK_NOTE(strstr(text, "--backend process runs without one") != NULL, "%s", text);
    CHECK_NUMBER(run_without(without_device, "process", text, sizeof(text)), 0);
    CHECK_NUMBER(run_without(with_another_device, "kvm", text, sizeof(text)), 7);
    CHECK_NOTE(strstr(text, "/dev/kvm lacks") != NULL, "%s", text);
}

static const struct test tests[] = {
    TEST(a_device_that_fails_is_told),
    TEST(an_absent_device_is_told),
};
TEST_MAIN(tests)
