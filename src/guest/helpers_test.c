/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

/* The helper's slot 0 afterwards, or minus the trap's reason. */
static int64_t helper(enum helper which, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    uint64_t slots[5] = { a, b, c, d, e };
    if (test_guest_call(helper_table[which], slots))
        return (int64_t)slots[0];
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_TRAP);
    CHECK(test_guest_left()->second != 0);
    return -(int64_t)test_guest_left()->first;
}

static void memory_grows_within_limits(void)
{
    test_guest_init("");
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 0, 0, 0, 0, 0), 2);
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 3, 0, 0, 0, 0), 2);
    CHECK_NUMBER(test_guest_left()->reason, GUEST_EXIT_GROW);
    CHECK_NUMBER(test_guest_left()->first, 5 * 65536);
    CHECK_NUMBER(test_guest.instance.memory_size, 5 * 65536);
    test_guest.answer = 0;
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 1, 0, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(test_guest.instance.memory_size, 5 * 65536);
    unsigned left = test_guest.leave_count;
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 12, 0, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 65536, 0, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, UINT32_MAX, 0, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(test_guest.leave_count, left);
}

static void memory_moves_and_fills(void)
{
    test_guest_init("");
    const uint64_t end = TEST_MEMORY_SIZE;
    for (unsigned i = 0; i < 64; i++)
        test_guest.memory[i] = (uint8_t)i;
    helper(HELPER_MEMORY_COPY, 5, 0, 64, 0, 0);
    CHECK_NUMBER(test_guest.memory[5], 0);
    CHECK_NUMBER(test_guest.memory[68], 63);
    helper(HELPER_MEMORY_COPY, 0, 5, 64, 0, 0);
    CHECK_NUMBER(test_guest.memory[63], 63);
    helper(HELPER_MEMORY_FILL, end - 3, 0x1ff, 3, 0, 0);
    CHECK_NUMBER(test_guest.memory[end - 1], 0xff);
    CHECK_NUMBER(helper(HELPER_MEMORY_FILL, end - 3, 1, 4, 0, 0), -TRAP_MEMORY);
    CHECK_NUMBER(helper(HELPER_MEMORY_FILL, end, 1, 0, 0, 0), (int64_t)end);
    CHECK_NUMBER(helper(HELPER_MEMORY_FILL, end + 1, 1, 0, 0, 0), -TRAP_MEMORY);
    CHECK_NUMBER(helper(HELPER_MEMORY_COPY, 0, end - 1, 2, 0, 0), -TRAP_MEMORY);
    CHECK_NUMBER(helper(HELPER_MEMORY_COPY, end - 1, 0, 2, 0, 0), -TRAP_MEMORY);
    CHECK_NUMBER(helper(HELPER_MEMORY_COPY, UINT32_MAX, 0, UINT32_MAX, 0, 0), -TRAP_MEMORY);
}

static void segments_initialise_and_drop(void)
{
    static const char data[] = "segment";
    struct segment segments[2] = { { .data = (uint64_t)data, .size = 7 } };
    test_guest_init("");
    test_guest.instance.segments = (uint64_t)segments;
    test_guest.instance.data_count = 1;
    helper(HELPER_MEMORY_INIT, 10, 3, 4, 0, 0);
    CHECK(memcmp(test_guest.memory + 10, "ment", 4) == 0);
    CHECK_NUMBER(helper(HELPER_MEMORY_INIT, 10, 3, 5, 0, 0), -TRAP_MEMORY);
    CHECK_NUMBER(helper(HELPER_MEMORY_INIT, TEST_MEMORY_SIZE - 1, 0, 2, 0, 0), -TRAP_MEMORY);
    helper(HELPER_DATA_DROP, 0, 0, 0, 0, 0);
    CHECK_NUMBER(helper(HELPER_MEMORY_INIT, 10, 0, 0, 0, 0), 10);
    CHECK_NUMBER(helper(HELPER_MEMORY_INIT, 10, 0, 1, 0, 0), -TRAP_MEMORY);
}

static struct function_reference functions[3] = { { 0x1000, 7, 0 },
                                                  { 0x2000, 8, 1 },
                                                  { 0x3000, 7, 2 } };
static struct function_reference first_entries[8], second_entries[8];
static struct segment elements[1];

static void tables_init(void)
{
    test_guest_init("");
    memset(first_entries, 0, sizeof(first_entries));
    memset(second_entries, 0, sizeof(second_entries));
    elements[0] = (struct segment){ .data = (uint64_t)functions, .size = 3 };
    struct instance *instance = &test_guest.instance;
    instance->functions = (uint64_t)functions;
    instance->function_count = 3;
    instance->table_count = 2;
    instance->tables[0] =
        (struct table){ .entries = (uint64_t)first_entries, .size = 4, .size_max = 8 };
    instance->tables[1] =
        (struct table){ .entries = (uint64_t)second_entries, .size = 2, .size_max = 2 };
    instance->segments = (uint64_t)elements;
    instance->element_count = 1;
}

static void references_travel(void)
{
    tables_init();
    const uint64_t second = (uint64_t)&functions[1];
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 0, 0, 0, 0, 0), 0);
    helper(HELPER_TABLE_SET, 3, second, 0, 0, 0);
    CHECK_NUMBER(first_entries[3].code, 0x2000);
    CHECK_NUMBER(first_entries[3].signature, 8);
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 3, 0, 0, 0, 0), (int64_t)second);
    test_guest.instance.external_tables = 2;
    helper(HELPER_TABLE_SET, 1, 5 + 1, 1, 0, 0);
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 1, 1, 0, 0, 0), 6);
    helper(HELPER_TABLE_SET, 1, second, 1, 0, 0); /* only looks like a function */
    CHECK_NUMBER(second_entries[1].code, second);
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 1, 1, 0, 0, 0), (int64_t)second);
    helper(HELPER_TABLE_SET, 1, 0, 1, 0, 0);
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 1, 1, 0, 0, 0), 0);
    CHECK_NUMBER(helper(HELPER_TABLE_GET, 4, 0, 0, 0, 0), -TRAP_TABLE);
    CHECK_NUMBER(helper(HELPER_TABLE_SET, UINT32_MAX, 0, 0, 0, 0), -TRAP_TABLE);
}

static void tables_grow_fill_copy(void)
{
    tables_init();
    const uint64_t third = (uint64_t)&functions[2];
    CHECK_NUMBER(helper(HELPER_TABLE_GROW, third, 2, 0, 0, 0), 4);
    CHECK_NUMBER(test_guest.instance.tables[0].size, 6);
    CHECK_NUMBER(first_entries[5].code, 0x3000);
    CHECK_NUMBER(helper(HELPER_TABLE_GROW, third, 3, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(helper(HELPER_TABLE_GROW, third, UINT32_MAX, 0, 0, 0), UINT32_MAX);
    CHECK_NUMBER(helper(HELPER_TABLE_GROW, 0, 0, 1, 0, 0), 2);
    helper(HELPER_TABLE_FILL, 1, third, 2, 0, 0);
    CHECK_NUMBER(first_entries[2].index, 2);
    CHECK_NUMBER(first_entries[3].code, 0);
    CHECK_NUMBER(helper(HELPER_TABLE_FILL, 5, third, 2, 0, 0), -TRAP_TABLE);
    helper(HELPER_TABLE_COPY, 0, 1, 2, 1, 0);
    CHECK_NUMBER(second_entries[1].code, 0x3000);
    CHECK_NUMBER(helper(HELPER_TABLE_COPY, 1, 0, 2, 1, 0), -TRAP_TABLE);
    helper(HELPER_TABLE_COPY, 2, 1, 3, 0, 0);
    CHECK_NUMBER(first_entries[3].code, 0x3000);
    CHECK_NUMBER(first_entries[4].code, 0);
}

static void elements_initialise_and_drop(void)
{
    tables_init();
    helper(HELPER_TABLE_INIT, 1, 0, 3, 0, 0);
    CHECK_NUMBER(first_entries[3].code, 0x3000);
    CHECK_NUMBER(helper(HELPER_TABLE_INIT, 2, 0, 3, 0, 0), -TRAP_TABLE);
    CHECK_NUMBER(helper(HELPER_TABLE_INIT, 0, 1, 3, 0, 0), -TRAP_TABLE);
    helper(HELPER_ELEM_DROP, 0, 0, 0, 0, 0);
    CHECK_NUMBER(helper(HELPER_TABLE_INIT, 0, 0, 1, 0, 0), -TRAP_TABLE);
    CHECK_NUMBER(helper(HELPER_TABLE_INIT, 0, 0, 0, 0, 0), 0);
}

/* Two instances and a third see one memory, and two see one table. */
static void shares_follow_growth(void)
{
    static struct instance second, third;
    struct share first_shares[2], second_shares[2], third_shares[1];
    tables_init();
    second = third = test_guest.instance;
    struct instance *first = &test_guest.instance;
    first_shares[0] = (struct share){ (uint64_t)&third_shares[0], (uint64_t)first };
    third_shares[0] = (struct share){ (uint64_t)&second_shares[0], (uint64_t)&third };
    second_shares[0] = (struct share){ (uint64_t)&first_shares[0], (uint64_t)&second };
    first_shares[1] = (struct share){ (uint64_t)&second_shares[1], (uint64_t)&first->tables[0] };
    second_shares[1] = (struct share){ (uint64_t)&first_shares[1], (uint64_t)&second.tables[0] };
    first->shares = (uint64_t)first_shares;
    first->table_count = 1;
    CHECK_NUMBER(helper(HELPER_MEMORY_GROW, 1, 0, 0, 0, 0), 2);
    CHECK_NUMBER(test_guest_left()->second, first->memory_base);
    CHECK_NUMBER(first->memory_size, 3 * 65536);
    CHECK_NUMBER(second.memory_size, 3 * 65536);
    CHECK_NUMBER(third.memory_size, 3 * 65536);
    CHECK_NUMBER(helper(HELPER_TABLE_GROW, 0, 2, 0, 0, 0), 4);
    CHECK_NUMBER(first->tables[0].size, 6);
    CHECK_NUMBER(second.tables[0].size, 6);
    CHECK_NUMBER(third.tables[0].size, 4);
}

static const struct test tests[] = {
    TEST(shares_follow_growth),
    TEST(memory_grows_within_limits),
    TEST(memory_moves_and_fills),
    TEST(segments_initialise_and_drop),
    TEST(references_travel),
    TEST(tables_grow_fill_copy),
    TEST(elements_initialise_and_drop),
};
TEST_MAIN(tests)
