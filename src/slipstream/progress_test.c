/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/progress.h"
#include "tests/harness.h"

#include <string.h>

enum {
    MEMORY_SIZE = 1 << 20,
};

struct scene {
    struct channel channel;
    struct ring ring;
    struct batch *batch;
    unsigned announced;
};

static void announce(void *context)
{
    ++*(unsigned *)context;
}

/* A lane whose count is at `first`, with `count` invocations submitted since. */
static void scene_open(struct scene *scene, uint32_t first, uint32_t count)
{
    static _Alignas(64) uint8_t memory[MEMORY_SIZE];
    memset(memory, 0, sizeof(memory));
    *scene = (struct scene){ .channel = { memory, sizeof(memory), { 1, 2, 4096 } } };
    scene->ring = (struct ring){ .channel = &scene->channel,
                                 .handled = first,
                                 .announce = announce,
                                 .context = &scene->announced };
    scene->batch = channel_batch(&scene->channel, 0);
    scene->batch->taken = first;
    for (uint32_t i = first - BATCH_ENTRY_COUNT; i != first; i++)
        scene->batch->entries[i % BATCH_ENTRY_COUNT].done = i + 1;
    channel_set_handled(&scene->channel, 0, first);
    for (uint32_t i = 0; i < count; i++) {
        const struct channel_submission submission = { .sequence = first + i };
        channel_submit(&scene->channel, 0, &submission);
    }
}

static enum outcome_kind answer_of(const struct scene *scene, uint32_t sequence)
{
    struct outcome outcome = { 0 };
    CHECK_NUMBER(channel_answer(&scene->channel, 0, sequence, false, &outcome),
                 CHANNEL_ANSWER_DONE);
    return outcome.kind;
}

static const uint32_t starts[] = { 0, 1000, UINT32_MAX - 2, UINT32_MAX };

static void follows_a_guest(void)
{
    for (unsigned i = 0; i < ARRAY_COUNT(starts); i++) {
        struct scene scene;
        uint32_t first = starts[i];
        scene_open(&scene, first, 4);
        struct progress progress = progress_begin(&scene.ring);
        CHECK_NUMBER(progress_look(&progress), PROGRESS_SAME);
        CHECK(!progress_is_running(&progress));
        scene.batch->taken = first + 1;
        CHECK_NUMBER(progress_look(&progress), PROGRESS_ON);
        CHECK(progress_is_running(&progress));
        scene.batch->entries[first % BATCH_ENTRY_COUNT].done = first + 1;
        CHECK(!progress_is_running(&progress));
        scene.batch->taken = first + 3;
        CHECK_NUMBER(progress_look(&progress), PROGRESS_ON);
        /* The second has no answer, and can't have one any more. */
        CHECK_NUMBER(scene.ring.handled, (uint32_t)(first + 2));
        CHECK_NUMBER(answer_of(&scene, first), OUTCOME_DONE);
        CHECK_NUMBER(answer_of(&scene, first + 1), OUTCOME_CRASHED);
    }
}

static void what_cannot_be_is_impossible(void)
{
    static const uint32_t lies[] = { 5, 64, 65, 0x7fffffff, 0x80000000, 0xffffffff };
    for (unsigned i = 0; i < ARRAY_COUNT(starts); i++) {
        for (unsigned k = 0; k < ARRAY_COUNT(lies); k++) {
            struct scene scene;
            scene_open(&scene, starts[i], 4);
            struct progress progress = progress_begin(&scene.ring);
            scene.batch->taken = starts[i] + lies[k];
            CHECK_NUMBER(progress_look(&progress), PROGRESS_IMPOSSIBLE);
            CHECK_NUMBER(progress.taken, starts[i]);
            CHECK_NUMBER(scene.ring.handled, starts[i]);
        }
    }
}

/* What the server says it has submitted counts only where no guest can write. */
static void a_guest_cannot_submit(void)
{
    struct scene scene;
    scene_open(&scene, 0, 2);
    struct progress progress = progress_begin(&scene.ring);
    scene.batch->submitted = 40;
    scene.batch->taken = 3;
    CHECK_NUMBER(progress_look(&progress), PROGRESS_IMPOSSIBLE);
}

static void gives_back_what_has_not_begun(void)
{
    for (unsigned i = 0; i < ARRAY_COUNT(starts); i++) {
        struct scene scene;
        struct outcome outcome;
        uint32_t first = starts[i];
        scene_open(&scene, first, 3);
        struct progress progress = progress_begin(&scene.ring);
        scene.batch->taken = first + 1;
        CHECK_NUMBER(progress_look(&progress), PROGRESS_ON);
        CHECK(progress_give_back(&progress));
        CHECK(!progress_give_back(&progress));
        CHECK(progress_is_running(&progress));
        CHECK_NUMBER(scene.batch->taken, (uint32_t)(first + 3));
        CHECK_NUMBER(channel_answer(&scene.channel, 0, first, false, &outcome),
                     CHANNEL_ANSWER_NONE);
        for (uint32_t k = 1; k < 3; k++)
            CHECK_NUMBER(channel_answer(&scene.channel, 0, first + k, false, &outcome),
                         CHANNEL_ANSWER_RETURNED);
    }
}

static void failing_answers_all_or_the_first(void)
{
    struct scene scene;
    struct outcome outcome;
    scene_open(&scene, UINT32_MAX, 3);
    scene.batch->entries[BATCH_ENTRY_COUNT - 1].done = 0; /* the first: UINT32_MAX + 1 */
    ring_fail_one(&scene.ring);
    CHECK_NUMBER(scene.announced, 1);
    CHECK_NUMBER(answer_of(&scene, UINT32_MAX), OUTCOME_DONE);
    CHECK_NUMBER(answer_of(&scene, 0), OUTCOME_CRASHED);
    CHECK_NUMBER(channel_answer(&scene.channel, 0, 1, false, &outcome), CHANNEL_ANSWER_NONE);
    ring_fail(&scene.ring);
    CHECK_NUMBER(scene.announced, 2);
    CHECK_NUMBER(answer_of(&scene, 1), OUTCOME_CRASHED);
    CHECK_NUMBER(scene.batch->taken, 2);
}

/* A guest that is a whole ring further than was looked: the server has had the old answers, and the
 * new ones in their places stay. */
static void newer_answers_are_not_written_over(void)
{
    struct scene scene;
    scene_open(&scene, 0, 2 * BATCH_ENTRY_COUNT);
    struct progress progress = progress_begin(&scene.ring);
    for (uint32_t i = 0; i < BATCH_ENTRY_COUNT; i++)
        scene.batch->entries[i].done = BATCH_ENTRY_COUNT + i + 1;
    scene.batch->taken = 2 * BATCH_ENTRY_COUNT;
    CHECK_NUMBER(progress_look(&progress), PROGRESS_ON);
    CHECK_NUMBER(scene.ring.handled, 2 * BATCH_ENTRY_COUNT - 1);
    for (uint32_t i = 0; i < BATCH_ENTRY_COUNT; i++)
        CHECK_NUMBER(answer_of(&scene, BATCH_ENTRY_COUNT + i), OUTCOME_DONE);
}

/* One that pretends to go on runs out of what it may pretend. */
static void counts_move_only_as_they_may(void)
{
    for (unsigned i = 0; i < ARRAY_COUNT(starts); i++) {
        uint32_t seen = starts[i], submitted = seen + 3;
        CHECK(!count_moves(&seen, seen, submitted));
        CHECK(!count_moves(&seen, seen - 1, submitted));
        CHECK(!count_moves(&seen, seen + 4, submitted));
        CHECK(count_moves(&seen, seen + 1, submitted));
        CHECK(!count_moves(&seen, seen - 1, submitted));
        CHECK(count_moves(&seen, seen + 2, submitted));
        CHECK(!count_moves(&seen, seen + 1, submitted));
        CHECK_NUMBER(seen, submitted);
    }
}

static const struct test tests[] = {
    TEST(follows_a_guest),
    TEST(what_cannot_be_is_impossible),
    TEST(a_guest_cannot_submit),
    TEST(gives_back_what_has_not_begun),
    TEST(failing_answers_all_or_the_first),
    TEST(newer_answers_are_not_written_over),
    TEST(counts_move_only_as_they_may),
};
TEST_MAIN(tests)
