/* SPDX-License-Identifier: Apache-2.0 */
/* commits FOLDER: microseconds per commit of states on the disk, one at a time and with 64 under
 * way, each of one small entry and a receipt of 2,000 bytes; two numbers. */
#include "../bench.h"
#include "base/clock.h"
#include "keys/sealing.h"
#include "state/states.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    COMMITS = 3000,
    CLIENTS = 64
};

static struct states *states;
static struct state *state;
static unsigned written_count;

static void written(void *context, const struct error *failure)
{
    (void)context;
    if (failure != NULL)
        error = *failure;
    check(failure == NULL, "commit");
    written_count++;
}

static void commit(unsigned number)
{
    static const char receipt[2000] = { 'r' };
    char key[16], id[40];
    struct transaction *transaction = NULL;
    struct state_change *change = NULL;
    struct transaction_outcome outcome;
    snprintf(key, sizeof(key), "k%u", number % CLIENTS);
    snprintf(id, sizeof(id), "%u", number);
    struct kv_key place = { BYTES_LITERAL("bench"), bytes_of_string(key) };
    struct states_receipt kept = { id, BYTES_OF(receipt), false };
    struct kv_entry entry;
    bool found;
    check(transaction_begin(&transaction, state, &error) &&
              transaction_get(transaction, place, &entry, &found, &error) &&
              transaction_set(transaction, place, BYTES_LITERAL("0123456789"), 0, &error) &&
              transaction_commit(transaction, &change, &outcome, &error),
          "transaction");
    transaction_end(transaction);
    check(states_write(states, state, change, &kept, written, NULL, &error), "write");
}

static double run_us(unsigned at_once, unsigned from)
{
    unsigned begun = 0;
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    for (written_count = 0; written_count < COMMITS;) {
        while (begun < COMMITS && begun < written_count + at_once)
            commit(from + begun++);
        struct pollfd descriptor = { states_descriptor(states), POLLIN, 0 };
        poll(&descriptor, 1, 1000);
        states_take(states);
    }
    return (double)(clock_monotonic_ns(&clock_system) - start_ns) / 1000 / (double)COMMITS;
}

int main(int argc, char **argv)
{
    char path[4096];
    struct secret32 root = { { 1 } };
    struct states_options options = { .sealer = sealing_local(&root), .clock = &clock_system };
    if (argc != 2)
        return 2;
    snprintf(path, sizeof(path), "%s/state.db", argv[1]);
    options.path = path;
    check(states_open(&states, &options, &error) && states_get(states, "bench", &state, &error),
          "open");
    (void)run_us(CLIENTS, 0);
    double single_us = run_us(1, COMMITS), many_us = run_us(CLIENTS, 2 * COMMITS);
    printf("%.1f %.1f\n", single_us, many_us);
    state_release(state);
    states_close(states);
    return 0;
}
