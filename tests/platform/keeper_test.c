/* SPDX-License-Identifier: Apache-2.0 */
/* The real, jailed s3n-keeper on kernel interfaces that a FUSE file system plays: evidence over
 * each interface, and what it does when the kernel hangs, lies or has no TEE. */
#include "base/file.h"
#include "base/spawn.h"
#include "keys/keeper.h"
#include "tests/harness.h"
#include "tests/platform/fake_kernel.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct program {
    pid_t pid;
    int socket;
};

static bool program_start(struct program *program, const struct fake_kernel *kernel,
                          const char *tee)
{
    struct error error = { 0 };
    static char folder[PATH_MAX];
    int ends[2];
    snprintf(folder, sizeof(folder), "%s/%s", test_folder(), tee);
    if (!file_make_folder(folder, 0755, &error) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    const char *const arguments[] = { "s3n-keeper",
                                      "--data-dir",
                                      folder,
                                      "--tee",
                                      tee,
                                      "--system-root",
                                      kernel->folder,
                                      "--evidence-timeout-ms",
                                      "500",
                                      "--socket-fd",
                                      "3",
                                      NULL };
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

/* Evidence for a keyset that was endorsed just now. */
static bool evidence_ask(struct keeper *keeper, struct buffer *evidence, struct error *error)
{
    struct ecdsa_key *key = NULL;
    time_t now = time(NULL);
    struct keyset_validity validity = { now - 60, now + 3540 };
    struct nonce32 nonce = { { 1, 2, 3 } };
    AUTO_BUFFER struct buffer keyset;
    buffer_init(&keyset, KEYSET_SIZE_MAX);
    if (!ecdsa_key_generate(&key, error))
        return false;
    bool done = keeper_endorse(keeper, ecdsa_key_public(key), ecdsa_key_public(key), &validity,
                               &keyset, error);
    struct digest32 digest = keyset_digest(buffer_view(&keyset));
    done = done && keeper_evidence(keeper, &digest, &nonce, evidence, error);
    ecdsa_key_free(key);
    return done;
}

static void gives_evidence_from_its_jail(void)
{
    static const struct {
        enum fake_provider provider;
        const char *tee;
    } rows[] = { { FAKE_TSM_TDX, "tdx" },
                 { FAKE_TSM_SNP, "snp" },
                 { FAKE_NSM, "nitro" },
                 { FAKE_GRAMINE, "sgx" } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct fake_kernel kernel;
        struct program program;
        struct error error = { 0 };
        const char *reason;
        if (!fake_kernel_start(&kernel, &reason))
            SKIP("%s", reason);
        kernel.script->provider = rows[i].provider;
        AUTO(keeper) struct keeper *keeper = NULL;
        struct keeper_info info;
        AUTO_BUFFER struct buffer evidence;
        buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
        bool started = program_start(&program, &kernel, "auto") &&
                       keeper_connect(&keeper, program.socket, &error) &&
                       keeper_get_info(keeper, &info, &error);
        CHECK_NOTE(started, "%s: %s", rows[i].tee, error.text);
        if (started) {
            CHECK_STRING(info.platform, rows[i].tee);
            CHECK_NOTE(evidence_ask(keeper, &evidence, &error), "%s: %s", rows[i].tee, error.text);
            CHECK_NOTE(evidence_ask(keeper, &evidence, &error), "%s: %s", rows[i].tee, error.text);
            CHECK(attest_tee_of(buffer_view(&evidence)) != ATTEST_TEE_ANY);
            /* A kernel that hangs costs an answer, not the keeper. */
            kernel.script->hangs = true;
            CHECK(!evidence_ask(keeper, &evidence, &error));
            CHECK_NOTE(error.code == ERROR_TIMEOUT, "%s: %s", rows[i].tee, error.text);
            kernel.script->hangs = false;
            CHECK_NOTE(evidence_ask(keeper, &evidence, &error), "%s: %s", rows[i].tee, error.text);
        }
        keeper_close(keeper);
        keeper = NULL;
        CHECK_NUMBER(program_end(&program), 0);
        fake_kernel_stop(&kernel);
    }
}

/* The log leads to the register, or (without one) to what the keyset says. */
static void check_log(struct keeper *keeper, const struct fake_kernel *kernel, bool has_register,
                      uint64_t count)
{
    struct error error = { 0 };
    struct events_verdict verdict;
    struct events_expected expected = { .has_register = has_register };
    AUTO_BUFFER struct buffer log;
    buffer_init(&log, EVENTS_SIZE_MAX);
    CHECK_NOTE(keeper_events(keeper, 0, &log, &error), "%s", error.text);
    expected.value = kernel->script->event_register;
    bool held = events_verify(&verdict, buffer_view(&log), &expected, &error);
    CHECK_NOTE(held && verdict.count == count, "%s, %d entries", error.text, (int)verdict.count);
    CHECK_NOTE(!has_register || verdict.covered == verdict.count, "%d of %d are covered",
               (int)verdict.covered, (int)verdict.count);
}

/* What is loaded and released is in the register before it happens, and after kill -9 the log goes
 * on; what the register refuses does not happen. */
static void extends_before_it_releases(void)
{
    static const struct {
        enum fake_provider provider;
        const char *tee;
        bool has_register;
    } rows[] = { { FAKE_TSM_TDX, "tdx", true },
                 { FAKE_NSM, "nitro", true },
                 { FAKE_TSM_SNP, "snp", false } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct fake_kernel kernel;
        struct program program;
        struct error error = { 0 };
        const char *reason;
        if (!fake_kernel_start(&kernel, &reason))
            SKIP("%s", reason);
        kernel.script->provider = rows[i].provider;
        AUTO(keeper) struct keeper *keeper = NULL;
        AUTO_BUFFER struct buffer evidence;
        buffer_init(&evidence, PLATFORM_EVIDENCE_MAX);
        REQUIRE(program_start(&program, &kernel, rows[i].tee));
        REQUIRE(keeper_connect(&keeper, program.socket, &error));
        bool done = keeper_append(keeper, "load", "{\"version\":\"00\"}", &error);
        CHECK_NOTE(done, "%s: %s", rows[i].tee, error.text);
        CHECK_NOTE(evidence_ask(keeper, &evidence, &error), "%s", error.text);
        check_log(keeper, &kernel, rows[i].has_register, 3);
        CHECK_NUMBER(kernel.script->extend_count, rows[i].has_register ? 3 : 0);
        if (rows[i].has_register) {
            kernel.script->extend_fails = true;
            CHECK(!evidence_ask(keeper, &evidence, &error));
            CHECK(!keeper_append(keeper, "load", "{}", &error));
            kernel.script->extend_fails = false;
            check_log(keeper, &kernel, true, 3);
        }
        kill(program.pid, SIGKILL);
        CHECK_NUMBER(program_end(&program), -SIGKILL);
        keeper_close(keeper);
        keeper = NULL;
        REQUIRE(program_start(&program, &kernel, rows[i].tee));
        REQUIRE(keeper_connect(&keeper, program.socket, &error));
        check_log(keeper, &kernel, rows[i].has_register, rows[i].has_register ? 4 : 1);
        CHECK(keeper_append(keeper, "load", "{}", &error));
        check_log(keeper, &kernel, rows[i].has_register, rows[i].has_register ? 5 : 2);
        keeper_close(keeper);
        keeper = NULL;
        CHECK_NUMBER(program_end(&program), 0);
        if (rows[i].has_register) { /* somebody else extends it */
            kernel.script->event_register.bytes[0] ^= 1;
            struct keeper_info info;
            REQUIRE(program_start(&program, &kernel, rows[i].tee));
            REQUIRE(keeper_connect(&keeper, program.socket, &error));
            CHECK(!keeper_get_info(keeper, &info, &error)); /* it looks when it is spoken to */
            CHECK_NUMBER(program_end(&program), error_exit_code(ERROR_CORRUPT));
            keeper_close(keeper);
            keeper = NULL;
        }
        fake_kernel_stop(&kernel);
    }
}

static void does_not_serve_without_a_sound_kernel(void)
{
    struct fake_kernel kernel;
    struct program program;
    const char *reason;
    if (!fake_kernel_start(&kernel, &reason))
        SKIP("%s", reason);
    static const char *const names[] = { "auto", "tdx", "snp", "nitro", "sgx" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        REQUIRE(program_start(&program, &kernel, names[i]));
        CHECK_NUMBER(program_end(&program), error_exit_code(ERROR_UNAVAILABLE));
        close(program.socket);
    }
    kernel.script->provider = FAKE_TSM_TDX;
    kernel.script->lies = true;
    REQUIRE(program_start(&program, &kernel, "auto"));
    CHECK_NUMBER(program_end(&program), error_exit_code(ERROR_INVALID));
    close(program.socket);
    kernel.script->lies = false;
    kernel.script->hangs = true;
    REQUIRE(program_start(&program, &kernel, "auto"));
    CHECK_NUMBER(program_end(&program), error_exit_code(ERROR_TIMEOUT));
    close(program.socket);
    kernel.script->hangs = false;
    fake_kernel_stop(&kernel);
}

static const struct test tests[] = {
    TEST(gives_evidence_from_its_jail),
    TEST(extends_before_it_releases),
    TEST(does_not_serve_without_a_sound_kernel),
};
TEST_MAIN(tests)
