/* SPDX-License-Identifier: Apache-2.0 */
/* The kvm backend: /dev/kvm, machines and their memory slots. */
#include "core/checked.h"
#include "slipstream/kvm.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CPUID_ROWS_MAX = 256
};

static void kvm_close(void *state)
{
    struct kvm *kvm = state;
    if (kvm == NULL)
        return;
    file_close(&kvm->device);
    free(kvm->cpuid);
    free(kvm);
}

static bool kvm_features(struct kvm *kvm, struct error *error)
{
    static const struct {
        int capability;
        const char *name;
    } needed[] = { { KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS" },
                   { KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
                   { KVM_CAP_XCRS, "KVM_CAP_XCRS" },
                   { KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM" } };
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++)
        if (ioctl(kvm->device, KVM_CHECK_EXTENSION, needed[i].capability) <= 0)
            return error_set(error, ERROR_UNAVAILABLE, "/dev/kvm lacks %s", needed[i].name);
    kvm->run_size = ioctl(kvm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (kvm->run_size < (int)sizeof(struct kvm_run))
        return error_system(error, "size of the vCPU's run page");
    kvm->cpuid =
        calloc(1, sizeof(struct kvm_cpuid2) + CPUID_ROWS_MAX * sizeof(struct kvm_cpuid_entry2));
    if (kvm->cpuid == NULL)
        return error_system(error, "processor features");
    kvm->cpuid->nent = CPUID_ROWS_MAX;
    if (ioctl(kvm->device, KVM_GET_SUPPORTED_CPUID, kvm->cpuid) != 0)
        return error_system(error, "read supported processor features");
    /* A worker may keep it for long. */
    void *fitting = realloc(kvm->cpuid, sizeof(struct kvm_cpuid2) +
                                            kvm->cpuid->nent * sizeof(struct kvm_cpuid_entry2));
    if (fitting != NULL)
        kvm->cpuid = fitting;
    return true;
}

static bool kvm_open(void **state, struct error *error)
{
    struct kvm *kvm = calloc(1, sizeof(*kvm));
    if (kvm == NULL)
        return error_system(error, "engine");
    kvm->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm->device < 0) {
        bool known = error_set(error, ERROR_UNAVAILABLE, "open /dev/kvm: %s%s", strerror(errno),
                               errno == EACCES ? " (members of group kvm may)" : "");
        kvm_close(kvm);
        return known;
    }
    if (!kvm_features(kvm, error)) {
        kvm_close(kvm);
        return false;
    }
    *state = kvm;
    return true;
}

int machine_call(struct machine *machine, int descriptor, unsigned long request, void *argument)
{
    if (request == KVM_RUN)
        machine->run_count++;
    else
        machine->call_count++;
    return ioctl(descriptor, request, argument);
}

bool machine_add_slot(struct machine *machine, uint64_t physical, void *host, uint64_t size,
                      bool read_only, struct error *error)
{
    struct kvm_userspace_memory_region region = {
        .slot = machine->slot_count,
        .flags = read_only ? KVM_MEM_READONLY : 0,
        .guest_phys_addr = physical,
        .memory_size = size,
        .userspace_addr = (uint64_t)(uintptr_t)host,
    };
    unsigned slots_max = MEMORY_SLOTS_MAX + (machine->areas != NULL ? AREA_SLOTS_MAX : 0);
    if (machine->slot_count >= slots_max)
        return error_set(error, ERROR_LIMIT, "micro-VM needs more than %u memory slots", slots_max);
    if (machine_call(machine, machine->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
        return error_system(error, "give the micro-VM %llu bytes of memory",
                            (unsigned long long)size);
    machine->slot_count++;
    return true;
}

bool machine_cover(struct machine *machine, struct growing_part *part, uint64_t size,
                   struct error *error)
{
    if (size <= part->covered)
        return true;
    ASSERT(size <= part->reserved);
    uint64_t end = MIN(MAX(round_up(size, LARGE_PAGE_SIZE), 2 * part->covered), part->reserved);
    if (!machine_add_slot(machine, part->physical + part->covered, part->host + part->covered,
                          end - part->covered, false, error))
        return false;
    part->covered = end;
    return true;
}

static void kvm_machine_close(struct machine *machine)
{
    if (machine == NULL)
        return;
    if (machine->run != NULL)
        munmap(machine->run, (size_t)machine->kvm->run_size);
    file_close(&machine->vcpu);
    file_close(&machine->vm);
    memory_close(machine);
    free(machine);
}

static bool machine_build(struct machine *machine, struct error *error)
{
    /* The timer of an earlier call may still go off: making a VM doesn't like signals. */
    do
        machine->vm = ioctl(machine->kvm->device, KVM_CREATE_VM, 0);
    while (machine->vm < 0 && errno == EINTR);
    if (machine->vm < 0)
        return error_system(error, "make a micro-VM");
    /* The same for all; whoever comes first notes it. */
    if (__atomic_load_n(&machine->kvm->tsc_to_ns_mult, __ATOMIC_RELAXED) == 0) {
        int khz = machine_call(machine, machine->vm, KVM_GET_TSC_KHZ, NULL);
        uint64_t mult = khz > 0 ? (1000000ull << 32) / (unsigned)khz : 0;
        __atomic_store_n(&machine->kvm->tsc_to_ns_mult, mult, __ATOMIC_RELAXED);
    }
    return memory_open(machine, error);
}

static bool kvm_machine_open(struct machine **made, void *state, void *mailbox, size_t mailbox_size,
                             struct error *error)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    if (machine == NULL)
        return error_system(error, "micro-VM");
    *machine = (struct machine){
        .kvm = state, .vm = -1, .vcpu = -1, .mailbox = mailbox, .mailbox_size = mailbox_size
    };
    if (!machine_build(machine, error)) {
        kvm_machine_close(machine);
        return false;
    }
    *made = machine;
    return true;
}

static struct control *kvm_control(struct machine *machine)
{
    return (struct control *)(void *)(machine->core + CORE_CONTROL);
}

static uint8_t *kvm_part(const struct machine *machine, enum part part, uint64_t *size)
{
    switch (part) {
    case PART_MEMORY:
        *size = machine->memory.size;
        return machine->memory.host;
    case PART_INSTANCE:
        *size = machine->instance.size;
        return machine->instance.host;
    case PART_RUNTIME:
        *size = CORE_RUNTIME_SIZE;
        return machine->core + CORE_RUNTIME;
    case PART_STACK:
        *size = LAYOUT_STACK_SIZE;
        return machine->core + CORE_STACKS;
    case PART_FRAMES:
        *size = LAYOUT_FRAMES_SIZE;
        return machine->core + CORE_STACKS + REGION_STACKS_FRAMES;
    case PART_SCRATCH:
        *size = machine->scratch.size;
        return machine->scratch.host;
    case PART_COUNT:
        break;
    }
    ASSERT(false);
}

static uint64_t kvm_memory_base(const struct machine *machine UNUSED)
{
    return LAYOUT_MEMORY;
}

static volatile uint8_t *kvm_interrupt_flag(struct machine *machine)
{
    return &machine->run->immediate_exit;
}

static bool kvm_has_tsc(const struct machine *machine, uint64_t *tsc_to_ns_mult)
{
    *tsc_to_ns_mult = __atomic_load_n(&machine->kvm->tsc_to_ns_mult, __ATOMIC_RELAXED);
    return machine->has_tsc && *tsc_to_ns_mult != 0;
}

static bool kvm_restores_itself(const struct machine *machine)
{
    return machine->restores_itself;
}

static uint64_t kvm_round_trip_ns(const struct machine *machine)
{
    return __atomic_load_n(&machine->kvm->round_trip_ns, __ATOMIC_RELAXED);
}

static int *kvm_device(void *state)
{
    struct kvm *kvm = state;
    return &kvm->device;
}

const struct backend backend_kvm = {
    .name = "kvm",
    .has_walls = true,
    .open = kvm_open,
    .close = kvm_close,
    .device = kvm_device,
    .machine_open = kvm_machine_open,
    .machine_attach = memory_attach,
    .machine_close = kvm_machine_close,
    .machine_load = memory_load,
    .machine_enter = vcpu_enter,
    .machine_resume = vcpu_resume,
    .machine_grow = memory_grow,
    .machine_scratch = memory_scratch,
    .machine_reset = memory_reset,
    .area_add = area_add,
    .area_grow = area_grow,
    .machine_control = kvm_control,
    .machine_part = kvm_part,
    .machine_memory_base = kvm_memory_base,
    .machine_interrupt_flag = kvm_interrupt_flag,
    .machine_restores_itself = kvm_restores_itself,
    .machine_round_trip_ns = kvm_round_trip_ns,
    .machine_has_tsc = kvm_has_tsc,
};
