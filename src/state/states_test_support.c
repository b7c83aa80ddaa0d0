/* SPDX-License-Identifier: Apache-2.0 */
#include "state/states_test_support.h"

#include "tests/harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_sealer test_sealing;
bool test_is_alone;

bool test_states_open(struct states **states, const char *path, struct error *error)
{
    struct states_options options = { .path = path,
                                      .sealer = test_sealer_of(&test_sealing),
                                      .clock = &clock_system };
    return states_open(states, &options, error);
}

void test_written(void *context, const struct error *error)
{
    static unsigned count;
    struct test_outcome *outcome = context;
    outcome->done++;
    outcome->place = ++count;
    if (error != NULL) {
        outcome->failed++;
        outcome->code = error->code;
    }
}

void test_wait_for(struct states *states, const struct test_outcome *outcome, unsigned count)
{
    while (outcome->done < count) {
        struct pollfd descriptor = { states_descriptor(states), POLLIN, 0 };
        if (poll(&descriptor, 1, TEST_PATIENCE_MS) <= 0)
            break;
        states_take(states);
    }
    CHECK_NUMBER(outcome->done, count);
}

struct looked_for {
    struct test_outcome outcome;
    const char *text;
    bool is_there;
};

static void on_receipt(void *context, const char *text, const struct error *error)
{
    struct looked_for *wanted = context;
    wanted->is_there = text != NULL && strcmp(text, wanted->text) == 0;
    test_written(&wanted->outcome, error);
}

bool test_has_receipt(struct states *states, const char *id, const char *text)
{
    struct error error;
    struct looked_for wanted = { .text = text };
    if (!states_receipt_find(states, id, on_receipt, &wanted, &error))
        return false;
    test_wait_for(states, &wanted.outcome, 1);
    return wanted.is_there;
}

enum error_code test_increment(struct states *states, struct state *state, const char *key,
                               struct test_outcome *outcome, long *sum)
{
    struct error error = { 0 };
    AUTO(transaction) struct transaction *transaction = NULL;
    struct state_change *change = NULL;
    struct transaction_outcome result;
    if (!transaction_begin(&transaction, state, &error))
        return error.code;
    const char *value = test_get(transaction, key);
    char text[32], id[32];
    *sum = strcmp(value, "-") == 0 ? 1 : strtol(value, NULL, 10) + 1;
    snprintf(text, sizeof(text), "%ld", *sum);
    snprintf(id, sizeof(id), "%s-%ld", key, *sum);
    struct states_receipt receipt = { id, bytes_of_string(text), test_is_alone };
    if (!test_set(transaction, key, text) ||
        !transaction_commit(transaction, &change, &result, &error) ||
        !states_write(states, state, change, &receipt, test_written, outcome, &error))
        return error.code;
    return ERROR_NONE;
}
