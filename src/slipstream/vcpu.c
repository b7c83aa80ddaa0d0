/* SPDX-License-Identifier: Apache-2.0 */
/* The one vCPU: registers travel only through the shared run page, never by a call of their own. */
#include "slipstream/kvm.h"

#include "abi/control.h"
#include "slipstream/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum {
    CR0 = 0x80050033,  /* PG AM WP NE ET MP PE */
    CR4 = 0x00340620,  /* PAE OSFXSR OSXMMEXCPT OSXSAVE SMEP SMAP */
    EFER = 0x00000d00, /* NXE LMA LME; no SCE: SYSCALL is undefined */
    XCR0 = 7,          /* x87, SSE, AVX */
    RFLAGS = 2
};

static int vcpu_call(struct machine *machine, unsigned long request, void *argument)
{
    return machine_call(machine, machine->vcpu, request, argument);
}

/* System registers as they are: into the run page, by an entry that returns at once. */
static bool vcpu_read_sregs(struct machine *machine, struct kvm_sregs *sregs)
{
    struct kvm_run *run = machine->run;
    uint64_t valid = run->kvm_valid_regs;
    run->kvm_valid_regs = valid | KVM_SYNC_X86_SREGS;
    run->immediate_exit = 1;
    bool is_read = vcpu_call(machine, KVM_RUN, NULL) != 0 && errno == EINTR;
    run->immediate_exit = 0;
    run->kvm_valid_regs = valid;
    *sregs = run->s.regs.sregs;
    return is_read;
}

static bool vcpu_setup(struct machine *machine, struct error *error)
{
    struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = XCR0 } } };
    struct kvm_sregs *sregs = &machine->start_sregs;
    if (vcpu_call(machine, KVM_SET_CPUID2, machine->kvm->cpuid) != 0)
        return error_system(error, "set the processor's features");
    if (vcpu_call(machine, KVM_SET_XCRS, &xcrs) != 0)
        return error_system(error, "enable vector registers");
    if (!vcpu_read_sregs(machine, sregs))
        return error_system(error, "read system registers");
    /* The first entry takes them. */
    stub_segments(sregs);
    sregs->cr0 = CR0;
    sregs->cr3 = CORE_ROOT;
    sregs->cr4 = CR4;
    sregs->efer = EFER;
    return true;
}

bool vcpu_open(struct machine *machine, struct error *error)
{
    machine->vcpu = machine_call(machine, machine->vm, KVM_CREATE_VCPU, NULL);
    if (machine->vcpu < 0)
        return error_system(error, "make a vCPU");
    void *run = mmap(NULL, (size_t)machine->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     machine->vcpu, 0);
    if (run == MAP_FAILED)
        return error_system(error, "map the vCPU's run page");
    machine->run = run;
    /* Guest and host share the time stamp counter where KVM lets them; memory_open checks it. */
    uint64_t offset = 0;
    struct kvm_device_attr attribute = { .group = KVM_VCPU_TSC_CTRL,
                                         .attr = KVM_VCPU_TSC_OFFSET,
                                         .addr = (uint64_t)(uintptr_t)&offset };
    (void)vcpu_call(machine, KVM_SET_DEVICE_ATTR, &attribute);
    if (!vcpu_setup(machine, error))
        return false;
    machine->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    return true;
}

static void vcpu_fault(struct machine *machine, uint32_t vector, struct event *event)
{
    struct kvm_sregs sregs = { 0 };
    *event = (struct event){ .kind = EVENT_FAULT,
                             .vector = vector,
                             .fuel = machine->run->s.regs.regs.rbp,
                             .code_address = stub_fault_code(machine) };
    if (vector == VECTOR_PAGE_FAULT && vcpu_read_sregs(machine, &sregs))
        event->fault_address = sregs.cr2;
}

static void vcpu_run(struct machine *machine, struct event *event)
{
    struct kvm_run *run = machine->run;
    *event = (struct event){ .kind = EVENT_BROKEN };
    machine->left_plainly = false;
    if (vcpu_call(machine, KVM_RUN, NULL) != 0) {
        if (errno == EINTR)
            *event =
                (struct event){ .kind = EVENT_INTERRUPTED, .code_address = run->s.regs.regs.rip };
        event->reason = (uint32_t)errno;
        run->immediate_exit = 0;
        return;
    }
    event->reason = run->exit_reason;
    if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT)
        return;
    uint32_t vector;
    machine->left_plainly = run->io.port == GUEST_PORT;
    if (run->io.port == GUEST_PORT && run->io.size == 4 && run->io.count == 1)
        *event = (struct event){ .kind = EVENT_EXIT,
                                 .reason = (uint32_t)run->s.regs.regs.rax,
                                 .arguments = { run->s.regs.regs.rdi, run->s.regs.regs.rsi } };
    else if (stub_vector(run->io.port, &vector))
        vcpu_fault(machine, vector, event);
}

/* System registers are costly to set.  What leaves through the port is in ring 3 with the segments
 * of its last entry, unless code that no compiler emits has loaded others: where that is reckoned
 * with, they are always set. */
static bool vcpu_keeps_segments(const struct machine *machine)
{
    const struct control *control = (struct control *)(void *)(machine->core + CORE_CONTROL);
    return machine->left_plainly && control->settings.entry != SETTINGS_ENTRY_NATIVE &&
           (control->settings.flags & SETTINGS_ISOLATE_INVOCATION) == 0;
}

void vcpu_enter(struct machine *machine, struct event *event)
{
    struct kvm_run *run = machine->run;
    run->s.regs.regs = (struct kvm_regs){ .rip = runtime_embedded()->entry,
                                          .rsp = LAYOUT_STACK_END,
                                          .rflags = RFLAGS };
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    if (!vcpu_keeps_segments(machine)) {
        run->s.regs.sregs = machine->start_sregs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    }
    vcpu_run(machine, event);
}

void vcpu_resume(struct machine *machine, uint64_t answer, struct event *event)
{
    struct kvm_run *run = machine->run;
    if (answer != UINT64_MAX) {
        run->s.regs.regs.rax = answer;
        run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    }
    vcpu_run(machine, event);
}
