/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "slipstream/channel.h"
#include "tests/harness.h"

#include <string.h>
#include <unistd.h>

struct pair {
    struct channel server;
    struct channel worker;
    int descriptor;
};

static void pair_done(struct pair *pair)
{
    channel_done(&pair->server);
    channel_done(&pair->worker);
    file_close(&pair->descriptor);
}

#define PAIR __attribute__((cleanup(pair_done))) struct pair

static bool pair_open(struct pair *pair, uint32_t slot_count)
{
    struct error error;
    *pair = (struct pair){ .descriptor = -1 };
    return channel_make(&pair->server, &pair->descriptor, slot_count, 8192, &error) &&
           channel_map(&pair->worker, pair->descriptor, &error);
}

static void hands_over_and_back(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 3));
    uint32_t seen = 0, function, taken = 0, slot;
    uint64_t token;
    struct outcome outcome;
    CHECK(!channel_wait(&pair.worker, 1, &seen, &function, &token, 0));
    channel_submit(&pair.server, 1, 77, 0x1234567890);
    REQUIRE(channel_wait(&pair.worker, 1, &seen, &function, &token, 0));
    CHECK_NUMBER(function, 77);
    CHECK_NUMBER(token, 0x1234567890);
    CHECK(!channel_wait(&pair.worker, 1, &seen, &function, &token, 0));
    CHECK(!channel_take(&pair.server, &taken, &slot, &token, &outcome));
    struct channel_completion completion = { .token = 5,
                                             .slot = 1,
                                             .kind = OUTCOME_TRAPPED,
                                             .reason = TRAP_MEMORY,
                                             .has_function = 1,
                                             .function_index = 9,
                                             .duration_ns = 10 };
    channel_post(&pair.worker, &completion);
    REQUIRE(channel_take(&pair.server, &taken, &slot, &token, &outcome));
    CHECK_NUMBER(slot, 1);
    CHECK_NUMBER(token, 5);
    CHECK_NUMBER(outcome.kind, OUTCOME_TRAPPED);
    CHECK_NUMBER(outcome.reason, TRAP_MEMORY);
    CHECK_NUMBER(outcome.function_index, 9);
    CHECK(!channel_take(&pair.server, &taken, &slot, &token, &outcome));
}

static void mailboxes_are_shared_and_apart(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 3));
    for (uint32_t i = 0; i < 3; i++)
        memset(channel_mailbox(&pair.server, i), (int)i + 1, 8192);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_NUMBER(channel_mailbox(&pair.worker, i)[0], i + 1);
        CHECK_NUMBER(channel_mailbox(&pair.worker, i)[8191], i + 1);
    }
    CHECK(!channel_take(&pair.server, &(uint32_t){ 0 }, &(uint32_t){ 0 }, &(uint64_t){ 0 },
                        &(struct outcome){ 0 }));
}

static void lies_become_crashes(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 2));
    uint32_t taken = 0, slot;
    uint64_t token;
    struct outcome outcome;
    struct channel_completion completion = { .slot = 2 };
    channel_post(&pair.worker, &completion);
    REQUIRE(channel_take(&pair.server, &taken, &slot, &token, &outcome));
    CHECK_NUMBER(slot, UINT32_MAX);
    CHECK_NUMBER(outcome.kind, OUTCOME_CRASHED);
    completion = (struct channel_completion){ .slot = 1, .kind = OUTCOME_CRASHED + 1 };
    channel_post(&pair.worker, &completion);
    REQUIRE(channel_take(&pair.server, &taken, &slot, &token, &outcome));
    CHECK_NUMBER(outcome.kind, OUTCOME_CRASHED);
    completion = (struct channel_completion){ .slot = 1, .reason = TRAP_COUNT };
    channel_post(&pair.worker, &completion);
    REQUIRE(channel_take(&pair.server, &taken, &slot, &token, &outcome));
    CHECK_NUMBER(outcome.kind, OUTCOME_CRASHED);
    /* A count that ran away ends the taking, it does not make it long. */
    channel_ring(&pair.worker)->posted += 1000000;
    REQUIRE(channel_take(&pair.server, &taken, &slot, &token, &outcome));
    CHECK_NUMBER(slot, UINT32_MAX);
    CHECK(!channel_take(&pair.server, &taken, &slot, &token, &outcome));
}

/* Whatever the worker's side of the memory holds, taking ends and stays within bounds. */
static void random_memory_is_survived(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 2));
    uint64_t state = 1;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t *ring = (uint8_t *)channel_ring(&pair.worker);
        for (unsigned i = 0; i < 64; i++)
            ring[test_random(&state) % sizeof(struct channel_ring)] = (uint8_t)test_random(&state);
        uint32_t taken = (uint32_t)test_random(&state), slot;
        uint64_t token;
        struct outcome outcome;
        for (unsigned i = 0; channel_take(&pair.server, &taken, &slot, &token, &outcome); i++) {
            REQUIRE(i <= CHANNEL_RING_COUNT);
            REQUIRE(slot < 2 || slot == UINT32_MAX);
            REQUIRE(outcome.kind <= OUTCOME_CRASHED && outcome.reason < TRAP_COUNT);
        }
    }
}

static void wrong_memory_is_refused(void)
{
    PAIR pair;
    struct channel channel;
    struct error error;
    REQUIRE(pair_open(&pair, 2));
    static const uint32_t offsets[] = { 0, 4, 8 };
    for (unsigned i = 0; i < ARRAY_COUNT(offsets); i++) {
        uint32_t *at = (uint32_t *)(void *)(pair.server.memory + offsets[i]);
        *at += 4096;
        CHECK(!channel_map(&channel, pair.descriptor, &error));
        *at -= 4096;
    }
    CHECK(ftruncate(pair.descriptor, 4096) != 0);
    CHECK(!channel_make(&channel, &pair.descriptor, 0, 4096, &error));
    CHECK(!channel_make(&channel, &pair.descriptor, CHANNEL_SLOTS_MAX + 1, 4096, &error));
    CHECK(!channel_make(&channel, &pair.descriptor, 1, 4097, &error));
}

static const struct test tests[] = {
    TEST(hands_over_and_back),     TEST(mailboxes_are_shared_and_apart),
    TEST(lies_become_crashes),     TEST(random_memory_is_survived),
    TEST(wrong_memory_is_refused),
};
TEST_MAIN(tests)
