/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/restore.h"
#include "tests/harness.h"

#include "abi/layout.h"

#include <string.h>

enum {
    COUNT_MAX = 100,
    WRITTEN = 0x40
};

static const uint64_t mask[4] = { WRITTEN, WRITTEN, WRITTEN, WRITTEN };

/* Three pages: the one in the middle is worked on. */
static _Alignas(4096) uint8_t target[3][LAYOUT_PAGE_SIZE], source[3][LAYOUT_PAGE_SIZE];

static void pages_fill(uint8_t target_byte)
{
    memset(target, target_byte, sizeof(target));
    for (unsigned page = 0; page < 3; page++)
        for (unsigned i = 0; i < LAYOUT_PAGE_SIZE; i++)
            source[page][i] = (uint8_t)(i * 7 + i / 256 + page);
}

static bool is_all(const uint8_t *at, uint8_t byte)
{
    return at[0] == byte && memcmp(at, at + 1, LAYOUT_PAGE_SIZE - 1) == 0;
}

static void copies_one_page(void)
{
    pages_fill(0xee);
    restore_copy(target[1], source[1]);
    CHECK(memcmp(target[1], source[1], LAYOUT_PAGE_SIZE) == 0);
    CHECK(is_all(target[0], 0xee) && is_all(target[2], 0xee));
}

static void zeroes_one_page(void)
{
    pages_fill(0xee);
    restore_zero(target[1]);
    CHECK(is_all(target[1], 0));
    CHECK(is_all(target[0], 0xee) && is_all(target[2], 0xee));
}

/* Never past an entry with the bit, never behind the end, and in whole groups. */
static void finds_the_first(void)
{
    static uint64_t entries[COUNT_MAX + 1];
    for (uint64_t count = 0; count <= COUNT_MAX; count++)
        for (uint64_t at = 0; at <= count; at++) {
            memset(entries, 0xbf, sizeof(entries)); /* every bit but this one */
            entries[at] |= WRITTEN;
            entries[count] |= WRITTEN;
            uint64_t passed = restore_find(entries, count, mask);
            uint64_t whole = at / RESTORE_GROUP * RESTORE_GROUP;
            CHECK_NUMBER(passed, whole);
        }
}

/* Vector registers are left empty. */
static void forgets(void)
{
    uint64_t seen[4] = { 1, 1, 1, 1 };
    pages_fill(0xee);
    restore_copy(target[1], source[1]);
    restore_end();
    __asm__ volatile("vmovdqu %%ymm0, %0" : "=m"(seen));
    CHECK((seen[0] | seen[1] | seen[2] | seen[3]) == 0);
    __asm__ volatile("vmovdqu %%ymm3, %0" : "=m"(seen));
    CHECK((seen[0] | seen[1] | seen[2] | seen[3]) == 0);
}

/* From the start of a page up to the stack pointer, which stands in its middle meanwhile, all is
 * zero but the call's own return address. */
static void zeroes_the_stack(void)
{
    uint64_t left;
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "subq $8192, %%rsp\n\t"
                     "andq $-4096, %%rsp\n\t"
                     "addq $2040, %%rsp\n\t"
                     "leaq -2040(%%rsp), %%rdi\n\t"
                     "movq %%rdi, %%r12\n\t"
                     "movl $255, %%ecx\n\t"
                     "movq $-1, %%rax\n\t"
                     "rep stosq\n\t"
                     "movq %%r12, %%rdi\n\t"
                     "call restore_stack\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl $254, %%ecx\n"
                     "1: orq -8(%%r12,%%rcx,8), %%rax\n\t"
                     "loop 1b\n\t"
                     "movq %%rbx, %%rsp"
                     : "=&a"(left)
                     :
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "xmm0",
                       "memory", "cc");
    CHECK_NUMBER(left, 0);
}

static const struct test tests[] = { TEST(copies_one_page), TEST(zeroes_one_page),
                                     TEST(zeroes_the_stack), TEST(finds_the_first), TEST(forgets) };
TEST_MAIN(tests)
