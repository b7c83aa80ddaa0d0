/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/gate.h"

#include "core/checked.h"
#include "slipstream/backend.h"
#include "slipstream/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

_Static_assert(offsetof(struct gate, host_stack) == GATE_HOST_STACK, "gate.S knows this");
_Static_assert(offsetof(struct gate, guest_stack) == GATE_GUEST_STACK, "gate.S knows this");
_Static_assert(offsetof(struct gate, arguments) == GATE_ARGUMENTS, "gate.S knows this");
_Static_assert(offsetof(struct gate, reason) == GATE_REASON, "gate.S knows this");
_Static_assert(offsetof(struct gate, is_inside) == GATE_IS_INSIDE, "gate.S knows this");
_Static_assert(offsetof(struct gate, interrupt) == GATE_INTERRUPT, "gate.S knows this");

int gate_restore(void *frame);
void gate_return(void);

enum {
    SIGNAL_STACK_SIZE = 64 << 10,
    SIGNAL_STATE_SIZE_MAX = 32 << 10, /* vector registers in a signal frame */
    /* Fields of the kernel's frame and of the flags. */
    SOFTWARE_BYTES_AT = 464,
    STATE_MAGIC = 0x46505853,
    STATE_SIZE_OLD = 512,
    FLAG_TRAP = 0x100,
    FLAG_DIRECTION = 0x400,
    FLAG_ALIGNMENT = 0x40000,
    ERROR_WRITE = 2
};

struct gate gate;

/* The guest as the deadline's signal found it: what rt_sigreturn takes. */
static struct {
    uint64_t unused;
    ucontext_t context;
    uint8_t state[SIGNAL_STATE_SIZE_MAX] __attribute__((aligned(64)));
} interrupted __attribute__((aligned(64)));

static __thread bool has_stack;
static bool is_sealed;

/* Sends the handler's return to the host's side of the gate. */
static void leave_by(ucontext_t *context, int how)
{
    greg_t *registers = context->uc_mcontext.gregs;
    registers[REG_RIP] = (greg_t)(uintptr_t)gate_return;
    registers[REG_RSP] = (greg_t)gate.host_stack;
    registers[REG_RAX] = how;
    registers[REG_EFL] &= ~(greg_t)(FLAG_TRAP | FLAG_DIRECTION | FLAG_ALIGNMENT);
    gate.is_inside = 0;
}

/* A fault of our own is no event: the process ends as it would have without us. */
static void die(int number)
{
    if (is_sealed)
        _exit(128 + number);
    signal(number, SIG_DFL);
}

/* Some kernels (sandboxes, user-mode Linux) fill in the number of the exception only for page
 * faults; the signal tells the others apart. */
static uint32_t vector_of(int number, const siginfo_t *info, const greg_t *registers)
{
    if (number == SIGILL)
        return VECTOR_INVALID_OPCODE;
    if (number == SIGFPE && info->si_code == FPE_INTDIV)
        return VECTOR_DIVIDE;
    return (uint32_t)registers[REG_TRAPNO];
}

static void on_fault(int number, siginfo_t *info, void *given)
{
    ucontext_t *context = given;
    const greg_t *registers = context->uc_mcontext.gregs;
    if (!gate.is_inside || !has_stack) {
        die(number);
        return;
    }
    /* Sent by somebody: not an exception. */
    if (info->si_code <= 0 && info->si_code != SI_KERNEL)
        return;
    uint32_t vector = vector_of(number, info, registers);
    uint64_t address = vector == VECTOR_PAGE_FAULT ? (uint64_t)registers[REG_CR2] : 0;
    if (vector == VECTOR_PAGE_FAULT && gate.open_page != NULL &&
        gate.open_page(address, (registers[REG_ERR] & ERROR_WRITE) != 0))
        return;
    gate.vector = vector;
    gate.code_address = (uint64_t)registers[REG_RIP];
    gate.fault_address = address;
    gate.fuel = (uint64_t)registers[REG_RBP];
    /* After int3 the address is that of the next instruction; the others point at the culprit. */
    leave_by(context, GATE_FAULTED);
}

/* Keeps the guest's registers, which the kernel laid out on this handler's stack. */
static void keep(const ucontext_t *context)
{
    const uint8_t *state = (const uint8_t *)context->uc_mcontext.fpregs;
    interrupted.context = *context;
    interrupted.context.uc_mcontext.fpregs = NULL;
    if (state == NULL)
        return;
    struct _fpx_sw_bytes bytes;
    memcpy(&bytes, state + SOFTWARE_BYTES_AT, sizeof(bytes));
    size_t size = bytes.magic1 == STATE_MAGIC ? bytes.extended_size : STATE_SIZE_OLD;
    ASSERT(size <= sizeof(interrupted.state));
    memcpy(interrupted.state, state, size);
    interrupted.context.uc_mcontext.fpregs = (fpregset_t)(void *)interrupted.state;
}

static bool on_deadline(void *given)
{
    if (!gate.is_inside || !has_stack)
        return false;
    keep(given);
    gate.code_address = (uint64_t)((ucontext_t *)given)->uc_mcontext.gregs[REG_RIP];
    leave_by(given, GATE_INTERRUPTED);
    return true;
}

int gate_go_on(void)
{
    return gate_restore(&interrupted.context);
}

void gate_seal(void)
{
    is_sealed = true;
}

static void handlers_install(void)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        ASSERT(sigaction(numbers[i], &action, NULL) == 0);
    deadline_set_leave(on_deadline);
}

bool gate_prepare(struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (has_stack)
        return true;
    size_t size = MAX((size_t)SIGNAL_STACK_SIZE, (size_t)getauxval(AT_MINSIGSTKSZ) * 2);
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return error_system(error, "a stack for faults");
    stack_t stack = { .ss_sp = at, .ss_size = size };
    if (sigaltstack(&stack, NULL) != 0) {
        munmap(at, size);
        return error_system(error, "set the stack for faults");
    }
    pthread_once(&once, handlers_install);
    has_stack = true;
    return true;
}
