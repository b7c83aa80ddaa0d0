/* SPDX-License-Identifier: Apache-2.0 */
/* The host's stand-in for a micro-VM around the runtime's logic: memory, mailbox, and a record of
 * why the runtime left. */
#ifndef GUEST_TEST_GUEST_H
#define GUEST_TEST_GUEST_H

#include "abi/call.h"
#include "abi/test_files.h"
#include "guest/guest.h"

#include <setjmp.h>

enum {
    TEST_MEMORY_SIZE = 2 * 65536,
    TEST_MAILBOX_CALLS = 65536, /* where the call area stands */
    TEST_MAILBOX_SIZE = TEST_MAILBOX_CALLS + CALL_AREA_SIZE,
    TEST_ARCHIVE_SIZE = 65536,
    TEST_SCRATCH_SIZE = 16 << 20,
    TEST_LEAVES_MAX = 64
};

struct test_leave {
    enum guest_exit reason;
    uint64_t first;
    uint64_t second;
};

struct test_guest {
    struct control control;
    struct instance instance;
    struct mailbox *mailbox;
    uint8_t *memory;  /* TEST_MEMORY_SIZE, with guards on both sides */
    uint8_t *scratch; /* TEST_SCRATCH_SIZE, of which only what was asked for may be touched */
    uint8_t archive[TEST_ARCHIVE_SIZE];
    struct test_leave leaves[TEST_LEAVES_MAX];
    unsigned leave_count;
    uint64_t answer; /* to the next exits */
    void (*on_call)(struct test_guest *test, uint64_t code, uint64_t *frame); /* compiled code */
    uint64_t frames[16];
    void (*on_leave)(struct test_guest *test, const struct test_leave *leave);
    jmp_buf end; /* where DONE, TRAP and LIMIT go */
};

extern struct test_guest test_guest;

/* A fresh state: mailbox with 4 KiB stdout, 256 bytes stderr, the given stdin. */
void test_guest_init(const char *input);
/* Gives the fresh state an archive of these rows (none: no archive) and a scratch area. */
void test_guest_files(const struct test_file *rows, uint32_t count, uint64_t scratch_size_max);
/* Calls one import or helper with slots; false when it left for good (see leaves). */
bool test_guest_call(binding_function *function, uint64_t *slots);
/* The last exit. */
const struct test_leave *test_guest_left(void);

/* wasi("fd_write", 1, 2, 3): the error number, or -1 when it left for good. */
#define WASI(binding, ...)                                                                         \
    __extension__({                                                                                \
        uint64_t slots_[12] = { __VA_ARGS__ };                                                     \
        test_guest_call(binding_table[BINDING_##binding], slots_) ? (int)slots_[0] : -1;           \
    })

#endif
