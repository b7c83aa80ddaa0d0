/* SPDX-License-Identifier: Apache-2.0 */
/* Commits that the caller's thread writes itself: the same in everything but who writes. */
#include "state/states_parts.h"
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

enum {
    ATTEMPTS_MAX = 5000, /* the thread may have the store at any moment */
};

/* As if the disk were quick, or slow, whatever it is. */
static bool open_with(struct states **states, const char *path, bool is_quick)
{
    struct error error = { 0 };
    bool opened = test_states_open(states, path, &error);
    CHECK_NOTE(opened, "%s", error.text);
    if (!opened)
        return false;
    (*states)->direct_sync_ns_max = is_quick ? UINT64_MAX : 0;
    (*states)->direct_streak_min = 0;
    return true;
}

static bool increment(struct states *states, struct test_outcome *outcome, long *sum)
{
    struct error error = { 0 };
    AUTO(state) struct state *state = NULL;
    return states_get(states, "app", &state, &error) &&
           test_increment(states, state, "n", outcome, sum) == ERROR_NONE;
}

/* One after the other until one was written so, or failed; the sum. */
static long increment_until_direct(struct states *states, unsigned count)
{
    long sum = 0;
    struct test_outcome outcome = { 0 };
    uint64_t before = states_counts(states).direct;
    for (unsigned i = 0; i < ATTEMPTS_MAX && outcome.failed == 0; i++) {
        if (!increment(states, &outcome, &sum))
            break;
        test_wait_for(states, &outcome, i + 1);
        if (states_counts(states).direct >= before + count)
            break;
    }
    CHECK(states_counts(states).direct >= before + count);
    CHECK_NUMBER(outcome.failed, 0);
    return sum;
}

static long value_there(struct states *states)
{
    struct error error = { 0 };
    AUTO(state) struct state *state = NULL;
    if (!states_get(states, "app", &state, &error))
        return -(long)error.code;
    AUTO(transaction) struct transaction *transaction = test_begin(state);
    const char *text = test_get(transaction, "n");
    return strcmp(text, "-") == 0 ? 0 : strtol(text, NULL, 10);
}

static bool has_receipt(struct states *states, long sum)
{
    char id[32], text[32];
    snprintf(id, sizeof(id), "n-%ld", sum);
    snprintf(text, sizeof(text), "%ld", sum);
    return test_has_receipt(states, id, text);
}

static void one_alone_is_written_at_once(void)
{
    const char *path = test_store_path("alone");
    AUTO(states) struct states *states = NULL;
    test_is_alone = true;
    REQUIRE(open_with(&states, path, true));
    long sum = increment_until_direct(states, 20);
    CHECK_NUMBER(states_counts(states).commits, sum);
    CHECK_NUMBER(states_counts(states).groups, sum);
    states_close(TAKE(states));
    REQUIRE(open_with(&states, path, true));
    CHECK_NUMBER(value_there(states), sum);
    CHECK(has_receipt(states, sum) && has_receipt(states, 1) && !has_receipt(states, sum + 1));
}

/* Nobody is called from within the call that gives it, as ever. */
static void it_is_told_later(void)
{
    AUTO(states) struct states *states = NULL;
    struct test_outcome outcome = { 0 };
    long sum;
    test_is_alone = true;
    REQUIRE(open_with(&states, test_store_path("later"), true));
    increment_until_direct(states, 1);
    for (unsigned i = 0; i < 100; i++) {
        REQUIRE(increment(states, &outcome, &sum));
        CHECK_NUMBER(outcome.done, i);
        test_wait_for(states, &outcome, i + 1);
    }
}

static void others_are_the_threads(void)
{
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome outcome = { 0 };
    struct error error = { 0 };
    static uint8_t large[DIRECT_BYTES_MAX + 1];
    long sum;
    test_is_alone = true;
    REQUIRE(open_with(&states, test_store_path("slow"), false)); /* the disk is slow */
    for (unsigned i = 0; i < 50; i++) {
        REQUIRE(increment(states, &outcome, &sum));
        test_wait_for(states, &outcome, i + 1);
    }
    test_is_alone = false;
    states->direct_sync_ns_max = UINT64_MAX;
    for (unsigned i = 50; i < 100; i++) { /* others are about */
        REQUIRE(increment(states, &outcome, &sum));
        test_wait_for(states, &outcome, i + 1);
    }
    REQUIRE(states_get(states, "app", &state, &error));
    for (unsigned i = 100; i < 110; i++) { /* it takes long to be sealed */
        struct state_change *change;
        struct transaction_outcome result;
        struct states_receipt receipt = { "large", BYTES_LITERAL("large"), true };
        AUTO(transaction) struct transaction *transaction = test_begin(state);
        REQUIRE(transaction_set(transaction, test_key("l"), BYTES_OF(large), 0, &error) &&
                transaction_commit(transaction, &change, &result, &error) &&
                states_write(states, state, change, &receipt, test_written, &outcome, &error));
        test_wait_for(states, &outcome, i + 1);
    }
    CHECK_NUMBER(outcome.failed, 0);
    CHECK_NUMBER(states_counts(states).direct, 0);
}

/* Several clients: one is alone now and then. */
static void it_takes_several_in_a_row(void)
{
    AUTO(states) struct states *states = NULL;
    struct test_outcome outcome = { 0 };
    long sum;
    REQUIRE(open_with(&states, test_store_path("streak"), true));
    states->direct_streak_min = 3;
    for (unsigned i = 0; i < 120; i++) {
        test_is_alone = i % 4 != 3;
        REQUIRE(increment(states, &outcome, &sum));
        test_wait_for(states, &outcome, i + 1);
    }
    CHECK_NUMBER(states_counts(states).direct, 0);
    test_is_alone = true;
    increment_until_direct(states, 1);
}

/* None overtakes what the thread has to write, or is writing. */
static void order_is_kept(void)
{
    const char *path = test_store_path("order");
    AUTO(states) struct states *states = NULL;
    struct test_outcome outcome = { 0 };
    long sum = 0;
    uint64_t random = 5;
    REQUIRE(open_with(&states, path, true));
    for (unsigned i = 0; i < 2000; i++) {
        test_is_alone = test_random(&random) % 2 == 0;
        REQUIRE(increment(states, &outcome, &sum));
        if (test_random(&random) % 4 == 0)
            test_wait_for(states, &outcome, i + 1);
    }
    test_wait_for(states, &outcome, 2000);
    CHECK_NUMBER(outcome.failed, 0);
    CHECK_NUMBER(sum, 2000);
    states_close(TAKE(states));
    REQUIRE(open_with(&states, path, true));
    CHECK_NUMBER(value_there(states), 2000); /* the head fits what is there, or it were corrupt */
    CHECK(has_receipt(states, 1) && has_receipt(states, 2000));
}

static void one_that_is_not_written_never_was(void)
{
    AUTO(states) struct states *states = NULL;
    test_is_alone = true;
    test_sealing = (struct test_sealer){ 0 };
    REQUIRE(open_with(&states, test_store_path("failure"), true));
    long sum = increment_until_direct(states, 1), next;
    uint64_t before = states_counts(states).direct;
    for (unsigned i = 0; i < ATTEMPTS_MAX && states_counts(states).direct == before; i++) {
        AUTO(state) struct state *state = NULL;
        struct error error = { 0 };
        struct test_outcome outcome = { 0 };
        REQUIRE(states_get(states, "app", &state, &error));
        test_sealing.fail_at = test_sealing.calls + 1;
        CHECK_NUMBER(test_increment(states, state, "n", &outcome, &next), ERROR_NONE);
        CHECK(!states_is_settled(states, state)); /* it is told as any other */
        test_wait_for(states, &outcome, 1);
        CHECK_NUMBER(outcome.failed, 1);
        CHECK(state_is_spoilt(state));
        CHECK_NUMBER(test_increment(states, state, "n", &outcome, &next), ERROR_CONFLICT);
        CHECK_NUMBER(value_there(states), sum); /* read anew */
        CHECK(!has_receipt(states, sum + 1));
    }
    CHECK(states_counts(states).direct > before);
    CHECK(states_counts(states).failures > 0);
    CHECK(increment_until_direct(states, 1) > sum);
}

/* --- a process that is killed --- */

static void work_until_killed(const char *path, int progress)
{
    struct states *states = NULL;
    test_is_alone = true;
    if (!open_with(&states, path, true))
        _exit(2);
    for (;;) {
        struct test_outcome outcome = { 0 };
        long sum;
        if (!increment(states, &outcome, &sum))
            _exit(3);
        test_wait_for(states, &outcome, 1);
        if (outcome.failed > 0 || write(progress, &sum, sizeof(sum)) != sizeof(sum))
            _exit(4);
    }
}

static void kill_loses_and_doubles_nothing(void)
{
    const char *path = test_store_path("killed");
    uint64_t random = 9;
    long last = 0, number;
    for (unsigned round = 0; round < 8; round++) {
        int ends[2], status;
        REQUIRE(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0)
            work_until_killed(path, ends[1]);
        close(ends[1]);
        long before = last;
        unsigned wanted = 1 + (unsigned)(test_random(&random) % 60);
        for (unsigned i = 0; i < wanted && read(ends[0], &number, sizeof(number)) > 0; i++)
            last = number;
        kill(child, SIGKILL);
        while (read(ends[0], &number, sizeof(number)) == sizeof(number))
            last = number;
        close(ends[0]);
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && last > before);
        AUTO(states) struct states *states = NULL;
        REQUIRE(open_with(&states, path, true));
        long there = value_there(states);
        CHECK(there == last || there == last + 1); /* what was under way may be there */
        for (long i = MAX(before, there - 20) + 1; i <= there + 1; i++)
            CHECK(has_receipt(states, i) == (i <= there));
        last = there;
    }
}

/* --- a full disk --- */

static int fill_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("small", folder, "tmpfs", 0, "size=1m") != 0)
        return 77;
    char path[4200];
    snprintf(path, sizeof(path), "%s/full.db", folder);
    AUTO(states) struct states *states = NULL;
    struct test_outcome outcome = { 0 };
    long sum = 0;
    test_is_alone = true;
    if (!open_with(&states, path, true))
        return 1;
    while (outcome.done < 1000 && outcome.failed == 0) {
        if (!increment(states, &outcome, &sum))
            return 2;
        test_wait_for(states, &outcome, outcome.done + 1);
    }
    if (sum < 5 || outcome.failed != 1 || outcome.code != ERROR_NO_SPACE)
        return 3;
    for (unsigned round = 0; round < 2; round++) {
        if (value_there(states) != sum - 1 || has_receipt(states, sum))
            return 4;
        states_close(TAKE(states));
        if (!open_with(&states, path, true))
            return 5;
    }
    return increment(states, &outcome, &sum) ? 0 : 6; /* the log gave its room back */
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
    TEST(one_alone_is_written_at_once),
    TEST(it_is_told_later),
    TEST(others_are_the_threads),
    TEST(it_takes_several_in_a_row),
    TEST(order_is_kept),
    TEST(one_that_is_not_written_never_was),
    TEST(kill_loses_and_doubles_nothing),
    TEST(a_full_disk_loses_nothing),
};
TEST_MAIN(tests)
