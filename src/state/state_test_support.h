/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of state: a clock that is set, and transactions in a word. */
#ifndef STATE_STATE_TEST_SUPPORT_H
#define STATE_STATE_TEST_SUPPORT_H

#include "state/state.h"

extern uint64_t test_wall_ms, test_monotonic_ms;
extern const struct clock test_clock;

/* In namespace n. */
struct kv_key test_key(const char *key);
struct transaction *test_begin(struct state *state);
bool test_set(struct transaction *transaction, const char *key, const char *value);
/* "-" when there is none, the error's name when it fails. */
const char *test_get(struct transaction *transaction, const char *key);
/* Ends it; `outcome` may be NULL. */
enum error_code test_commit(struct transaction *transaction, struct transaction_outcome *outcome);
void test_set_now(struct state *state, const char *key, const char *value);
/* "a=1;b=2;", with "+" behind when there is more; `take_max` 0: as many as there are. */
const char *test_list(struct transaction *transaction, const char *prefix, const char *after,
                      size_t limit, size_t take_max);

#define STATE()                                                                                    \
    AUTO(state) struct state *state = NULL;                                                        \
    {                                                                                              \
        struct error state_error;                                                                  \
        REQUIRE(state_new(&state, &test_clock, &state_error));                                     \
    }

#endif
