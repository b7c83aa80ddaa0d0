/* SPDX-License-Identifier: Apache-2.0 */
/* All that runs in ring 0: one OUT and a HLT per exception.  The port says which exception, the
 * ring-0 stack where.  Ring 3 may use GUEST_PORT alone: every other bit of the I/O map is set. */
#include "slipstream/kvm.h"

#include "abi/control.h"
#include "slipstream/runtime.h"

#include <string.h>

/* Offsets in the system pages.  Ports that the I/O map does not reach are forbidden. */
enum {
    SYSTEM_GDT = 0x000,
    SYSTEM_IDT = 0x100,
    SYSTEM_TSS = 0x800,
    SYSTEM_TSS_MAP = 0x68, /* of the I/O bitmap, from the segment's start */
    SYSTEM_TSS_MAP_SIZE = (GUEST_PORT + 4) / 8 + 1,
    SYSTEM_TSS_SIZE = SYSTEM_TSS_MAP + SYSTEM_TSS_MAP_SIZE + 1,
    SYSTEM_STUB = 0x1000,
    SYSTEM_STUB_STRIDE = 16,
    SYSTEM_STACK_END = 0x3000,
    STUB_PORT = 0x80,
    STUB_FRAME_SIZE = 40 /* SS, RSP, RFLAGS, CS, RIP */
};

enum selector {
    SELECTOR_CODE0 = 0x08,
    SELECTOR_DATA0 = 0x10,
    SELECTOR_DATA3 = 0x1b,
    SELECTOR_CODE3 = 0x23,
    SELECTOR_TSS = 0x28
};

static uint8_t *system_at(const struct machine *machine, uint64_t offset)
{
    return machine->core + CORE_SYSTEM + offset;
}

static void write_gate(const struct machine *machine, unsigned vector)
{
    uint64_t target = LAYOUT_SYSTEM + SYSTEM_STUB + vector * SYSTEM_STUB_STRIDE;
    /* Interrupt gate of ring 0: software interrupts from ring 3 fault instead. */
    uint64_t gate[2] = {
        (target & 0xffff) | (uint64_t)SELECTOR_CODE0 << 16 | 0x8e00ull << 32 |
            (target >> 16 & 0xffff) << 48,
        target >> 32,
    };
    memcpy(system_at(machine, SYSTEM_IDT + vector * sizeof(gate)), gate, sizeof(gate));
    uint8_t code[] = { 0xe6, (uint8_t)(STUB_PORT + vector), 0xf4, 0xeb, 0xfd };
    memcpy(system_at(machine, SYSTEM_STUB + vector * SYSTEM_STUB_STRIDE), code, sizeof(code));
}

void stub_write(struct machine *machine)
{
    uint64_t base = LAYOUT_SYSTEM + SYSTEM_TSS, limit = SYSTEM_TSS_SIZE - 1;
    const uint64_t gdt[] = {
        0,
        0x00af9b000000ffffull, /* ring 0 code */
        0x00cf93000000ffffull, /* ring 0 data */
        0x00cff3000000ffffull, /* ring 3 data */
        0x00affb000000ffffull, /* ring 3 code */
        limit | (base & 0xffffff) << 16 | 0x8bull << 40 | (base >> 24 & 0xff) << 56,
        base >> 32,
    };
    memcpy(system_at(machine, SYSTEM_GDT), gdt, sizeof(gdt));
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
        write_gate(machine, vector);

    uint8_t *tss = system_at(machine, SYSTEM_TSS);
    uint64_t stack = LAYOUT_SYSTEM + SYSTEM_STACK_END;
    uint16_t map = SYSTEM_TSS_MAP;
    memcpy(tss + 4, &stack, sizeof(stack));
    memcpy(tss + 0x66, &map, sizeof(map));
    memset(tss + SYSTEM_TSS_MAP, 0xff, SYSTEM_TSS_MAP_SIZE + 1);
    /* A 32-bit OUT covers four ports. */
    for (unsigned port = GUEST_PORT; port < GUEST_PORT + 4; port++)
        tss[SYSTEM_TSS_MAP + port / 8] &= (uint8_t) ~(1u << port % 8);

    paging_map(machine, REGION_SYSTEM, 0, CORE_SYSTEM, LAYOUT_SYSTEM_SIZE, PAGE_RIGHT_SYSTEM_WRITE);
    paging_map(machine, REGION_SYSTEM, SYSTEM_STUB, CORE_SYSTEM + SYSTEM_STUB, LAYOUT_PAGE_SIZE,
               PAGE_RIGHT_SYSTEM_EXECUTE);
    paging_map(machine, REGION_SYSTEM, LAYOUT_CONTROL - LAYOUT_SYSTEM, CORE_CONTROL,
               LAYOUT_PAGE_SIZE, PAGE_RIGHT_READ);
}

void stub_segments(struct kvm_sregs *sregs)
{
    struct kvm_segment data = { .limit = 0xffffffff,
                                .selector = SELECTOR_DATA3,
                                .type = 3,
                                .present = 1,
                                .dpl = 3,
                                .db = 1,
                                .s = 1,
                                .g = 1 };
    struct kvm_segment code = { .limit = 0xffffffff,
                                .selector = SELECTOR_CODE3,
                                .type = 11,
                                .present = 1,
                                .dpl = 3,
                                .s = 1,
                                .l = 1,
                                .g = 1 };
    sregs->cs = code;
    sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
    sregs->tr = (struct kvm_segment){ .base = LAYOUT_SYSTEM + SYSTEM_TSS,
                                      .limit = SYSTEM_TSS_SIZE - 1,
                                      .selector = SELECTOR_TSS,
                                      .type = 11,
                                      .present = 1 };
    sregs->ldt = (struct kvm_segment){ .type = 2, .unusable = 1 };
    sregs->gdt = (struct kvm_dtable){ .base = LAYOUT_SYSTEM + SYSTEM_GDT, .limit = 7 * 8 - 1 };
    sregs->idt =
        (struct kvm_dtable){ .base = LAYOUT_SYSTEM + SYSTEM_IDT, .limit = VECTOR_COUNT * 16 - 1 };
}

bool stub_vector(uint16_t port, uint32_t *vector)
{
    if (port < STUB_PORT || port >= STUB_PORT + VECTOR_COUNT)
        return false;
    *vector = (uint32_t)port - STUB_PORT;
    return true;
}

uint64_t stub_fault_code(const struct machine *machine)
{
    uint64_t code;
    memcpy(&code, system_at(machine, SYSTEM_STACK_END - STUB_FRAME_SIZE), sizeof(code));
    return code;
}
