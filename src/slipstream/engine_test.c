/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/layout.h"
#include "base/file.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

/* What every case starts from: one shell with one program. */
struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    struct outcome outcome;
    struct error error;
    int image;
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    program_close(bench->program);
    engine_close(bench->engine);
    file_close(&bench->image);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static bool bench_open(struct bench *bench, const struct test_image *image,
                       const struct settings *limits)
{
    *bench = (struct bench){ .image = test_image_make(image) };
    bool opened = engine_open(&bench->engine, test_backend(), &bench->error) &&
                  program_open(&bench->program, bench->image, &bench->error) &&
                  shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error) &&
                  shell_load(bench->shell, bench->program, limits, &bench->outcome, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

static const struct test_image small = {
    .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
};
static const struct settings no_limits;

#define REQUIRE_KVM()                                                                              \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

static uint64_t call(struct bench *bench, enum test_function function, uint64_t first,
                     uint64_t second, uint64_t third)
{
    uint64_t arguments[3] = { first, second, third }, result = 0;
    CHECK_NOTE(shell_call(bench->shell, test_offset(function), arguments, 3, &result, 1,
                          &bench->outcome, &bench->error),
               "%s", bench->error.text);
    return result;
}

static void check_trap(struct bench *bench, enum test_function function, uint64_t argument,
                       enum trap_reason reason)
{
    call(bench, function, argument, 0, 0);
    CHECK_NUMBER(bench->outcome.kind, OUTCOME_TRAPPED);
    CHECK_NUMBER(bench->outcome.reason, reason);
}

static void adds(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    CHECK_NUMBER(call(&bench, TEST_add, 40, 2, 0), 42);
    CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
    /* A process younger than 2 ms has to ask for the time. */
    CHECK(bench.outcome.exit_count == 1 || strcmp(test_backend(), "process") == 0);
}

static void traps_say_what_and_where(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    check_trap(&bench, TEST_unreachable, 0, TRAP_UNREACHABLE);
    CHECK(bench.outcome.has_function);
    CHECK_NUMBER(bench.outcome.function_index, 100 + TEST_unreachable);
    check_trap(&bench, TEST_divide, 0, TRAP_DIVIDE_BY_ZERO);
    CHECK_NUMBER(bench.outcome.function_index, 100 + TEST_divide);
    check_trap(&bench, TEST_load, 65536, TRAP_MEMORY);
    CHECK_NUMBER(bench.outcome.function_index, 100 + TEST_load);
    check_trap(&bench, TEST_load, 0xffffffff, TRAP_MEMORY);
    check_trap(&bench, TEST_load, 65536 - 7, TRAP_MEMORY);
    check_trap(&bench, TEST_recurse, 0, TRAP_STACK);
    CHECK(shell_reset(bench.shell, &bench.error));
    check_trap(&bench, TEST_frames, 0, TRAP_STACK);
    CHECK(shell_reset(bench.shell, &bench.error));
    call(&bench, TEST_fill, 65530, 1, 7);
    CHECK_NUMBER(bench.outcome.reason, TRAP_MEMORY);
    CHECK_NUMBER(bench.outcome.function_index, 100 + TEST_fill);
    CHECK_NUMBER(call(&bench, TEST_add, 40, 2, 0), 42);
}

/* Everything that is not its own stays out of the guest's reach. */
static void walls_hold(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    check_trap(&bench, TEST_peek, LAYOUT_SYSTEM, TRAP_FAULT);
    check_trap(&bench, TEST_peek, LAYOUT_SYSTEM + 0x1000, TRAP_FAULT);
    check_trap(&bench, TEST_peek, 0xffff800000000000ull, TRAP_FAULT);
    check_trap(&bench, TEST_poke, LAYOUT_CONTROL, TRAP_FAULT);
    check_trap(&bench, TEST_poke, LAYOUT_CODE, TRAP_FAULT);
    check_trap(&bench, TEST_poke, LAYOUT_RODATA, TRAP_FAULT);
    check_trap(&bench, TEST_poke, LAYOUT_RUNTIME, TRAP_FAULT);
    check_trap(&bench, TEST_jump, LAYOUT_MEMORY + 4096, TRAP_FAULT);
    check_trap(&bench, TEST_jump, LAYOUT_FRAMES, TRAP_FAULT);
    check_trap(&bench, TEST_jump, LAYOUT_MAILBOX, TRAP_FAULT);
    check_trap(&bench, TEST_port, 0, TRAP_FAULT);
    check_trap(&bench, TEST_halt, 0, TRAP_FAULT);
    CHECK_NUMBER(call(&bench, TEST_peek, LAYOUT_CONTROL, 0, 0) & 0xffffffff, 2);
}

/* Instructions that no compiler emits: each ends the call, none does anything. */
static void privileged_instructions_end_the_call(void)
{
    REQUIRE_KVM();
    static const enum test_function functions[] = {
        TEST_system_call,      TEST_interrupt,        TEST_breakpoint,
        TEST_sysenter,         TEST_hypercall,        TEST_input,
        TEST_interrupts_off,   TEST_control_register, TEST_model_register,
        TEST_descriptor_table, TEST_single_step,      TEST_alignment,
        TEST_far_return,
    };
    BENCH bench = { .image = -1 };
    struct settings limits = { .timeout_ms = 60000 };
    bool is_kvm = strcmp(test_backend(), "kvm") == 0;
    for (unsigned i = 0; i < ARRAY_COUNT(functions); i++) {
        /* The first three enter the kernel from a process: there the jail's filter ends it. */
        bool is_call = functions[i] == TEST_system_call || functions[i] == TEST_interrupt ||
                       functions[i] == TEST_sysenter;
        if (is_call && !is_kvm)
            continue;
        REQUIRE(bench_open(&bench, &small, &limits));
        call(&bench, functions[i], 0, 0, 0);
        /* KVM itself answers a hypercall of ring 3 with "no" and goes on. */
        bool goes_on = functions[i] == TEST_hypercall;
        CHECK_NOTE((bench.outcome.kind == OUTCOME_DONE) == goes_on || (goes_on && !is_kvm),
                   "function %u: outcome %u", functions[i], bench.outcome.kind);
        if (bench.outcome.kind == OUTCOME_TRAPPED) {
            CHECK_NOTE(bench.outcome.reason == TRAP_FAULT, "function %u: %s", functions[i],
                       trap_reason_text(bench.outcome.reason));
            REQUIRE(shell_reset(bench.shell, &bench.error));
            CHECK_NUMBER(call(&bench, TEST_add, 40, 2, 0), 42);
        }
        bench_done(&bench);
        bench = (struct bench){ .image = -1 };
    }
}

static void state_is_fresh_after_reset(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    uint64_t hello = call(&bench, TEST_load, 0, 0, 0);
    CHECK(memcmp(&hello, "HELLO, I", 8) == 0);
    for (unsigned round = 0; round < 20; round++) {
        CHECK_NUMBER(call(&bench, TEST_global_get, 0, 0, 0), 42);
        CHECK_NUMBER(call(&bench, TEST_load, 0, 0, 0), (int64_t)hello);
        CHECK_NUMBER(call(&bench, TEST_load, 40000, 0, 0), 0);
        CHECK_NUMBER(call(&bench, TEST_peek, LAYOUT_FRAMES + 0x100000, 0, 0), 0);
        CHECK_NUMBER(call(&bench, TEST_peek, LAYOUT_STACK + 0x1000, 0, 0), 0);
        CHECK_NUMBER(call(&bench, TEST_vector, 0, 0, 0), 0);
        call(&bench, TEST_store, 0, 1, 0);
        call(&bench, TEST_store, 40000, 2 + round, 0);
        call(&bench, TEST_global_set, 3, 0, 0);
        call(&bench, TEST_poke, LAYOUT_FRAMES + 0x100000, 4, 0);
        call(&bench, TEST_poke, LAYOUT_STACK + 0x1000, 5, 0);
        CHECK_NUMBER(call(&bench, TEST_load, 40000, 0, 0), 2 + round);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
}

static void memory_grows_and_shrinks_back(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct settings limits = { .memory_size_max = 512 << 10 };
    REQUIRE(bench_open(&bench, &small, &limits));
    for (unsigned round = 0; round < 5; round++) {
        check_trap(&bench, TEST_load, 65536, TRAP_MEMORY);
        CHECK_NUMBER(call(&bench, TEST_grow, 2, 0, 0), 1);
        CHECK_NUMBER(bench.outcome.memory_size, 3 * 65536);
        CHECK_NUMBER(call(&bench, TEST_load, 65536, 0, 0), 0);
        call(&bench, TEST_store, 3 * 65536 - 8, 7, 0);
        CHECK_NUMBER(call(&bench, TEST_load, 3 * 65536 - 8, 0, 0), 7);
        check_trap(&bench, TEST_load, 3 * 65536 - 7, TRAP_MEMORY);
        CHECK_NUMBER(call(&bench, TEST_grow, 100, 0, 0), UINT32_MAX);
        CHECK_NUMBER(call(&bench, TEST_grow, 0, 0, 0), 3);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
}

static void time_limit_stops_a_loop(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct settings limits = { .timeout_ms = 30 };
    REQUIRE(bench_open(&bench, &small, &limits));
    for (unsigned round = 0; round < 3; round++) {
        call(&bench, TEST_loop, 0, 0, 0);
        CHECK_NUMBER(bench.outcome.kind, OUTCOME_TIMEOUT);
        CHECK(bench.outcome.duration_ns >= 30000000);
        uint64_t sum = 0;
        /* On a busy machine what is short may be out of time, too. */
        for (unsigned i = 0; bench.outcome.kind == OUTCOME_TIMEOUT && i < 200; i++) {
            CHECK(shell_reset(bench.shell, &bench.error));
            sum = call(&bench, TEST_add, 1, 2, 0);
        }
        CHECK_NUMBER(sum, 3);
    }
}

static void command_reads_and_writes(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    for (unsigned round = 0; round < 10; round++) {
        struct mailbox_request request = { .input = BYTES_LITERAL("what goes in"),
                                           .errors_capacity = 4096 };
        struct mailbox *mailbox = shell_mailbox(bench.shell);
        struct bytes output;
        REQUIRE(mailbox_prepare(mailbox, 1 << 20, &request, &bench.error));
        REQUIRE(shell_run(bench.shell, NULL, &bench.outcome, &bench.error));
        CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
        CHECK_NUMBER(bench.outcome.exit_code, 12);
        REQUIRE(mailbox_area_view(mailbox, 1 << 20, &mailbox->output, &output));
        CHECK_BYTES(output, BYTES_LITERAL("what goes in"));
        CHECK(shell_reset(bench.shell, &bench.error));
    }
}

static void output_limit_ends_a_flood(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct test_image image = small;
    image.command = TEST_flood;
    REQUIRE(bench_open(&bench, &image, &no_limits));
    struct mailbox_request request = { .errors_capacity = 4096 };
    REQUIRE(mailbox_prepare(shell_mailbox(bench.shell), 1 << 20, &request, &bench.error));
    REQUIRE(shell_run(bench.shell, NULL, &bench.outcome, &bench.error));
    CHECK_NUMBER(bench.outcome.kind, OUTCOME_LIMIT);
    CHECK_NUMBER(bench.outcome.exit_code, 1);
}

static void clocks_and_random_move(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    uint64_t before = call(&bench, TEST_clock, 1, 0, 0);
    uint64_t number = call(&bench, TEST_random, 0, 0, 0);
    REQUIRE(shell_reset(bench.shell, &bench.error));
    CHECK(call(&bench, TEST_random, 0, 0, 0) != number);
    CHECK(call(&bench, TEST_clock, 1, 0, 0) > before);
    CHECK(call(&bench, TEST_clock, 0, 0, 0) > 1700000000ull * 1000000000u);
}

static void start_function_runs_once(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct test_image image = small;
    image.start = TEST_start;
    REQUIRE(bench_open(&bench, &image, &no_limits));
    AUTO(shell) struct shell *second = NULL;
    REQUIRE(shell_open(&second, bench.engine, NULL, 0, &bench.error));
    REQUIRE(shell_load(second, bench.program, &no_limits, &bench.outcome, &bench.error));
    struct shell *shells[2] = { bench.shell, second };
    for (unsigned i = 0; i < 4; i++) {
        uint64_t global;
        bench.shell = shells[i % 2];
        CHECK_NUMBER(call(&bench, TEST_global_get, 0, 0, 0), 43);
        CHECK_NUMBER(call(&bench, TEST_load, 0, 0, 0) & 0xff, 'I');
        CHECK(shell_read_global(bench.shell, TEST_GLOBAL_OFFSET, &global, &bench.error));
        CHECK_NUMBER(global, 43);
        call(&bench, TEST_start, 0, 0, 0);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
    bench.shell = shells[0];
}

static const struct test_image reactor = { .memory_size = 65536,
                                           .memory_size_max = 1 << 20,
                                           .command = TEST_NONE,
                                           .start = TEST_start,
                                           .is_reactor = true,
                                           .initialise = TEST_start,
                                           .init = TEST_init };

static const struct settings as_reactor = { .entry = SETTINGS_ENTRY_REACTOR, .timeout_ms = 60000 };

/* One request; the second counter of the answer. */
static uint64_t handle(struct bench *bench, const char *text)
{
    struct mailbox_request request = { .input = bytes_of_string(text), .errors_capacity = 4096 };
    struct mailbox *mailbox = shell_mailbox(bench->shell);
    uint64_t counters[2] = { 0 };
    struct bytes output;
    CHECK(mailbox_prepare(mailbox, mailbox->size != 0 ? mailbox->size : 1 << 20, &request,
                          &bench->error));
    CHECK(shell_run(bench->shell, NULL, &bench->outcome, &bench->error));
    CHECK(mailbox_area_view(mailbox, mailbox->size, &mailbox->output, &output));
    if (output.size == sizeof(counters))
        memcpy(counters, output.data, output.size);
    return counters[1];
}

/* The start function, _initialize and s3n_init run once, whatever the number of shells. */
static void reactors_start_from_their_snapshot(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &reactor, &as_reactor));
    CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
    AUTO(shell) struct shell *second = NULL;
    REQUIRE(shell_open(&second, bench.engine, NULL, 0, &bench.error));
    REQUIRE(shell_load(second, bench.program, &as_reactor, &bench.outcome, &bench.error));
    struct shell *shells[2] = { bench.shell, second };
    for (unsigned i = 0; i < 4; i++) {
        bench.shell = shells[i % 2];
        CHECK_NUMBER(handle(&bench, "request"), 42 + 1 + 1 + 100 + 1);
        CHECK_NUMBER(bench.outcome.kind, OUTCOME_DONE);
        CHECK_NUMBER(handle(&bench, "again, without a reset"), 42 + 1 + 1 + 100 + 2);
        handle(&bench, "!");
        CHECK_NUMBER(bench.outcome.kind, OUTCOME_TRAPPED);
        CHECK_NUMBER(bench.outcome.function_index, 100 + TEST_handle);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
    bench.shell = shells[0];
}

static void initialisations_fail(void)
{
    REQUIRE_KVM();
    static const struct {
        enum test_function init;
        enum outcome_kind kind;
        enum trap_reason reason;
    } cases[] = { { TEST_unreachable, OUTCOME_TRAPPED, TRAP_UNREACHABLE },
                  { TEST_end, OUTCOME_TRAPPED, TRAP_EXIT },
                  { TEST_recurse, OUTCOME_TRAPPED, TRAP_STACK },
                  { TEST_loop, OUTCOME_TIMEOUT, TRAP_NONE } };
    const struct settings hurried = { .entry = SETTINGS_ENTRY_REACTOR, .timeout_ms = 300 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        BENCH bench = { .image = -1 };
        struct test_image image = reactor;
        image.init = cases[i].init;
        bool is_endless = cases[i].kind == OUTCOME_TIMEOUT;
        REQUIRE(bench_open(&bench, &image, is_endless ? &hurried : &as_reactor));
        CHECK_NUMBER(bench.outcome.kind, cases[i].kind);
        CHECK_NUMBER(bench.outcome.reason, cases[i].reason);
        CHECK(!shell_run(bench.shell, NULL, &bench.outcome, &bench.error));
    }
}

static void entries_must_be_there(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    CHECK(program_check_entry(bench.program, &no_limits, &bench.error));
    CHECK(!program_check_entry(bench.program, &as_reactor, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_INVALID);
}

/* A deadline's signal just before the guest has its answer: the answer comes all the same. */
static void interruptions_lose_no_answer(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    struct shell *shell = bench.shell;
    const struct backend *backend = shell->backend;
    struct control *control = backend->machine_control(shell->machine);
    struct run run = { .shell = shell, .outcome = &bench.outcome };
    const struct entry_point entry = exits_entry(shell, test_offset(TEST_grow));
    struct event event;
    uint64_t answer = 0;
    control->entry = ENTRY_CALL;
    control->argument_count = control->result_count = 1;
    control->arguments[0] = 2;
    REQUIRE(exits_prepare(&run, &entry, 0, &bench.error));
    backend->machine_enter(shell->machine, &event);
    while (event.kind == EVENT_EXIT && event.reason == GUEST_EXIT_CLOCK &&
           exits_step(&run, &event, &answer))
        backend->machine_resume(shell->machine, answer, &event);
    REQUIRE(event.kind == EVENT_EXIT && event.reason == GUEST_EXIT_GROW);
    REQUIRE(exits_step(&run, &event, &answer));
    *backend->machine_interrupt_flag(shell->machine) = 1;
    backend->machine_resume(shell->machine, answer, &event);
    REQUIRE(event.kind == EVENT_INTERRUPTED);
    backend->machine_resume(shell->machine, UINT64_MAX, &event);
    REQUIRE(event.kind == EVENT_EXIT && event.reason == GUEST_EXIT_DONE);
    CHECK_NUMBER(shell_mailbox(shell)->results[0], 1);
}

static void large_images_are_mapped(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct test_image image = { .memory_size = 48 << 20,
                                .memory_size_max = 1ull << 32,
                                .command = TEST_NONE,
                                .start = TEST_NONE,
                                .code_padding = 8 << 20 };
    REQUIRE(bench_open(&bench, &image, &no_limits));
    for (unsigned round = 0; round < 3; round++) {
        CHECK_NUMBER(call(&bench, TEST_load, (48 << 20) - 8, 0, 0) >> 56, 0x5a);
        for (uint64_t at = 0; at < 48 << 20; at += 5 << 20) {
            CHECK_NUMBER(call(&bench, TEST_load, at + 64, 0, 0), 0);
            call(&bench, TEST_store, at + 64, at + 1, 0);
        }
        check_trap(&bench, TEST_load, 48 << 20, TRAP_MEMORY);
        CHECK_NUMBER(call(&bench, TEST_grow, 1000, 0, 0), 768);
        call(&bench, TEST_store, 100 << 20, 9, 0);
        CHECK_NUMBER(call(&bench, TEST_load, 100 << 20, 0, 0), 9);
        check_trap(&bench, TEST_poke, LAYOUT_CODE + (1 << 20), TRAP_FAULT);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
}

/* Everything but the two runs of test_image_make is zero, seen from the host. */
static bool memory_is_fresh(const struct bench *bench)
{
    uint64_t size;
    const uint8_t *memory =
        bench->shell->backend->machine_part(bench->shell->machine, PART_MEMORY, &size);
    if (size != bench->program->image.header.memory_size || memory[size - 1] != 0x5a)
        return false;
    for (uint64_t at = 16; at < size - 1; at++)
        if (memory[at] != 0)
            return false;
    return memcmp(memory, "HELLO, IMAGE", 13) == 0;
}

/* Reads and writes all over, other pages in every round: no write may escape the reset. */
static void resets_miss_nothing(void)
{
    REQUIRE_KVM();
    static const uint64_t sizes[] = { 192 << 10, 1 << 20, 5 << 20, (10 << 20) + 65536 };
    uint64_t random = 42;
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        BENCH bench = { .image = -1 };
        struct test_image image = { .memory_size = sizes[i],
                                    .memory_size_max = 64 << 20,
                                    .command = TEST_NONE,
                                    .start = TEST_NONE };
        REQUIRE(bench_open(&bench, &image, &no_limits));
        for (unsigned round = 0; round < 12; round++) {
            uint64_t size = sizes[i];
            if (round % 3 == 2) {
                CHECK_NUMBER(call(&bench, TEST_grow, 100, 0, 0), (int64_t)(size / 65536));
                size += 100 * 65536;
            }
            for (unsigned j = 0; j < 60; j++) {
                uint64_t address = test_random(&random) % (size - 8);
                call(&bench, j % 3 == 0 ? TEST_load : TEST_store, address, round + 1, 0);
                REQUIRE(bench.outcome.kind == OUTCOME_DONE);
            }
            REQUIRE(shell_reset(bench.shell, &bench.error));
            REQUIRE(memory_is_fresh(&bench));
            check_trap(&bench, TEST_load, sizes[i], TRAP_MEMORY);
        }
    }
}

/* A guest that writes its mailbox's header itself. */
static void lying_mailboxes_are_seen_through(void)
{
    REQUIRE_KVM();
    static const uint64_t lies[] = { 0, 1, 0xffffffff, 1 << 20, 0x7fffffff00000000, UINT64_MAX };
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    struct mailbox *mailbox = shell_mailbox(bench.shell);
    for (unsigned i = 0; i < ARRAY_COUNT(lies); i++) {
        for (uint64_t at = 0; at < offsetof(struct mailbox, results); at += 8) {
            struct mailbox_request request = { .input = BYTES_LITERAL("x"),
                                               .errors_capacity = 4096 };
            struct bytes view;
            REQUIRE(mailbox_prepare(mailbox, 1 << 20, &request, &bench.error));
            call(&bench, TEST_poke, LAYOUT_MAILBOX + at, lies[i], 0);
            if (mailbox_area_view(mailbox, 1 << 20, &mailbox->output, &view))
                CHECK(view.data >= (uint8_t *)mailbox &&
                      view.data + view.size <= (uint8_t *)mailbox + (1 << 20));
            REQUIRE(shell_run(bench.shell, NULL, &bench.outcome, &bench.error));
            CHECK(bench.outcome.kind != OUTCOME_CRASHED);
            REQUIRE(shell_reset(bench.shell, &bench.error));
        }
    }
}

/* Images that a broken compiler might write: refused, or run into some end. */
static void mutated_images_do_no_harm(void)
{
    REQUIRE_KVM();
    AUTO_CLOSE int image = test_image_make(&small);
    struct bytes original;
    struct error error;
    uint64_t random = 7;
    unsigned refused = 0, run = 0;
    AUTO(engine) struct engine *engine = NULL;
    REQUIRE(engine_open(&engine, test_backend(), &error));
    REQUIRE(file_map(&original, image, &error));
    uint8_t *copy = malloc(original.size);
    for (unsigned round = 0; round < 400 && copy != NULL; round++) {
        AUTO(program) struct program *program = NULL;
        AUTO(shell) struct shell *shell = NULL;
        AUTO_CLOSE int mutated = -1;
        struct outcome outcome;
        struct settings limits = { .timeout_ms = 20, .memory_size_max = 1 << 24 };
        memcpy(copy, original.data, original.size);
        /* The header, where most is at stake, or anywhere. */
        size_t range = round % 2 == 0 ? 320 : original.size;
        for (unsigned i = 0; i < 1 + round % 3; i++)
            copy[test_random(&random) % range] ^= (uint8_t)(1u << test_random(&random) % 8);
        if (!file_sealed(&mutated, "mutated", bytes_of(copy, original.size), &error) ||
            !program_open(&program, mutated, &error)) {
            refused++;
            continue;
        }
        bool ran = shell_open(&shell, engine, NULL, 0, &error) &&
                   shell_load(shell, program, &limits, &outcome, &error) &&
                   outcome.kind == OUTCOME_DONE && shell_run(shell, NULL, &outcome, &error);
        run += ran;
    }
    CHECK(refused > 100 && run > 20);
    free(copy);
    file_unmap(&original);
}

static void limits_refuse_at_load(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    struct settings limits = { .memory_size_max = 4096 };
    CHECK(!bench_open(&bench, &small, &limits));
    CHECK_NUMBER(bench.error.code, ERROR_LIMIT);
}

static void cycles_leave_nothing(void)
{
    REQUIRE_KVM();
    BENCH bench = { .image = -1 };
    REQUIRE(bench_open(&bench, &small, &no_limits));
    struct shell *kept = bench.shell;
    for (unsigned i = 0; i < 300; i++) {
        AUTO(program) struct program *program = NULL;
        AUTO(shell) struct shell *shell = NULL;
        REQUIRE(program_open(&program, bench.image, &bench.error));
        REQUIRE(shell_open(&shell, bench.engine, NULL, 0, &bench.error));
        REQUIRE(shell_load(shell, program, &no_limits, &bench.outcome, &bench.error));
        bench.shell = shell;
        CHECK_NUMBER(call(&bench, TEST_add, i, 1, 0), i + 1);
        bench.shell = kept;
    }
}

static const struct test tests[] = {
    TEST(adds),
    TEST(traps_say_what_and_where),
    TEST(walls_hold),
    TEST(privileged_instructions_end_the_call),
    TEST(state_is_fresh_after_reset),
    TEST(memory_grows_and_shrinks_back),
    TEST(time_limit_stops_a_loop),
    TEST(command_reads_and_writes),
    TEST(output_limit_ends_a_flood),
    TEST(clocks_and_random_move),
    TEST(start_function_runs_once),
    TEST(reactors_start_from_their_snapshot),
    TEST(initialisations_fail),
    TEST(entries_must_be_there),
    TEST(interruptions_lose_no_answer),
    TEST(large_images_are_mapped),
    TEST(resets_miss_nothing),
    TEST(lying_mailboxes_are_seen_through),
    TEST(mutated_images_do_no_harm),
    TEST(limits_refuse_at_load),
    TEST(cycles_leave_nothing),
};
TEST_MAIN(tests)
