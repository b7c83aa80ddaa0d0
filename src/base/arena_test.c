/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "tests/harness.h"

#include <string.h>

static bool is_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != 0)
            return false;
    }
    return true;
}

static void takes_aligned_zeroed_memory(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    for (size_t size = 0; size < 400; size++) {
        uint8_t *taken = arena_take(arena, size);
        REQUIRE(taken != NULL);
        CHECK(((uintptr_t)taken & 15) == 0);
        CHECK(is_zero(taken, size));
        memset(taken, 0xff, size);
    }
    CHECK(!arena_failed(arena));
    CHECK(arena_size(arena) <= 1 << 20);
}

static void limit_holds_and_sticks(void)
{
    AUTO(arena) struct arena *arena = arena_new(10000);
    CHECK(arena_take(arena, 5000) != NULL);
    CHECK(arena_take(arena, 6000) == NULL);
    CHECK(arena_failed(arena));
    CHECK(arena_take(arena, 1) == NULL);
    CHECK(arena_size(arena) <= 10000);
    arena_reset(arena);
    CHECK(!arena_failed(arena));
    CHECK(arena_take(arena, 6000) != NULL);
}

static void overflow_fails(void)
{
    AUTO(arena) struct arena *arena = arena_new(SIZE_MAX);
    CHECK(arena_array(arena, SIZE_MAX / 2, 3) == NULL);
    CHECK(arena_failed(arena));
    arena_reset(arena);
    CHECK(arena_take(arena, SIZE_MAX) == NULL);
    arena_reset(arena);
    CHECK(arena_take(arena, SIZE_MAX - 15) == NULL);
}

static void reset_gives_zeroed_memory_again(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    uint8_t *first = arena_take(arena, 300);
    REQUIRE(first != NULL);
    memset(first, 0xff, 300);
    CHECK(arena_take(arena, 500000) != NULL);
    size_t before = arena_size(arena);
    arena_reset(arena);
    CHECK(arena_size(arena) < before);
    uint8_t *second = arena_take(arena, 1000);
    REQUIRE(second != NULL);
    CHECK(second == first);
    CHECK(is_zero(second, 1000));
}

static void strings_end_with_nul(void)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 20);
    CHECK_STRING(arena_string(arena, BYTES_LITERAL("abc")), "abc");
    CHECK_STRING(arena_string(arena, (struct bytes){ 0 }), "");
}

static void no_arena_has_failed(void)
{
    CHECK(arena_failed(NULL));
    CHECK(arena_take(NULL, 1) == NULL);
    CHECK(arena_array(NULL, SIZE_MAX, 2) == NULL);
    arena_reset(NULL);
    arena_free(NULL);
}

static const struct test tests[] = {
    TEST(takes_aligned_zeroed_memory),     TEST(limit_holds_and_sticks), TEST(overflow_fails),
    TEST(reset_gives_zeroed_memory_again), TEST(strings_end_with_nul),   TEST(no_arena_has_failed),
};
TEST_MAIN(tests)
