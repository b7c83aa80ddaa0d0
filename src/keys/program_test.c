/* SPDX-License-Identifier: Apache-2.0 */
/* The real s3n-keeper over a socket pair, as whoever runs the tests and, from root, as an ordinary
 * user as well. */
#include "base/file.h"
#include "base/ipc.h"
#include "base/spawn.h"
#include "keys/keeper.h"
#include "keys/keys_test_support.h"
#include "keys/verify.h"
#include "tests/harness.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ORDINARY_USER = 65534,
};

/* A running keeper. */
struct program {
    pid_t pid;
    int socket;
};

static bool program_start(struct program *program, const char *data_dir, const char *tee)
{
    struct error error = { 0 };
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    const char *const arguments[] = { "s3n-keeper", "--data-dir",  data_dir, "--tee",
                                      tee,          "--socket-fd", "3",      NULL };
    struct spawn_options options = { .path = test_program("s3n-keeper"),
                                     .arguments = arguments,
                                     .descriptors = { { ends[1], 3 } },
                                     .descriptor_count = 1 };
    bool started = spawn(&program->pid, &options, &error);
    CHECK_NOTE(started, "%s", error.text);
    close(ends[1]);
    program->socket = ends[0];
    return started;
}

/* The exit code, or minus the signal. */
static int program_end(const struct program *program)
{
    struct spawn_end end;
    struct error error = { 0 };
    if (!spawn_wait(&end, program->pid, TEST_PATIENCE_MS, &error)) {
        kill(program->pid, SIGKILL);
        return spawn_wait(&end, program->pid, -1, &error) ? -1000 : -1001;
    }
    return end.was_killed ? -end.code : end.code;
}

static const char *fresh_folder(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    struct error error = { 0 };
    CHECK(file_make_folder(path, 0700, &error));
    return path;
}

static bool evidence_holds(struct keeper *keeper, struct error *error)
{
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    struct keyset keys = test_keyset();
    time_t now = time(NULL);
    struct keyset_validity validity = { now - 60, now + 3540 };
    memcpy(attestation.platform, "sim", 4);
    memset(attestation.nonce.bytes, 0x5e, sizeof(attestation.nonce.bytes));
    if (!keeper_endorse(keeper, &keys.receipt_key, &keys.tls_key, &validity, &attestation.keyset,
                        error))
        return false;
    struct digest32 digest = keyset_digest(buffer_view(&attestation.keyset));
    struct verify_result result;
    struct verify_options options = { .trust_simulated = true, .now_s = now };
    return keeper_evidence(keeper, &digest, &attestation.nonce, &attestation.evidence, error) &&
           verify_attestation(&result, &attestation, &attestation.nonce, &options, error);
}

static int status_number(pid_t pid, const char *field)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    long value = -1;
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            value = strtol(line + strlen(field) + 1, NULL, 16);
    }
    if (file != NULL)
        fclose(file);
    return (int)value;
}

static bool is_other_namespace(pid_t pid, const char *kind)
{
    char path[64], theirs[128] = { 0 }, ours[128] = { 0 };
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
    ssize_t size = readlink(path, theirs, sizeof(theirs) - 1);
    snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
    return readlink(path, ours, sizeof(ours) - 1) > 0 && (size < 0 || strcmp(ours, theirs) != 0);
}

/* What the program promises, whoever runs it. */
static void serves_jailed(void)
{
    struct error error = { 0 };
    struct program program;
    if (!program_start(&program, fresh_folder("serves"), "sim"))
        return;
    AUTO(keeper) struct keeper *keeper = NULL;
    bool good = keeper_connect(&keeper, program.socket, &error) && evidence_holds(keeper, &error);
    CHECK_NOTE(good, "%s", error.text);
    CHECK_NUMBER(status_number(program.pid, "Seccomp"), 2);
    CHECK_NUMBER(status_number(program.pid, "NoNewPrivs"), 1);
    CHECK_NUMBER(status_number(program.pid, "CapEff"), 0);
    CHECK_NUMBER(status_number(program.pid, "CapBnd"), 0);
    CHECK(is_other_namespace(program.pid, "net"));
    CHECK(is_other_namespace(program.pid, "mnt"));
    keeper_close(TAKE(keeper));
    CHECK_NUMBER(program_end(&program), 0);
    char path[PATH_MAX];
    struct stat status;
    snprintf(path, sizeof(path), "%s/keeper/root", fresh_folder("serves"));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600);
    snprintf(path, sizeof(path), "%s/keeper/sim-root.pem", fresh_folder("serves"));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600);
}

static void kill_changes_nothing(void)
{
    struct error error = { 0 };
    struct program program;
    AUTO_BUFFER struct buffer sealed, plain;
    buffer_init(&sealed, 4096);
    buffer_init(&plain, 4096);
    struct keeper_info before = { 0 }, after = { 0 };
    AUTO(keeper) struct keeper *keeper = NULL;
    if (!program_start(&program, fresh_folder("killed"), "sim"))
        return;
    bool good =
        keeper_connect(&keeper, program.socket, &error) && keeper_get_info(keeper, &before, &error);
    struct sealer sealer = keeper_sealer(keeper);
    good = good && sealer.seal(sealer.context, "app", BYTES_LITERAL("here"), BYTES_LITERAL("kept"),
                               &sealed, &error);
    kill(program.pid, SIGKILL);
    CHECK_NUMBER(program_end(&program), -SIGKILL);
    CHECK(!keeper_get_info(keeper, &after, &error) && error.code == ERROR_UNAVAILABLE);
    if (!program_start(&program, fresh_folder("killed"), "sim"))
        return;
    good = good && keeper_reconnect(keeper, program.socket, &error) &&
           keeper_get_info(keeper, &after, &error) &&
           sealer.open(sealer.context, "app", BYTES_LITERAL("here"), buffer_view(&sealed), &plain,
                       &error) &&
           evidence_holds(keeper, &error);
    CHECK_NOTE(good, "%s", error.text);
    CHECK_STRING(after.node, before.node);
    CHECK(bytes_equal_string(buffer_view(&plain), "kept"));
    keeper_close(TAKE(keeper));
    CHECK_NUMBER(program_end(&program), 0);
}

/* A raw frame: size, type, descriptors, id. */
static int end_after(uint32_t size, uint16_t type)
{
    struct program program;
    if (!program_start(&program, fresh_folder("bad"), "sim"))
        return -1000;
    uint8_t frame[12] = { (uint8_t)size,         (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                          (uint8_t)(size >> 24), (uint8_t)type,        (uint8_t)(type >> 8) };
    CHECK(write(program.socket, frame, sizeof(frame)) == sizeof(frame));
    uint8_t rest[64];
    while (read(program.socket, rest, sizeof(rest)) > 0)
        ;
    close(program.socket);
    return program_end(&program);
}

static void bad_requests_end_the_connection_and_nothing_else(void)
{
    int refused = error_exit_code(ERROR_INVALID);
    CHECK_NUMBER(end_after(0, 77), refused);
    CHECK_NUMBER(end_after(0, 0), refused);
    CHECK_NUMBER(end_after(UINT32_MAX, KEEPER_SEAL), refused);
    CHECK_NUMBER(end_after(KEEPER_PAYLOAD_MAX + 1, KEEPER_SEAL), refused);
    CHECK_NUMBER(end_after(145, KEEPER_ENDORSE), refused);
    CHECK_NUMBER(end_after(1, KEEPER_INFO), refused);
    struct error error = { 0 };
    struct program program;
    AUTO(keeper) struct keeper *keeper = NULL;
    if (!program_start(&program, fresh_folder("bad"), "sim"))
        return;
    bool good = keeper_connect(&keeper, program.socket, &error) && evidence_holds(keeper, &error);
    CHECK_NOTE(good, "%s", error.text);
    keeper_close(TAKE(keeper));
    CHECK_NUMBER(program_end(&program), 0);
}

static int end_of_start(const char *data_dir, const char *tee)
{
    struct program program;
    if (!program_start(&program, data_dir, tee))
        return -1000;
    close(program.socket);
    return program_end(&program);
}

static void bad_folders_are_refused(void)
{
    char path[PATH_MAX];
    CHECK_NUMBER(end_of_start(fresh_folder("folder"), "sim"), 0);
    snprintf(path, sizeof(path), "%s/keeper/root", fresh_folder("folder"));
    CHECK(chmod(path, 0644) == 0);
    CHECK_NUMBER(end_of_start(fresh_folder("folder"), "sim"), error_exit_code(ERROR_DENIED));
    CHECK(chmod(path, 0600) == 0 && truncate(path, 16) == 0);
    CHECK_NUMBER(end_of_start(fresh_folder("folder"), "sim"), error_exit_code(ERROR_CORRUPT));
    CHECK_NUMBER(end_of_start(fresh_folder("other"), "tdx"), error_exit_code(ERROR_UNAVAILABLE));
    /* where a folder should be there is a file */
    snprintf(path, sizeof(path), "%s/keeper/root", fresh_folder("folder"));
    CHECK(end_of_start(path, "sim") > 0);
}

/* Runs a case of this program as an ordinary user, with a folder of that user's own and copies of
 * the programs, since the build folder may stand where that user can't go. */
static void as_ordinary_user(char *name)
{
    if (geteuid() != 0)
        SKIP("already an ordinary user");
    char folder[] = "/tmp/s3n-keeper-test-XXXXXX", programs[] = "/tmp/s3n-keeper-bin-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chown(folder, ORDINARY_USER, ORDINARY_USER) == 0);
    REQUIRE(mkdtemp(programs) != NULL && chmod(programs, 0755) == 0);
    char copy[PATH_MAX + 256], self[64];
    snprintf(copy, sizeof(copy), "mkdir '%s/bin' && cp '%s' '%s/bin' && cp /proc/%d/exe '%s/self'",
             programs, test_program("s3n-keeper"), programs, (int)getpid(), programs);
    REQUIRE(system(copy) == 0);
    snprintf(self, sizeof(self), "%s/self", programs);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *arguments[] = { (char[]){ "keys-program" }, name, NULL };
        if (setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
            setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0 &&
            setenv("TMPDIR", folder, 1) == 0 && setenv("S3N_BUILD", programs, 1) == 0)
            execv(self, arguments);
        _exit(1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(rmdir(folder) == 0);
    snprintf(copy, sizeof(copy), "rm -rf '%s'", programs);
    CHECK(system(copy) == 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void serves_jailed_as_ordinary_user(void)
{
    as_ordinary_user((char[]){ "serves_jailed" });
}

static void kill_changes_nothing_as_ordinary_user(void)
{
    as_ordinary_user((char[]){ "kill_changes_nothing" });
}

static void root_becomes_the_keepers_user(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    struct program program;
    struct error error = { 0 };
    struct keeper_info info;
    AUTO(keeper) struct keeper *keeper = NULL;
    if (!program_start(&program, fresh_folder("user"), "sim"))
        return;
    CHECK(keeper_connect(&keeper, program.socket, &error) &&
          keeper_get_info(keeper, &info, &error));
    CHECK_NUMBER(status_number(program.pid, "Uid"), 0x63001); /* decimal digits read as hex */
    CHECK_NUMBER(status_number(program.pid, "Gid"), 0x63001);
    keeper_close(TAKE(keeper));
    CHECK_NUMBER(program_end(&program), 0);
}

static const struct test tests[] = {
    TEST(serves_jailed),
    TEST(kill_changes_nothing),
    TEST(bad_requests_end_the_connection_and_nothing_else),
    TEST(bad_folders_are_refused),
    TEST(serves_jailed_as_ordinary_user),
    TEST(kill_changes_nothing_as_ordinary_user),
    TEST(root_becomes_the_keepers_user),
};
TEST_MAIN(tests)
