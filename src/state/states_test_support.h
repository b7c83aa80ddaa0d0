/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of states on the disk. */
#ifndef STATE_STATES_TEST_SUPPORT_H
#define STATE_STATES_TEST_SUPPORT_H

#include "state/state_test_support.h"
#include "state/states.h"
#include "store/store_test_support.h"

extern struct test_sealer test_sealing;
extern bool test_is_alone; /* the commits of test_increment */
bool test_states_open(struct states **states, const char *path, struct error *error);

/* What test_written was told, as `written` of whatever has one. */
struct test_outcome {
    unsigned done, failed;
    enum error_code code;
    unsigned place; /* of the last time, among all outcomes */
};
void test_written(void *context, const struct error *error);
/* Until it was told so often, or nothing came for 20 seconds. */
void test_wait_for(struct states *states, const struct test_outcome *outcome, unsigned count);
/* Whether there is this receipt, with this text. */
bool test_has_receipt(struct states *states, const char *id, const char *text);
/* Reads the counter, adds one, commits, gives it to the thread with a receipt that says the sum. */
enum error_code test_increment(struct states *states, struct state *state, const char *key,
                               struct test_outcome *outcome, long *sum);

#endif
