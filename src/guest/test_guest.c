/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test_guest.h"

#include "abi/layout.h"
#include "core/checked.h"

#include <string.h>
#include <sys/mman.h>

enum {
    GUARD_SIZE = 1 << 20
};

struct test_guest test_guest;

uint64_t guest_leave(enum guest_exit reason, uint64_t first, uint64_t second)
{
    ASSERT(test_guest.leave_count < TEST_LEAVES_MAX);
    struct test_leave *leave = &test_guest.leaves[test_guest.leave_count++];
    *leave = (struct test_leave){ .reason = reason, .first = first, .second = second };
    if (reason == GUEST_EXIT_BATCH || reason == GUEST_EXIT_DONE || reason == GUEST_EXIT_TRAP ||
        reason == GUEST_EXIT_LIMIT)
        longjmp(test_guest.end, 1);
    if (reason == GUEST_EXIT_SCRATCH) {
        uint64_t allowed = LAYOUT_SCRATCH_FIXED_SIZE + test_guest.control.settings.scratch_size_max;
        test_guest.leave_count--; /* of no interest to those who count */
        if (first <= allowed && first <= TEST_SCRATCH_SIZE) {
            first = round_up(first, LAYOUT_PAGE_SIZE);
            ASSERT(mprotect(test_guest.scratch, first, PROT_READ | PROT_WRITE) == 0);
            test_guest.control.scratch_size = first;
        }
        return 1;
    }
    if (test_guest.on_leave != NULL)
        test_guest.on_leave(&test_guest, leave);
    return test_guest.answer;
}

/* There is no compiled code here: the test plays it. */
void guest_call(uint64_t code, uint64_t *frame, uint64_t memory_base, struct instance *instance)
{
    ASSERT(memory_base == (uint64_t)test_guest.memory && instance == &test_guest.instance);
    if (test_guest.on_call != NULL)
        test_guest.on_call(&test_guest, code, frame);
}

/* What main.c has, for a command. */
void guest_start(const struct control *control)
{
    guest_call(control->code, guest.frames, control->memory_base, guest.instance);
    guest_exit(0);
}

void guest_restart(uint64_t stack_end UNUSED)
{
    batch_restart();
}

/* Whoever leaves it at either end faults. */
static uint8_t *guarded_new(size_t size)
{
    uint8_t *at = mmap(NULL, size + 2 * GUARD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(at != MAP_FAILED && mprotect(at + GUARD_SIZE, size, PROT_READ | PROT_WRITE) == 0);
    return at + GUARD_SIZE;
}

static void guarded_free(uint8_t *at, size_t size)
{
    if (at != NULL)
        munmap(at - GUARD_SIZE, size + 2 * GUARD_SIZE);
}

void test_guest_init(const char *input)
{
    struct test_guest *test = &test_guest;
    guarded_free(test->memory, TEST_MEMORY_SIZE);
    guarded_free((uint8_t *)test->mailbox, TEST_MAILBOX_SIZE);
    if (test->scratch != NULL)
        munmap(test->scratch, TEST_SCRATCH_SIZE);
    *test = (struct test_guest){ .answer = 1 };
    test->memory = guarded_new(TEST_MEMORY_SIZE);
    test->mailbox = (struct mailbox *)(void *)guarded_new(TEST_MAILBOX_SIZE);
    test->mailbox->output = (struct mailbox_area){ .offset = 8192, .capacity = 4096 };
    test->mailbox->errors = (struct mailbox_area){ .offset = 16384, .capacity = 256 };
    test->mailbox->input = (struct mailbox_area){ .offset = 20480, .capacity = 4096 };
    test->mailbox->calls =
        (struct mailbox_area){ .offset = TEST_MAILBOX_CALLS, .capacity = CALL_AREA_SIZE };
    test->mailbox->input.size = (uint32_t)strlen(input);
    memcpy((char *)test->mailbox + 20480, input, strlen(input));
    test->control.memory_base = (uint64_t)test->memory;
    test->control.memory_limit = 1 << 20;
    test->control.realtime_ns = 1700000000ull * 1000000000u;
    test->control.monotonic_ns = 5000;
    test->control.tsc_base = 1;
    test->control.tsc_to_ns_mult = 0; /* a clock that stands still unless a test moves it */
    test->instance.memory_size = TEST_MEMORY_SIZE;
    test->instance.memory_size_max = 16 * 65536;
    guest = (struct guest){ 0 };
    guest_init(&test->control, test->mailbox, &test->instance);
    guest.frames = test->frames;
}

bool test_guest_call(binding_function *function, uint64_t *slots)
{
    if (setjmp(test_guest.end) != 0)
        return false;
    function(&test_guest.instance, slots);
    return true;
}

const struct test_leave *test_guest_left(void)
{
    ASSERT(test_guest.leave_count > 0);
    return &test_guest.leaves[test_guest.leave_count - 1];
}

void test_guest_files(const struct test_file *rows, uint32_t count, uint64_t scratch_size_max)
{
    struct control *control = &test_guest.control;
    void *at = mmap(NULL, TEST_SCRATCH_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    ASSERT(at != MAP_FAILED);
    test_guest.scratch = at;
    control->scratch_base = (uint64_t)at;
    control->settings.scratch_size_max = scratch_size_max;
    control->files_base = (uint64_t)test_guest.archive;
    control->files_size =
        count == 0 ? 0 : test_files_write(test_guest.archive, TEST_ARCHIVE_SIZE, rows, count);
}
