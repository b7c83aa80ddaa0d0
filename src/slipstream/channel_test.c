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

static bool pair_open(struct pair *pair, uint32_t lane_count, uint32_t station_count)
{
    struct error error;
    struct channel_shape shape = { lane_count, station_count, 8192 };
    *pair = (struct pair){ .descriptor = -1 };
    return channel_make(&pair->server, &pair->descriptor, &shape, &error) &&
           channel_map(&pair->worker, pair->descriptor, &error);
}

static void submit(struct pair *pair, uint32_t lane, uint32_t sequence, uint32_t station)
{
    struct channel_submission submission = {
        .sequence = sequence, .function = 77, .station = station, .seed = { 1, 2, 3 }
    };
    channel_submit(&pair->server, lane, &submission);
}

static void hands_over_and_back(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 3, 4));
    struct outcome outcome;
    CHECK(!channel_wait(&pair.worker, 1, 0, 0));
    submit(&pair, 1, 0, 3);
    REQUIRE(channel_wait(&pair.worker, 1, 0, 0));
    const struct batch *batch = channel_batch(&pair.worker, 1);
    CHECK_NUMBER(channel_function(&pair.worker, 1, 0), 77);
    CHECK_NUMBER(channel_submitted(&pair.worker, 1), 1);
    CHECK_NUMBER(batch->submitted, 1);
    CHECK_NUMBER(batch->entries[0].station, 3);
    CHECK_NUMBER(batch->entries[0].seed[2], 3);
    CHECK(!channel_wait(&pair.worker, 1, 1, 0));
    const struct outcome made = { .kind = OUTCOME_TRAPPED,
                                  .reason = TRAP_MEMORY,
                                  .has_function = true,
                                  .function_index = 9,
                                  .duration_ns = 10 };
    for (unsigned is_direct = 0; is_direct < 2; is_direct++)
        CHECK_NUMBER(channel_answer(&pair.server, 1, 0, is_direct, &outcome), CHANNEL_ANSWER_NONE);
    channel_post(&pair.worker, 1, 0, &made);
    for (unsigned is_direct = 0; is_direct < 2; is_direct++) {
        REQUIRE(channel_answer(&pair.server, 1, 0, is_direct, &outcome) == CHANNEL_ANSWER_DONE);
        CHECK_NUMBER(outcome.kind, OUTCOME_TRAPPED);
        CHECK_NUMBER(outcome.reason, TRAP_MEMORY);
        CHECK_NUMBER(outcome.function_index, 9);
    }
    CHECK_NUMBER(channel_answer(&pair.server, 1, 1, false, &outcome), CHANNEL_ANSWER_NONE);
    CHECK_NUMBER(channel_answer(&pair.server, 0, 0, false, &outcome), CHANNEL_ANSWER_NONE);
}

static void what_is_not_begun_comes_back(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 1, 2));
    struct outcome outcome;
    submit(&pair, 0, 0, 0);
    submit(&pair, 0, 1, 1);
    channel_post(&pair.worker, 0, 1, NULL);
    CHECK_NUMBER(channel_answer(&pair.server, 0, 0, false, &outcome), CHANNEL_ANSWER_NONE);
    CHECK_NUMBER(channel_answer(&pair.server, 0, 1, false, &outcome), CHANNEL_ANSWER_RETURNED);
}

static void stations_are_shared_and_apart(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 3, 2));
    for (uint32_t i = 0; i < 6; i++)
        memset(channel_station(&pair.server, i / 2, i % 2), (int)i + 1, 8192);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_NUMBER(channel_station(&pair.worker, i / 2, i % 2)[0], i + 1);
        CHECK_NUMBER(channel_station(&pair.worker, i / 2, i % 2)[8191], i + 1);
        CHECK_NUMBER(channel_batch(&pair.worker, i / 2)->submitted, 0);
    }
}

/* A guest can write the ring, and only the ring: where its word does not count, it changes nothing.
 */
static void guests_answer_only_for_themselves(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 2, 2));
    struct outcome outcome;
    submit(&pair, 0, 0, 0);
    memset(channel_batch(&pair.worker, 0), 0xff, sizeof(struct batch));
    channel_batch(&pair.worker, 0)->entries[0].done = 1;
    CHECK_NUMBER(channel_answer(&pair.server, 0, 0, true, &outcome), CHANNEL_ANSWER_NONE);
    CHECK_NUMBER(channel_submitted(&pair.worker, 0), 1);
    CHECK_NUMBER(channel_answer(&pair.server, 0, 0, false, &outcome), CHANNEL_ANSWER_DONE);
    CHECK_NUMBER(outcome.kind, OUTCOME_CRASHED);
}

/* Whatever the worker's side of the memory holds, answers stay within bounds. */
static void random_memory_is_survived(void)
{
    PAIR pair;
    REQUIRE(pair_open(&pair, 2, 2));
    uint64_t state = 1;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t *batch = (uint8_t *)channel_batch(&pair.worker, 1);
        for (unsigned i = 0; i < 64; i++)
            batch[test_random(&state) % sizeof(struct batch)] = (uint8_t)test_random(&state);
        for (uint32_t sequence = 0; sequence < BATCH_ENTRY_COUNT; sequence++) {
            struct outcome outcome = { 0 };
            channel_batch(&pair.worker, 1)->entries[sequence].done = sequence + 1;
            (void)channel_answer(&pair.server, 1, sequence, false, &outcome);
            REQUIRE(outcome.kind <= OUTCOME_CRASHED && outcome.reason < TRAP_COUNT);
        }
    }
}

static void wrong_memory_is_refused(void)
{
    PAIR pair;
    struct channel channel;
    struct error error;
    REQUIRE(pair_open(&pair, 2, 2));
    static const uint32_t offsets[] = { 0, 4, 8, 16 };
    for (unsigned i = 0; i < ARRAY_COUNT(offsets); i++) {
        uint32_t *at = (uint32_t *)(void *)(pair.server.memory + offsets[i]);
        *at += 4096;
        CHECK(!channel_map(&channel, pair.descriptor, &error));
        *at -= 4096;
    }
    CHECK(ftruncate(pair.descriptor, 4096) != 0);
    static const struct channel_shape shapes[] = {
        { 0, 1, 4096 },
        { 1, 0, 4096 },
        { CHANNEL_LANES_MAX + 1, 1, 4096 },
        { 1, CHANNEL_STATIONS_MAX + 1, 4096 },
        { CHANNEL_LANES_MAX, CHANNEL_STATIONS_MAX, 4096 },
        { 1, 1, 4097 },
        { 1, 1, 0 },
        { 1, 2, 1ull << 27 },
    };
    for (unsigned i = 0; i < ARRAY_COUNT(shapes); i++)
        CHECK(!channel_make(&channel, &pair.descriptor, &shapes[i], &error));
}

static const struct test tests[] = {
    TEST(hands_over_and_back),           TEST(what_is_not_begun_comes_back),
    TEST(stations_are_shared_and_apart), TEST(guests_answer_only_for_themselves),
    TEST(random_memory_is_survived),     TEST(wrong_memory_is_refused),
};
TEST_MAIN(tests)
