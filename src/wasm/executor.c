/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/executor.h"

#include "abi/binding.h"
#include "abi/layout.h"
#include "core/checked.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* AddressSanitizer keeps its own tables where the layout is. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER true
#endif
#if !defined(HAS_SANITIZER)
#define HAS_SANITIZER false
#endif

static sigjmp_buf leave_point;
static volatile uint64_t fault_address;
static struct executor *running;
executor_binding *executor_bindings[BINDING_COUNT];

void executor_leave(enum trap_reason reason)
{
    siglongjmp(leave_point, (int)reason + 1);
}

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)
#define FUEL_TEXT       TEXT(INSTANCE_FUEL)

/* r12 frame, r13 memory, r14 instance, rsp on the native stack of the layout. */
void executor_enter(void *code, void *frame, void *memory, struct instance *instance, void *stack);
__asm__(".text\n.globl executor_enter\n.hidden executor_enter\nexecutor_enter:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, %rax\nmov %r8, %rsp\npush %rax\npush %rax\n"
        "mov %rsi, %r12\nmov %rdx, %r13\nmov %rcx, %r14\n"
        "mov " FUEL_TEXT "(%r14), %rbp\ncall *%rdi\nmov %rbp, " FUEL_TEXT "(%r14)\n"
        "pop %rax\npop %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static bool is_within(uint64_t address, uint64_t start, uint64_t size)
{
    return address >= start && address - start < size;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *state = context;
    uint64_t rip = (uint64_t)state->uc_mcontext.gregs[REG_RIP];
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    fault_address = rip;
    if (is_within(rip, LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX))
        running->instance->fuel = (uint64_t)state->uc_mcontext.gregs[REG_RBP];
    if (number == SIGILL && is_within(rip, LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX)) {
        const volatile uint8_t *at = (const volatile uint8_t *)(uintptr_t)rip;
        executor_leave((enum trap_reason)at[2]);
    }
    if (is_within(address, (uint64_t)(uintptr_t)running->memory, LAYOUT_MEMORY_RESERVE))
        executor_leave(TRAP_MEMORY);
    if (is_within(address, LAYOUT_STACK - 65536, 65536 + LAYOUT_STACK_SIZE) ||
        is_within(address, LAYOUT_FRAMES, LAYOUT_FRAMES_SIZE + 65536))
        executor_leave(TRAP_STACK);
    executor_leave(TRAP_FAULT);
}

static void check(uint64_t first, uint64_t count, uint64_t size, enum trap_reason reason)
{
    if (first > size || count > size - first)
        executor_leave(reason);
}

static void memory_grow(struct instance *instance, uint64_t *slots)
{
    uint64_t old = instance->memory_size;
    uint64_t size = old + (slots[0] << 16);
    if (slots[0] > 65536 || size > instance->memory_size_max ||
        mprotect((void *)(uintptr_t)instance->memory_base, size, PROT_READ | PROT_WRITE) != 0) {
        slots[0] = UINT32_MAX;
        return;
    }
    instance->memory_size = size;
    slots[0] = old >> 16;
}

static uint8_t *memory_at(const struct instance *instance, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)(instance->memory_base + offset);
}

static void memory_copy(struct instance *instance, uint64_t *slots)
{
    check(slots[0], slots[2], instance->memory_size, TRAP_MEMORY);
    check(slots[1], slots[2], instance->memory_size, TRAP_MEMORY);
    memmove(memory_at(instance, slots[0]), memory_at(instance, slots[1]), slots[2]);
}

static void memory_fill(struct instance *instance, uint64_t *slots)
{
    check(slots[0], slots[2], instance->memory_size, TRAP_MEMORY);
    memset(memory_at(instance, slots[0]), (int)(slots[1] & 255), slots[2]);
}

static struct segment *segment_at(const struct instance *instance, uint64_t index)
{
    return (struct segment *)(uintptr_t)instance->segments + index;
}

static void memory_init(struct instance *instance, uint64_t *slots)
{
    const struct segment *segment = segment_at(instance, slots[3]);
    check(slots[0], slots[2], instance->memory_size, TRAP_MEMORY);
    check(slots[1], slots[2], segment->size, TRAP_MEMORY);
    if (slots[2] > 0)
        memcpy(memory_at(instance, slots[0]), (void *)(uintptr_t)(segment->data + slots[1]),
               slots[2]);
}

static void data_drop(struct instance *instance, uint64_t *slots)
{
    segment_at(instance, slots[0])->size = 0;
}

static struct function_reference *entry_at(const struct table *table, uint64_t index)
{
    return (struct function_reference *)(uintptr_t)table->entries + index;
}

/* In slots a function is the address of its row; what can't be one is an external reference. */
static struct function_reference entry_of(uint64_t reference)
{
    if (is_within(reference, LAYOUT_RODATA, LAYOUT_RODATA_SIZE_MAX))
        return *(const struct function_reference *)(uintptr_t)reference;
    return (struct function_reference){ .code = reference };
}

static uint64_t reference_of(const struct instance *instance, struct function_reference entry)
{
    if (!is_within(entry.code, LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX))
        return entry.code;
    return instance->functions + sizeof(entry) * entry.index;
}

static void table_get(struct instance *instance, uint64_t *slots)
{
    const struct table *table = &instance->tables[slots[1]];
    check(slots[0], 1, table->size, TRAP_TABLE);
    slots[0] = reference_of(instance, *entry_at(table, slots[0]));
}

static void table_set(struct instance *instance, uint64_t *slots)
{
    const struct table *table = &instance->tables[slots[2]];
    check(slots[0], 1, table->size, TRAP_TABLE);
    *entry_at(table, slots[0]) = entry_of(slots[1]);
}

static void table_grow(struct instance *instance, uint64_t *slots)
{
    struct table *table = &instance->tables[slots[2]];
    uint32_t old = table->size;
    if (slots[1] > table->size_max - old) {
        slots[0] = UINT32_MAX;
        return;
    }
    table->size += (uint32_t)slots[1];
    for (uint32_t i = old; i < table->size; i++)
        *entry_at(table, i) = entry_of(slots[0]);
    slots[0] = old;
}

static void table_fill(struct instance *instance, uint64_t *slots)
{
    const struct table *table = &instance->tables[slots[3]];
    check(slots[0], slots[2], table->size, TRAP_TABLE);
    for (uint64_t i = 0; i < slots[2]; i++)
        *entry_at(table, slots[0] + i) = entry_of(slots[1]);
}

static void table_copy(struct instance *instance, uint64_t *slots)
{
    const struct table *to = &instance->tables[slots[3]];
    const struct table *from = &instance->tables[slots[4]];
    check(slots[0], slots[2], to->size, TRAP_TABLE);
    check(slots[1], slots[2], from->size, TRAP_TABLE);
    memmove(entry_at(to, slots[0]), entry_at(from, slots[1]),
            slots[2] * sizeof(struct function_reference));
}

static void table_init(struct instance *instance, uint64_t *slots)
{
    const struct table *table = &instance->tables[slots[4]];
    const struct segment *segment = segment_at(instance, instance->data_count + slots[3]);
    check(slots[0], slots[2], table->size, TRAP_TABLE);
    check(slots[1], slots[2], segment->size, TRAP_TABLE);
    const struct function_reference *from = (void *)(uintptr_t)segment->data;
    if (slots[2] > 0)
        memcpy(entry_at(table, slots[0]), from + slots[1], slots[2] * sizeof(*from));
}

static void elem_drop(struct instance *instance, uint64_t *slots)
{
    segment_at(instance, instance->data_count + slots[0])->size = 0;
}

static void no_binding(struct instance *instance, uint64_t *slots)
{
    (void)instance;
    slots[0] = 0;
}

static executor_binding *const helpers[HELPER_COUNT] = {
    memory_grow, memory_copy, memory_fill, memory_init, data_drop,  table_get,
    table_set,   table_grow,  table_fill,  table_copy,  table_init, elem_drop,
};

static bool map(uint64_t address, uint64_t size, struct bytes content, int protection)
{
    size = round_up(size, LAYOUT_PAGE_SIZE);
    if (size == 0)
        return true;
    void *at = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    if (at != (void *)(uintptr_t)address) {
        if (at != MAP_FAILED)
            munmap(at, size);
        return false;
    }
    if (content.size > 0)
        memcpy(at, content.data, content.size);
    return mprotect(at, size, protection) == 0;
}

static bool map_all(struct executor *executor)
{
    const struct image *image = &executor->image;
    const struct image_header *header = &image->header;
    const struct bytes *sections = image->sections;
    executor->memory = mmap(NULL, LAYOUT_MEMORY_RESERVE, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (executor->memory == MAP_FAILED ||
        (header->memory_size > 0 &&
         mprotect(executor->memory, header->memory_size, PROT_READ | PROT_WRITE) != 0) ||
        !map(LAYOUT_INSTANCE, header->instance_size, sections[IMAGE_INSTANCE],
             PROT_READ | PROT_WRITE) ||
        !map(LAYOUT_CODE, sections[IMAGE_CODE].size, sections[IMAGE_CODE], PROT_READ | PROT_EXEC) ||
        !map(LAYOUT_RODATA, sections[IMAGE_RODATA].size, sections[IMAGE_RODATA], PROT_READ) ||
        !map(LAYOUT_STACK, LAYOUT_STACK_SIZE, (struct bytes){ 0 }, PROT_READ | PROT_WRITE) ||
        !map(LAYOUT_FRAMES, LAYOUT_FRAMES_SIZE, (struct bytes){ 0 }, PROT_READ | PROT_WRITE))
        return false;
    for (size_t i = 0; i < image_count(image, IMAGE_MEMORY_RUNS); i++) {
        struct image_run run = image_run_at(image, i);
        memcpy(executor->memory + run.address, sections[IMAGE_MEMORY].data + run.offset, run.size);
    }
    return true;
}

bool executor_open(struct executor *executor, struct bytes image, const char **reason)
{
    *executor = (struct executor){ 0 };
    if (!image_parse(&executor->image, image, reason))
        return false;
    bool is_mapped = !HAS_SANITIZER && map_all(executor);
    if (!is_mapped) {
        if (!HAS_SANITIZER)
            executor_close(executor);
        *reason = "the layout's addresses are taken in this process";
        return false;
    }
    struct instance *instance = (struct instance *)(uintptr_t)LAYOUT_INSTANCE;
    executor->instance = instance;
    for (unsigned i = 0; i < HELPER_COUNT; i++)
        instance->helpers[i] = (uint64_t)(uintptr_t)helpers[i];
    for (unsigned i = 0; i < BINDING_COUNT; i++) {
        if (executor_bindings[i] == NULL)
            executor_bindings[i] = no_binding;
    }
    instance->bindings = (uint64_t)(uintptr_t)executor_bindings;
    instance->frame_limit = LAYOUT_FRAMES + LAYOUT_FRAMES_SIZE;
    instance->memory_base = (uint64_t)(uintptr_t)executor->memory;
    return true;
}

void executor_close(struct executor *executor)
{
    const struct image *image = &executor->image;
    munmap(executor->memory, LAYOUT_MEMORY_RESERVE);
    munmap((void *)(uintptr_t)LAYOUT_INSTANCE,
           round_up(image->header.instance_size, LAYOUT_PAGE_SIZE));
    munmap((void *)(uintptr_t)LAYOUT_CODE,
           round_up(image->sections[IMAGE_CODE].size, LAYOUT_PAGE_SIZE));
    if (image->sections[IMAGE_RODATA].size > 0)
        munmap((void *)(uintptr_t)LAYOUT_RODATA,
               round_up(image->sections[IMAGE_RODATA].size, LAYOUT_PAGE_SIZE));
    munmap((void *)(uintptr_t)LAYOUT_STACK, LAYOUT_STACK_SIZE);
    munmap((void *)(uintptr_t)LAYOUT_FRAMES, LAYOUT_FRAMES_SIZE);
}

enum trap_reason executor_call(struct executor *executor, uint32_t offset, uint64_t *slots,
                               uint32_t argument_count, uint32_t result_count)
{
    static uint8_t signal_stack[65536];
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    struct sigaction before[3];
    static const int signals[3] = { SIGSEGV, SIGILL, SIGBUS };
    sigaltstack(&stack, NULL);
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &action, &before[i]);
    running = executor;
    fault_address = 0;
    int left = sigsetjmp(leave_point, 1);
    uint64_t *frame = (uint64_t *)(uintptr_t)LAYOUT_FRAMES;
    if (left == 0) {
        memcpy(frame, slots, argument_count * sizeof(*slots));
        executor_enter((void *)(uintptr_t)(LAYOUT_CODE + offset), frame, executor->memory,
                       executor->instance, (void *)(uintptr_t)LAYOUT_STACK_END);
        memcpy(slots, frame, result_count * sizeof(*slots));
        left = TRAP_NONE + 1;
    }
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &before[i], NULL);
    executor->fault_offset = is_within(fault_address, LAYOUT_CODE, LAYOUT_CODE_SIZE_MAX)
                                 ? (uint32_t)(fault_address - LAYOUT_CODE)
                                 : 0;
    return (enum trap_reason)(left - 1);
}
