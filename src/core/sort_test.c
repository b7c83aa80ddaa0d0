/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sort.h"

#include "tests/harness.h"

#include <string.h>

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a, b;
    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

static void check_sorted(const uint32_t *numbers, size_t count, uint64_t sum)
{
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += numbers[i];
        CHECK(i == 0 || numbers[i - 1] <= numbers[i]);
    }
    CHECK(found == sum);
}

static void sorts_every_size(void)
{
    uint32_t numbers[200];
    uint64_t random = 0;
    for (size_t count = 0; count <= ARRAY_COUNT(numbers); count++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += numbers[i] = (uint32_t)(test_random(&random) % (count % 3 == 0 ? 5 : 1000));
        sort_items(numbers, count, sizeof(numbers[0]), compare_numbers);
        check_sorted(numbers, count, sum);
    }
}

static void sorts_what_is_in_order_or_backwards(void)
{
    uint32_t numbers[100];
    for (uint32_t i = 0; i < ARRAY_COUNT(numbers); i++)
        numbers[i] = i;
    sort_items(numbers, ARRAY_COUNT(numbers), sizeof(numbers[0]), compare_numbers);
    check_sorted(numbers, ARRAY_COUNT(numbers), 4950);
    for (uint32_t i = 0; i < ARRAY_COUNT(numbers); i++)
        numbers[i] = (uint32_t)ARRAY_COUNT(numbers) - i;
    sort_items(numbers, ARRAY_COUNT(numbers), sizeof(numbers[0]), compare_numbers);
    check_sorted(numbers, ARRAY_COUNT(numbers), 5050);
}

static void sorts_items_of_other_sizes(void)
{
    struct item {
        uint32_t key;
        char rest[11];
    } items[] = { { 3, "three" }, { 1, "one" }, { 2, "two" } };
    sort_items(items, ARRAY_COUNT(items), sizeof(items[0]), compare_numbers);
    CHECK_STRING(items[0].rest, "one");
    CHECK_STRING(items[1].rest, "two");
    CHECK_STRING(items[2].rest, "three");
}

static const struct test tests[] = {
    TEST(sorts_every_size),
    TEST(sorts_what_is_in_order_or_backwards),
    TEST(sorts_items_of_other_sizes),
};
TEST_MAIN(tests)
