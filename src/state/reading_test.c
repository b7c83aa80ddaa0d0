/* SPDX-License-Identifier: Apache-2.0 */
/* What takes long: reading a large state, and taking a removed one off the disk.  Nobody else is
 * held up. */
#include "state/states_test_support.h"
#include "tests/harness.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

enum {
    BIG = 1000
};

/* The thread, held while a test lays out work for it. */
struct hold {
    sem_t held, released;
};

static bool hold_run(void *context, struct store *store UNUSED, struct error *error UNUSED)
{
    struct hold *hold = context;
    sem_post(&hold->held);
    sem_wait(&hold->released);
    return true;
}

static void hold_ended(void *context UNUSED, const struct error *failure)
{
    CHECK(failure == NULL);
}

static void hold_begin(struct hold *hold, struct states *states)
{
    struct error error;
    sem_init(&hold->held, 0, 0);
    sem_init(&hold->released, 0, 0);
    CHECK(states_run(states, hold_run, hold, hold_ended, &error));
    sem_wait(&hold->held);
}

static bool big_write(const char *path)
{
    struct error error;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    if (!test_states_open(&states, path, &error) || !states_get(states, "big", &state, &error))
        return false;
    for (unsigned i = 0; i < BIG;) {
        struct test_outcome outcome = { 0 };
        struct state_change *change = NULL;
        struct transaction_outcome result;
        AUTO(transaction) struct transaction *transaction = test_begin(state);
        for (unsigned end = i + 250; i < end; i++) {
            char key[16];
            snprintf(key, sizeof(key), "k%u", i);
            if (!test_set(transaction, key, "value"))
                return false;
        }
        if (!transaction_commit(transaction, &change, &result, &error) ||
            !states_write(states, state, change, NULL, test_written, &outcome, &error))
            return false;
        test_wait_for(states, &outcome, 1);
    }
    return true;
}

static void others_go_on_while_a_state_is_read(void)
{
    const char *path = test_store_path("beside");
    struct error error;
    struct hold hold;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *small = NULL, *big = NULL;
    struct test_outcome read = { 0 }, again = { 0 }, written = { 0 }, small_read = { 0 };
    long sum;
    REQUIRE(big_write(path) && test_states_open(&states, path, &error));
    REQUIRE(states_get(states, "app", &small, &error));
    CHECK(!states_is_there(states, "big"));
    hold_begin(&hold, states);
    REQUIRE(states_read(states, "big", test_written, &read, &error) &&
            states_read(states, "big", test_written, &again, &error) &&
            states_read(states, "other", test_written, &small_read, &error));
    CHECK(!states_is_there(states, "big"));
    CHECK_NUMBER(test_increment(states, small, "n", &written, &sum), ERROR_NONE);
    sem_post(&hold.released);
    test_wait_for(states, &written, 1);
    test_wait_for(states, &small_read, 1);
    test_wait_for(states, &read, 1);
    test_wait_for(states, &again, 1);
    /* The commit went before it, though it came later, and so did what takes less. */
    CHECK(written.place < small_read.place && small_read.place < read.place);
    CHECK_NUMBER(read.failed + again.failed + written.failed + small_read.failed, 0);
    CHECK(states_is_there(states, "big") && states_is_there(states, "other"));
    REQUIRE(states_get(states, "big", &big, &error));
    CHECK_NUMBER(state_facts(big).count, BIG);
}

static void who_cannot_wait_may_ask_meanwhile(void)
{
    const char *path = test_store_path("meanwhile");
    struct error error;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *first = NULL, *second = NULL;
    struct test_outcome read = { 0 };
    REQUIRE(big_write(path) && test_states_open(&states, path, &error));
    REQUIRE(states_read(states, "big", test_written, &read, &error));
    REQUIRE(states_get(states, "big", &first, &error)); /* waits */
    REQUIRE(states_get(states, "big", &second, &error));
    CHECK(first == second);
    CHECK_NUMBER(state_facts(first).count, BIG);
    test_wait_for(states, &read, 1);
    CHECK_NUMBER(read.failed, 0);
}

static void on_receipt(void *context, const char *text, const struct error *error)
{
    CHECK(text != NULL && strcmp(text, "1") == 0);
    test_written(context, error);
}

/* The caller goes on, whatever the thread is at; a hang here is the failure. */
static void who_looks_for_a_receipt_does_not_wait(void)
{
    const char *path = test_store_path("receipt");
    struct error error;
    struct hold hold;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome written = { 0 }, found = { 0 };
    long sum;
    REQUIRE(test_states_open(&states, path, &error) && states_get(states, "app", &state, &error));
    hold_begin(&hold, states);
    CHECK_NUMBER(test_increment(states, state, "n", &written, &sum), ERROR_NONE);
    REQUIRE(states_receipt_find(states, "n-1", on_receipt, &found, &error));
    CHECK_NUMBER(found.done, 0);
    sem_post(&hold.released);
    test_wait_for(states, &found, 1); /* in order: what was committed before it is seen */
    CHECK_NUMBER(found.failed + written.failed, 0);
}

static void what_is_removed_while_it_is_read_is_not_there(void)
{
    const char *path = test_store_path("removed-meanwhile");
    struct error error;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome read = { 0 };
    REQUIRE(big_write(path) && test_states_open(&states, path, &error));
    REQUIRE(states_read(states, "big", test_written, &read, &error));
    REQUIRE(states_remove(states, "big", &error));
    test_wait_for(states, &read, 1);
    CHECK_NUMBER(read.code, ERROR_CONFLICT);
    REQUIRE(states_get(states, "big", &state, &error));
    CHECK_NUMBER(state_facts(state).count, 0);
}

static void what_is_corrupt_is_told_to_all_who_wait(void)
{
    const char *path = test_store_path("corrupt-wait");
    struct error error;
    AUTO(states) struct states *states = NULL;
    AUTO(state) struct state *state = NULL;
    struct test_outcome read = { 0 };
    REQUIRE(big_write(path) && test_states_open(&states, path, &error));
    test_sealing.fail_at = test_sealing.calls + 500;
    REQUIRE(states_read(states, "big", test_written, &read, &error));
    test_wait_for(states, &read, 1);
    CHECK_NUMBER(read.failed, 1);
    test_sealing.fail_at = 0;
    CHECK(!states_is_there(states, "big"));
    REQUIRE(states_get(states, "big", &state, &error)); /* the disk is well again */
    CHECK_NUMBER(state_facts(state).count, BIG);
}

struct left {
    struct test_outcome counted; /* test_written's */
    size_t count;
};

static bool left_count(void *context, struct store *store, struct error *error)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct left *left = context;
    if (!store_list(store, (struct store_key){ "kv/big", "" }, NULL, STORE_LIST_MAX, &page, error))
        return false;
    left->count = page.count;
    return true;
}

/* A removal that the end of the process interrupts goes on at the next start, unasked. */
static void a_removal_is_finished_later(void)
{
    const char *path = test_store_path("swept");
    struct error error;
    AUTO(states) struct states *states = NULL;
    struct left left = { .count = BIG };
    REQUIRE(big_write(path) && test_states_open(&states, path, &error));
    REQUIRE(states_remove(states, "big", &error));
    states_close(
        TAKE(states)); /* not all of it has gone: a piece at a time, and no more at the end */
    REQUIRE(test_states_open(&states, path, &error));
    for (unsigned i = 0; i < 1000 && left.count > 0; i++) {
        left.counted.done = 0;
        REQUIRE(states_run(states, left_count, &left, test_written, &error));
        test_wait_for(states, &left.counted, 1);
    }
    CHECK_NUMBER(left.count, 0);
}

static const struct test tests[] = {
    TEST(others_go_on_while_a_state_is_read),
    TEST(who_cannot_wait_may_ask_meanwhile),
    TEST(who_looks_for_a_receipt_does_not_wait),
    TEST(what_is_removed_while_it_is_read_is_not_there),
    TEST(what_is_corrupt_is_told_to_all_who_wait),
    TEST(a_removal_is_finished_later),
};
TEST_MAIN(tests)
