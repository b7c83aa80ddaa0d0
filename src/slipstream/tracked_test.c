/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/tracked.h"

#include "slipstream/limits.h"
#include "tests/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct tracked memory; /* under test: what the fault handler asks */
static unsigned fault_count;

static void fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    fault_count++;
    if (!tracked_open_page(&memory, (uint64_t)(uintptr_t)info->si_addr))
        _exit(128 + number);
}

struct scene {
    struct restoring rule;
    struct part_template content;
    uint64_t size;
};

/* Every third page of the content is not zero. */
static void scene_open(struct scene *scene, enum restoring_way way, uint64_t pages)
{
    const struct restoring_costs costs = { 100, 4000, 100, 500 };
    struct error error = { 0 };
    struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
    *scene =
        (struct scene){ .rule = restoring_choose(way, &costs), .size = pages * LAYOUT_PAGE_SIZE };
    scene->content = (struct part_template){ .data = calloc(pages, LAYOUT_PAGE_SIZE),
                                             .marks = calloc(pages / 64 + 1, sizeof(uint64_t)),
                                             .size = scene->size };
    for (uint64_t page = 0; page < pages; page += 3) {
        memset(scene->content.data + page * LAYOUT_PAGE_SIZE, (int)page + 1, LAYOUT_PAGE_SIZE);
        scene->content.marks[page / 64] |= 1ull << (page % 64);
    }
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    void *host = mmap(NULL, scene->size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(host != MAP_FAILED);
    memcpy(host, scene->content.data, scene->size);
    CHECK(tracked_init(&memory, host, scene->size, &scene->rule, &error));
    fault_count = 0;
}

static void scene_done(struct scene *scene)
{
    munmap(memory.host, scene->size);
    tracked_done(&memory);
    free(scene->content.data);
    free(scene->content.marks);
    signal(SIGSEGV, SIG_DFL);
}

static bool is_restored(const struct scene *scene)
{
    return memcmp(memory.host, scene->content.data, scene->size) == 0;
}

/* Whether what a guest that restores itself would copy (the entries) is all that may be written. */
static bool entries_cover(const struct scene *scene, const uint8_t *written)
{
    for (uint64_t page = 0; memory.is_tracking && page < scene->size / LAYOUT_PAGE_SIZE; page++) {
        if (written[page] != 0 && ((memory.entries[page] & TRACKED_OPEN) == 0 ||
                                   (memory.touched[page / TRACKED_GROUP] & TRACKED_TOUCHED) == 0))
            return false;
    }
    return true;
}

/* Writes `count` pages somewhere, `rounds` times, and looks for what is left. */
static void hunt(struct scene *scene, unsigned rounds, uint64_t count)
{
    struct error error = { 0 };
    uint64_t random = 7, pages = scene->size / LAYOUT_PAGE_SIZE;
    uint8_t *written = calloc(pages, 1);
    for (unsigned round = 0; round < rounds; round++) {
        memset(written, 0, pages);
        for (uint64_t i = 0; i < count; i++) {
            uint64_t at = test_random(&random) % scene->size;
            ((volatile uint8_t *)memory.host)[at] = 0xee;
            written[at / LAYOUT_PAGE_SIZE] = 1;
        }
        CHECK(entries_cover(scene, written));
        CHECK(tracked_reset(&memory, &scene->content, round != 1, &error));
        CHECK_NOTE(is_restored(scene), "round %u", round);
    }
    free(written);
}

static const uint64_t sizes[] = { 1, 9, 16, 64, 65, 700, 3000 };

static void every_way_restores_everything(void)
{
    static const uint64_t counts[] = { 0, 1, 40, 2500 };
    for (enum restoring_way way = RESTORING_AUTO; way <= RESTORING_DISCARD; way++)
        for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
            for (size_t k = 0; k < ARRAY_COUNT(counts); k++) {
                struct scene scene;
                scene_open(&scene, way, sizes[i]);
                hunt(&scene, 7, counts[k]);
                scene_done(&scene);
            }
}

static void copying_and_discarding_take_no_faults(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct scene scene;
        scene_open(&scene, RESTORING_COPY, sizes[i]);
        hunt(&scene, 6, 30);
        CHECK_NUMBER(fault_count, 0);
        CHECK(memory.is_whole && memory.is_tracking); /* a guest can restore itself */
        scene_done(&scene);
        scene_open(&scene, RESTORING_DISCARD, sizes[i]);
        hunt(&scene, 6, 30);
        CHECK_NUMBER(fault_count, 0);
        CHECK(!memory.is_tracking); /* the host has to restore it */
        scene_done(&scene);
    }
}

/* By costs: 10 pages are copied, 11 are tracked. */
static void small_memory_is_copied_where_faults_are_dear(void)
{
    struct scene scene;
    scene_open(&scene, RESTORING_AUTO, 10);
    REQUIRE(scene.rule.whole_pages == 10);
    hunt(&scene, 6, 3);
    CHECK(fault_count == 0 && memory.is_whole);
    scene_done(&scene);
    scene_open(&scene, RESTORING_AUTO, 11);
    hunt(&scene, 6, 3);
    CHECK(fault_count > 0 && !memory.is_whole);
    scene_done(&scene);
    scene_open(&scene, RESTORING_TRACK, 10);
    hunt(&scene, 6, 3);
    CHECK(fault_count > 0 && !memory.is_whole);
    scene_done(&scene);
}

/* Who writes all over loses the tracking: kept and copied up to kept_pages, given back above. */
static void memory_that_is_written_all_over(void)
{
    struct scene scene;
    scene_open(&scene, RESTORING_AUTO, 3000);
    REQUIRE(scene.rule.kept_pages == 2562);
    hunt(&scene, 8, 2500);
    CHECK(!memory.is_tracking && !memory.is_whole);
    CHECK_NUMBER(fault_count, TRACKED_FAULTS_MAX + 1);
    scene_done(&scene);
    scene_open(&scene, RESTORING_AUTO, 2562);
    hunt(&scene, 8, 2500);
    CHECK(memory.is_tracking && memory.is_whole);
    CHECK_NUMBER(fault_count, TRACKED_FAULTS_MAX + 1);
    /* For good: it is not found out anew. */
    hunt(&scene, 3, 2500);
    memory.reset_count = TRACKED_PRUNE_RESETS - 1;
    hunt(&scene, 3, 2500);
    CHECK(memory.is_whole);
    CHECK_NUMBER(fault_count, TRACKED_FAULTS_MAX + 1);
    scene_done(&scene);
}

static void what_is_not_written_any_more_is_pruned(void)
{
    struct error error = { 0 };
    struct scene scene;
    scene_open(&scene, RESTORING_TRACK, 700);
    hunt(&scene, 4, 300);
    uint32_t before = memory.opened_count;
    CHECK(before > TRACKED_PRUNE_PAGES);
    memory.reset_count = TRACKED_PRUNE_RESETS - 1;
    CHECK(tracked_reset(&memory, &scene.content, true, &error));
    CHECK_NUMBER(memory.opened_count, 0);
    hunt(&scene, 4, 2);
    CHECK(memory.opened_count < 20 && memory.is_tracking);
    scene_done(&scene);
}

static void tracking_ends(void)
{
    struct error error = { 0 };
    struct scene scene;
    scene_open(&scene, RESTORING_TRACK, 64);
    hunt(&scene, 4, 3);
    CHECK(tracked_end(&memory, &error));
    fault_count = 0;
    memset(memory.host, 1, scene.size);
    CHECK_NUMBER(fault_count, 0);
    CHECK(tracked_reset(&memory, &scene.content, false, &error) && is_restored(&scene));
    scene_done(&scene);
}

static const struct test tests[] = {
    TEST(every_way_restores_everything),
    TEST(copying_and_discarding_take_no_faults),
    TEST(small_memory_is_copied_where_faults_are_dear),
    TEST(memory_that_is_written_all_over),
    TEST(what_is_not_written_any_more_is_pruned),
    TEST(tracking_ends),
};
TEST_MAIN(tests)
