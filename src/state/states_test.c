/* SPDX-License-Identifier: Apache-2.0 */
/* States on the disk: groups, receipts, failures, tampering, and a process that is killed. */
#include "base/file.h"
#include "state/states_test_support.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool increment_and_wait(struct states *states, const char *key)
{
    struct error error;
    struct test_outcome outcome = { 0 };
    AUTO(state) struct state *state = NULL;
    long sum;
    if (!states_get(states, "app", &state, &error) ||
        test_increment(states, state, key, &outcome, &sum) != ERROR_NONE)
        return false;
    test_wait_for(states, &outcome, 1);
    return outcome.failed == 0;
}

static const char *value_of(struct states *states, const char *key)
{
    struct error error = { 0 };
    AUTO(state) struct state *state = NULL;
    if (!states_get(states, "app", &state, &error))
        return error_name(error.code);
    struct transaction *transaction = test_begin(state);
    const char *value = test_get(transaction, key);
    transaction_end(transaction);
    return value;
}

static void what_was_written_is_there_after_reopening(void)
{
    const char *path = test_store_path("reopen");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    struct state_facts before, after;
    REQUIRE(test_states_open(&states, path, &error));
    CHECK_STRING(value_of(states, "n"), "-");
    for (unsigned i = 0; i < 5; i++)
        CHECK(increment_and_wait(states, "n"));
    CHECK(increment_and_wait(states, "m"));
    AUTO(state) struct state *state = NULL;
    REQUIRE(states_get(states, "app", &state, &error));
    CHECK(states_is_settled(states, state));
    before = state_facts(state);
    state_release(TAKE(state));
    states_close(TAKE(states));
    REQUIRE(test_states_open(&states, path, &error));
    CHECK_STRING(value_of(states, "n"), "5");
    CHECK_STRING(value_of(states, "m"), "1");
    REQUIRE(states_get(states, "app", &state, &error));
    after = state_facts(state);
    CHECK(digest32_equal(&before.head.digest, &after.head.digest));
    CHECK_NUMBER(after.head.revision, 6);
    CHECK_NUMBER(after.size, before.size);
    CHECK(test_has_receipt(states, "n-5", "5"));
    CHECK(!test_has_receipt(states, "n-6", "6"));
    /* Another application of the node sees nothing of it. */
    AUTO(state) struct state *other = NULL;
    REQUIRE(states_get(states, "app2", &other, &error));
    CHECK_NUMBER(state_facts(other).count, 0);
}

static void many_commits_share_a_write(void)
{
    const char *path = test_store_path("groups");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome outcome = { 0 }, barrier = { 0 };
    long sum = 0;
    REQUIRE(test_states_open(&states, path, &error) && states_get(states, "app", &state, &error));
    for (unsigned i = 0; i < 3000; i++)
        REQUIRE(test_increment(states, state, "n", &outcome, &sum) == ERROR_NONE);
    CHECK(!states_is_settled(states, state));
    CHECK(states_write(states, state, NULL, NULL, test_written, &barrier, &error));
    test_wait_for(states, &barrier, 1);
    CHECK_NUMBER(outcome.done, 3000); /* the barrier came after all of them */
    CHECK_NUMBER(outcome.failed, 0);
    CHECK_NUMBER(sum, 3000);
    struct states_counts counts = states_counts(states);
    CHECK_NUMBER(counts.commits, 3000);
    CHECK(counts.groups > 0 && counts.groups < 1500);
    state_release(TAKE(state));
    states_close(TAKE(states));
    REQUIRE(test_states_open(&states, path, &error));
    CHECK_STRING(value_of(states, "n"), "3000");
}

static void the_last_receipts_are_kept(void)
{
    const char *path = test_store_path("receipts");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome outcome = { 0 };
    long sum = 0;
    REQUIRE(test_states_open(&states, path, &error));
    for (unsigned round = 1; round <= 3; round++) {
        REQUIRE(states_get(states, "app", &state, &error));
        for (unsigned i = 0; i < 2000; i++)
            REQUIRE(test_increment(states, state, "n", &outcome, &sum) == ERROR_NONE);
        test_wait_for(states, &outcome, 2000 * round);
        state_release(TAKE(state));
        if (round == 2) {
            states_close(TAKE(states));
            REQUIRE(test_states_open(&states, path, &error));
        }
    }
    CHECK(test_has_receipt(states, "n-6000", "6000"));
    CHECK(test_has_receipt(states, "n-1905", "1905")); /* 6000 - 4096 + 1 */
    CHECK(!test_has_receipt(states, "n-1904", "1904"));
    CHECK(!test_has_receipt(states, "n-1", "1"));
    CHECK(!test_has_receipt(states, "", "") && !test_has_receipt(states, "../x", ""));
}

static void a_commit_that_is_not_written_never_was(void)
{
    const char *path = test_store_path("failure");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome outcome = { 0 };
    long sum;
    test_sealing = (struct test_sealer){ 0 };
    REQUIRE(test_states_open(&states, path, &error));
    CHECK(increment_and_wait(states, "n"));
    REQUIRE(states_get(states, "app", &state, &error));
    struct transaction *open = test_begin(state);
    CHECK_STRING(test_get(open, "n"), "1");
    test_sealing.fail_at = test_sealing.calls + 1;
    for (unsigned i = 0; i < 50; i++) /* each depends on the one before */
        CHECK_NUMBER(test_increment(states, state, "n", &outcome, &sum), ERROR_NONE);
    CHECK_NUMBER(sum, 51);
    test_wait_for(states, &outcome, 50);
    CHECK_NUMBER(outcome.failed, 50);
    CHECK(state_is_spoilt(state));
    CHECK_STRING(test_get(open, "n"), "conflict");
    transaction_end(open);
    CHECK_NUMBER(test_increment(states, state, "n", &outcome, &sum), ERROR_CONFLICT);
    CHECK_STRING(value_of(states, "n"), "1"); /* read anew */
    CHECK(!test_has_receipt(states, "n-2", "2"));
    CHECK(increment_and_wait(states, "n"));
    CHECK(test_has_receipt(states, "n-2", "2"));
    CHECK_STRING(value_of(states, "n"), "2");
}

static void what_is_removed_is_gone(void)
{
    const char *path = test_store_path("removed");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    char key[16];
    REQUIRE(test_states_open(&states, path, &error));
    for (unsigned i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        REQUIRE(increment_and_wait(states, key));
    }
    CHECK(states_remove(states, "app", &error));
    CHECK_STRING(value_of(states, "k7"), "-");
    CHECK(increment_and_wait(states, "n"));
    states_close(TAKE(states));
    REQUIRE(test_states_open(&states, path, &error));
    CHECK_STRING(value_of(states, "k7"), "-");
    CHECK_STRING(value_of(states, "n"), "1");
    CHECK(states_remove(states, "never-there", &error));
    CHECK(!states_remove(states, "", &error));
}

/* What was said to be removed is: on the disk, before states_remove returns. */
static void a_removal_waits_for_its_commit(void)
{
    const char *path = test_store_path("at-once");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    test_sealing = (struct test_sealer){ 0 };
    REQUIRE(test_states_open(&states, path, &error));
    CHECK(increment_and_wait(states, "n"));
    test_sealing.fail_at = test_sealing.calls + 1;
    CHECK(!states_remove(states, "app", &error));
    CHECK_NUMBER(error.code, ERROR_UNAVAILABLE);
    CHECK_STRING(value_of(states, "n"), "1");
    states_close(TAKE(states));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(test_states_open(&states, path, &error) && states_remove(states, "app", &error) ? 0
                                                                                              : 1);
    int status;
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    REQUIRE(test_states_open(&states, path, &error));
    CHECK_STRING(value_of(states, "n"), "-");
}

/* --- what the disk's owner can do --- */

static bool make(const char *path)
{
    struct error error;
    AUTO(states) struct states *states = NULL;
    char command[9000];
    unlink(path);
    bool made = test_states_open(&states, path, &error) && increment_and_wait(states, "a") &&
                increment_and_wait(states, "b");
    states_close(TAKE(states));
    snprintf(command, sizeof(command), "cp '%s' '%s.old'", path, path);
    made = made && system(command) == 0 && test_states_open(&states, path, &error) &&
           increment_and_wait(states, "a");
    CHECK(made);
    return made;
}

/* The code of the first failure when everything is read. */
static enum error_code read_all(const char *path)
{
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    if (!test_states_open(&states, path, &error) || !states_get(states, "app", &state, &error))
        return error.code;
    return ERROR_NONE;
}

static void every_edit_is_noticed(void)
{
    const char *path = test_store_path("tampered");
    REQUIRE(make(path));
    CHECK_NUMBER(read_all(path), ERROR_NONE);
    char one[9000], all[9000];
#define OLD_ROWS                                                                                   \
    "ATTACH '%s.old' AS o; DELETE FROM main.record WHERE space='kv/app' AND key %s 'head';"        \
    "INSERT INTO main.record SELECT * FROM o.record WHERE space='kv/app' AND key %s 'head';"
    snprintf(one, sizeof(one), OLD_ROWS, path, "=", "=");
    snprintf(all, sizeof(all), OLD_ROWS, path, "<>", "<>");
    const char *const edits[] = {
        "UPDATE record SET value = zeroblob(60) WHERE space='kv/app'",
        "UPDATE record SET revision = revision + 1 WHERE space='kv/app' AND key='head'",
        "DELETE FROM record WHERE space='kv/app' AND key='head'",
        "DELETE FROM record WHERE space='kv/app' AND key<>'head'",
        "DELETE FROM record WHERE space='kv/app'",
        "UPDATE record SET space = 'kv/app2' WHERE space='kv/app'",
        /* swapped values */
        "UPDATE record SET value = (SELECT r.value FROM record r WHERE r.space='kv/app' AND "
        "r.key<>record.key AND r.key<>'head') WHERE space='kv/app' AND key<>'head'",
        one,
        all,
    };
    for (size_t i = 0; i < ARRAY_COUNT(edits); i++) {
        REQUIRE(make(path));
        REQUIRE(test_sql(path, edits[i]));
        CHECK_NOTE(read_all(path) == ERROR_CORRUPT, "edit %zu", i);
    }
}

/* Removing does not read: a state that can't be read any more is not for ever.
 */
static void what_is_corrupt_can_be_removed(void)
{
    const char *path = test_store_path("corrupt");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    REQUIRE(make(path));
    REQUIRE(test_sql(path, "UPDATE record SET value = zeroblob(60) WHERE "
                           "space='kv/app' AND key<>'head'"));
    CHECK_NUMBER(read_all(path), ERROR_CORRUPT);
    REQUIRE(test_states_open(&states, path, &error));
    CHECK(states_remove(states, "app", &error));
    CHECK(increment_and_wait(states, "a"));
    CHECK_STRING(value_of(states, "a"), "1");
    states_close(TAKE(states));
    CHECK_NUMBER(read_all(path), ERROR_NONE);
}

static void names_and_values_are_not_on_the_disk(void)
{
    const char *path = test_store_path("secret");
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    char command[9000];
    REQUIRE(test_states_open(&states, path, &error));
    AUTO(state) struct state *state = NULL;
    AUTO(transaction) struct transaction *transaction = NULL;
    struct state_change *change = NULL;
    struct transaction_outcome result;
    struct test_outcome outcome = { 0 };
    REQUIRE(states_get(states, "app", &state, &error));
    REQUIRE(transaction_begin(&transaction, state, &error));
    CHECK(test_set(transaction, "canary-name", "canary-value"));
    REQUIRE(transaction_commit(transaction, &change, &result, &error));
    REQUIRE(states_write(states, state, change, NULL, test_written, &outcome, &error));
    test_wait_for(states, &outcome, 1);
    states_close(TAKE(states));
    snprintf(command, sizeof(command), "grep -c -a canary- '%s' > /dev/null", path);
    CHECK(system(command) != 0);
    snprintf(command, sizeof(command), "grep -c -a kv/app '%s' > /dev/null", path);
    CHECK(system(command) == 0);
}

/* --- killed at any time --- */

static void work_until_killed(const char *path, int progress)
{
    struct error error;
    struct states *states = NULL;
    struct state *state = NULL;
    long sums[8];
    if (!test_states_open(&states, path, &error) || !states_get(states, "app", &state, &error))
        _exit(2);
    for (;;) {
        struct test_outcome outcome = { 0 };
        for (unsigned i = 0; i < ARRAY_COUNT(sums); i++) {
            if (test_increment(states, state, "n", &outcome, &sums[i]) != ERROR_NONE)
                _exit(3);
        }
        while (outcome.done < ARRAY_COUNT(sums)) {
            struct pollfd descriptor = { states_descriptor(states), POLLIN, 0 };
            poll(&descriptor, 1, -1);
            unsigned before = outcome.done;
            states_take(states);
            if (outcome.failed > 0)
                _exit(4);
            for (unsigned i = before; i < outcome.done; i++) {
                if (write(progress, &sums[i], sizeof(sums[i])) != sizeof(sums[i]))
                    _exit(5);
            }
        }
    }
}

static void kill_loses_and_doubles_nothing(void)
{
    const char *path = test_store_path("killed");
    uint64_t random = 3;
    long last = 0, number;
    for (unsigned round = 0; round < 12; round++) {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0)
            work_until_killed(path, ends[1]);
        close(ends[1]);
        usleep((useconds_t)(test_random(&random) % 30000));
        long before = last;
        for (unsigned i = 0; i < 5 && read(ends[0], &number, sizeof(number)) > 0; i++)
            last = number;
        kill(child, SIGKILL);
        while (read(ends[0], &number, sizeof(number)) == sizeof(number))
            last = number;
        close(ends[0]);
        int status;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && last > before);
        struct error error = { 0 };
        AUTO(states) struct states *states = NULL;
        REQUIRE(test_states_open(&states, path, &error));
        long there = strtol(value_of(states, "n"), NULL, 10);
        CHECK(there >= last && there <= last + 8); /* what was under way may be there */
        for (long i = MAX(before, there - 100) + 1; i <= there + 1; i++) {
            char id[32], text[32];
            snprintf(id, sizeof(id), "n-%ld", i);
            snprintf(text, sizeof(text), "%ld", i);
            CHECK(test_has_receipt(states, id, text) == (i <= there));
        }
        last = there;
    }
}

/* Power that went in the middle of a write: the log behind the store ends anywhere, or in garbage.
 * What is there then is a state that once was, with exactly its receipts. */
static void a_torn_log_leaves_a_state_that_was(void)
{
    const char *path = test_store_path("torn");
    char command[13000], log[4200];
    int ends[2];
    long number, last = 0;
    REQUIRE(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0)
        work_until_killed(path, ends[1]);
    close(ends[1]);
    while (last < 60 && read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    kill(child, SIGKILL);
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    snprintf(log, sizeof(log), "%s-wal", path);
    snprintf(command, sizeof(command), "cp '%s' '%s.kept' && cp '%s' '%s.kept'", path, path, log,
             log);
    REQUIRE(system(command) == 0);
    struct stat whole;
    REQUIRE(stat(log, &whole) == 0 && whole.st_size > 0);
    uint64_t random = 11;
    unsigned opened = 0;
    for (unsigned round = 0; round < 24; round++) {
        off_t cut = (off_t)(test_random(&random) % (uint64_t)whole.st_size);
        snprintf(command, sizeof(command),
                 "cp '%s.kept' '%s' && cp '%s.kept' '%s' && truncate -s %ld '%s' && %s", path, path,
                 log, log, (long)cut, log,
                 round % 2 == 0 ? "true" : "head -c 5000 /dev/urandom >>");
        if (round % 2 != 0)
            snprintf(command + strlen(command), sizeof(command) - strlen(command), " '%s'", log);
        REQUIRE(system(command) == 0);
        struct error error = { 0 };
        AUTO(states) struct states *states = NULL;
        if (!test_states_open(&states, path, &error)) {
            CHECK_NOTE(error.code == ERROR_CORRUPT && cut < 100000, "%s", error.text);
            continue;
        }
        opened++;
        long there = strtol(value_of(states, "n"), NULL, 10);
        CHECK(there >= 0 && there <= last + 8);
        for (long i = MAX(there - 20, 0) + 1; i <= there + 2; i++) {
            char id[32], text[32];
            snprintf(id, sizeof(id), "n-%ld", i);
            snprintf(text, sizeof(text), "%ld", i);
            CHECK(test_has_receipt(states, id, text) == (i <= there));
        }
    }
    CHECK(opened > 10);
}

/* --- a full disk --- */

static int fill_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("small", folder, "tmpfs", 0, "size=1m") != 0)
        return 77;
    char path[4200], key[32];
    snprintf(path, sizeof(path), "%s/full.db", folder);
    static uint8_t value[20000];
    struct error error = { 0 };
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    if (!test_states_open(&states, path, &error))
        return 1;
    unsigned written = 0;
    struct test_outcome outcome = { 0 };
    for (; written < 1000 && outcome.failed == 0; written++) {
        AUTO(transaction) struct transaction *transaction = NULL;
        struct state_change *change;
        struct transaction_outcome result;
        state_release(TAKE(state));
        snprintf(key, sizeof(key), "k%u", written);
        if (!states_get(states, "app", &state, &error) ||
            !transaction_begin(&transaction, state, &error) ||
            !transaction_set(transaction, test_key(key), BYTES_OF(value), 0, &error) ||
            !transaction_commit(transaction, &change, &result, &error) ||
            !states_write(states, state, change, NULL, test_written, &outcome, &error))
            return 2;
        test_wait_for(states, &outcome, written + 1);
    }
    if (written < 5 || outcome.failed != 1 || outcome.code != ERROR_NO_SPACE)
        return 3;
    for (unsigned round = 0; round < 2; round++) {
        state_release(TAKE(state));
        if (!states_get(states, "app", &state, &error))
            return 4;
        if (state_facts(state).count != written - 1)
            return 5;
        state_release(TAKE(state));
        states_close(TAKE(states));
        if (!test_states_open(&states, path, &error))
            return 6;
    }
    return 0;
}

static void a_full_disk_loses_nothing(void)
{
    if (geteuid() != 0)
        SKIP("a small disk can only be mounted as root");
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s/small", test_folder());
    REQUIRE(mkdir(folder, 0700) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int code = fill_disk(folder);
        fflush(stdout);
        _exit(code);
    }
    int status;
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        SKIP("no mount of a tmpfs here");
    CHECK_NUMBER(WEXITSTATUS(status), 0);
}

static const struct test tests[] = {
    TEST(what_was_written_is_there_after_reopening),
    TEST(many_commits_share_a_write),
    TEST(the_last_receipts_are_kept),
    TEST(a_commit_that_is_not_written_never_was),
    TEST(what_is_removed_is_gone),
    TEST(a_removal_waits_for_its_commit),
    TEST(every_edit_is_noticed),
    TEST(what_is_corrupt_can_be_removed),
    TEST(names_and_values_are_not_on_the_disk),
    TEST(kill_loses_and_doubles_nothing),
    TEST(a_torn_log_leaves_a_state_that_was),
    TEST(a_full_disk_loses_nothing),
};
TEST_MAIN(tests)
