/* SPDX-License-Identifier: Apache-2.0 */
/* The kvm backend's own view of a machine.  Guest-physical memory: a core slot (page tables, ring-0
 * pages, control page, runtime, stacks, code window), the mailbox, linear memory and the instance
 * region (each growing by further slots), and for large programs the image itself, read-only. */
#ifndef SLIPSTREAM_KVM_H
#define SLIPSTREAM_KVM_H

#include "slipstream/backend.h"
#include "slipstream/limits.h"

#include <linux/kvm.h>

/* Rights of a mapping, as bits of a page table entry. */
#define PAGE_PRESENT  0x1ull
#define PAGE_WRITE    0x2ull
#define PAGE_USER     0x4ull
#define PAGE_ACCESSED 0x20ull
#define PAGE_DIRTY    0x40ull
#define PAGE_LARGE    0x80ull
#define PAGE_NO_EXEC  (1ull << 63)
#define PAGE_ADDRESS  0x000ffffffffff000ull

enum page_right {
    PAGE_RIGHT_READ,
    PAGE_RIGHT_READ_EXECUTE,
    PAGE_RIGHT_READ_WRITE,       /* first write is noted in the entry */
    PAGE_RIGHT_READ_WRITE_DIRTY, /* counts as written from the start: no fault at the first write */
    PAGE_RIGHT_SYSTEM_EXECUTE,   /* ring 0 only */
    PAGE_RIGHT_SYSTEM_WRITE
};

/* Parts of the core slot, as offsets from its start; also guest-physical addresses. */
#define CORE_ROOT         0x000000ull /* of each tree PML4, PDPT, one directory per used GiB */
#define CORE_ROOT_SIZE    0x015000ull
#define CORE_SYSTEM       (CORE_ROOT + CORE_ROOT_SIZE)
#define CORE_CONTROL      (CORE_SYSTEM + LAYOUT_SYSTEM_SIZE)
#define CORE_RUNTIME      (CORE_CONTROL + LAYOUT_PAGE_SIZE) /* only what can be written of it */
#define CORE_RUNTIME_SIZE 0x02a000ull
#define CORE_CODE         (CORE_RUNTIME + CORE_RUNTIME_SIZE)
#define CORE_RODATA       (CORE_CODE + WINDOW_CODE_SIZE)
#define CORE_TABLES       (CORE_RODATA + WINDOW_RODATA_SIZE)
#define CORE_TABLES_SIZE  0xb38000ull
#define CORE_STACKS       0xe00000ull
#define CORE_SIZE         (CORE_STACKS + REGION_STACKS_SIZE)

/* Guest-physical homes of the other slots. */
#define PHYSICAL_RUNTIME  0x004000000ull
#define PHYSICAL_INSTANCE 0x008000000ull
#define PHYSICAL_MAILBOX  0x010000000ull
#define PHYSICAL_IMAGE    0x040000000ull
#define PHYSICAL_SCRATCH  0x080000000ull
#define PHYSICAL_FILES    0x0a0000000ull
#define PHYSICAL_MEMORY   0x100000000ull
#define PHYSICAL_SNAPSHOT 0x280000000ull

enum {
    TABLE_PAGES = 512
};
#define PHYSICAL_AREAS   0x1000000000ull /* fixed ones, and page tables that areas need */
#define PHYSICAL_GROWING 0x8000000000ull /* growing ones, MEMORY_SIZE_MAX each */

#define REGION_STACKS_SIZE   (LAYOUT_FRAMES + LAYOUT_FRAMES_SIZE - LAYOUT_STACK)
#define REGION_STACKS_FRAMES (LAYOUT_FRAMES - LAYOUT_STACK)

/* A stretch of virtual addresses with its array of page table entries in the core slot. */
enum region {
    REGION_SYSTEM, /* ring-0 pages, the control page and the runtime */
    REGION_STACKS, /* both, and a gap between */
    REGION_INSTANCE,
    REGION_RODATA,
    REGION_MAILBOX,
    REGION_CODE, /* up to its first table all lies close together, for the host's own tables */
    REGION_MEMORY,
    REGION_TABLES,
    REGION_SCRATCH,
    REGION_FILES,
    REGION_SNAPSHOT, /* last: mapped in large pages alone, its tables do not exist */
    REGION_COUNT
};

/* Two page table trees.  They share all tables but those of the first pages that every program
 * writes, so that entries which note writes are new to KVM when the guest changes over. */
enum tree {
    TREE_PLAIN,   /* of a new machine: whatever can be written counts as written */
    TREE_TRACKED, /* of a hot instance: first writes are noted */
    TREE_COUNT
};

struct kvm {
    int device;
    int run_size;
    struct kvm_cpuid2 *cpuid;
    uint64_t tsc_to_ns_mult; /* 0: not known */
    uint64_t round_trip_ns;  /* 0: not measured yet */
    uint64_t small_page_ns; /* what the first touch of a new page costs, and that of one of 2 MiB */
    uint64_t large_page_ns;
};

/* A part that starts with a window and grows by slots. */
struct growing_part {
    uint8_t *host; /* reserved at full size */
    uint64_t physical;
    uint64_t reserved;
    uint64_t covered; /* by memory slots, from the start */
    uint64_t size;    /* mapped for the guest now */
    uint64_t guard;   /* but for so many bytes at its start */
    uint64_t passed;  /* reserved before `host`, and covered, but of no use */
    enum region region;
    bool is_learned; /* entries tell which pages were written; before, all count as written */
    uint64_t written_count; /* pages of the union when it was learned */
    bool wants_pruning;
};

struct machine {
    struct kvm *kvm;
    int vm;
    int vcpu;
    struct kvm_run *run;
    uint64_t run_count;  /* entries asked of KVM */
    uint64_t call_count; /* everything else asked of it */
    unsigned slot_count;
    uint8_t *core;
    enum tree tree; /* that the guest is entered with; start_sregs.cr3 says the same */
    struct growing_part memory;
    struct growing_part instance;
    struct growing_part scratch;
    void *mailbox;
    uint64_t mailbox_size;
    struct areas *areas;          /* NULL: none */
    struct kvm_sregs start_sregs; /* ring 3 at the runtime's entry */
    bool has_tsc;
    bool left_plainly;    /* the last exit was the guest's own */
    unsigned reset_count; /* since the program was loaded, and since the last look at the union */
    unsigned pruned_at;
    bool is_hot;          /* every part is learned */
    bool restores_itself; /* control.parts are filled in */
    bool has_snapshot;    /* the program's snapshot is mapped */
};

/* vm.c */
/* ioctl on the machine or its vCPU, counted. */
int machine_call(struct machine *machine, int descriptor, unsigned long request, void *argument);
MUST_CHECK bool machine_add_slot(struct machine *machine, uint64_t physical, void *host,
                                 uint64_t size, bool read_only, struct error *error);
/* Makes the first `size` bytes of the part usable as guest-physical memory. */
MUST_CHECK bool machine_cover(struct machine *machine, struct growing_part *part, uint64_t size,
                              struct error *error);

/* paging.c */
void paging_init(struct machine *machine);
/* The entry of a page of the region, in the tree in use; entries of a table are an array. */
uint64_t *paging_entry(const struct machine *machine, enum region region, uint64_t page);
/* Of the tracked tree: one array, one entry per page from the region's first. */
uint64_t paging_entries_physical(enum region region);
/* Changes over to the tracked tree, for good; it maps what the plain one did.  True: entries of
 * `page` are new to KVM, so that nothing has to be forgotten when they are changed before the next
 * entry. */
void paging_track(struct machine *machine);
bool paging_is_new(enum region region, uint64_t page);
/* Whether anybody may have touched the 2 MiB around `offset`; always so unless they were mapped
 * with PAGE_RIGHT_READ_WRITE alone.  The second says where the entry stands that knows. */
bool paging_is_touched(const struct machine *machine, enum region region, uint64_t offset);
/* Whether the 2 MiB around `offset` are one page; paging_map makes small ones of it. */
bool paging_is_large(const struct machine *machine, enum region region, uint64_t offset);
uint64_t paging_directory_physical(const struct machine *machine, enum region region,
                                   uint64_t offset);
void paging_map(struct machine *machine, enum region region, uint64_t offset, uint64_t physical,
                uint64_t size, enum page_right right);
/* The same in pages of 2 MiB; offset, address and size are multiples of that. */
void paging_map_large(struct machine *machine, enum region region, uint64_t offset,
                      uint64_t physical, uint64_t size, enum page_right right);
/* Takes pages away.  The caller makes KVM forget them (memory_forget): its shadow of a present
 * entry does not follow. */
void paging_unmap(struct machine *machine, enum region region, uint64_t offset, uint64_t size);

/* stub.c */
void stub_write(struct machine *machine);
/* Registers of ring 3 at the runtime's entry. */
void stub_segments(struct kvm_sregs *sregs);
/* Whether an OUT to `port` came from the stub, and for which exception. */
bool stub_vector(uint16_t port, uint32_t *vector);
/* The instruction that faulted, from the ring-0 stack. */
uint64_t stub_fault_code(const struct machine *machine);

/* vcpu.c */
MUST_CHECK bool vcpu_open(struct machine *machine, struct error *error);
void vcpu_enter(struct machine *machine, struct event *event);
void vcpu_resume(struct machine *machine, uint64_t answer, struct event *event);

/* memory.c: what stands where */
MUST_CHECK bool memory_open(struct machine *machine, struct error *error);
/* The mailbox, where memory_open found none. */
MUST_CHECK bool memory_attach(struct machine *machine, void *mailbox, size_t mailbox_size,
                              struct error *error);
void memory_close(struct machine *machine);
MUST_CHECK bool memory_load(struct machine *machine, const struct program *program,
                            struct error *error);
MUST_CHECK bool memory_grow(struct machine *machine, uint64_t size);
/* Maps at least the first `size` bytes of the scratch area. */
MUST_CHECK bool memory_scratch(struct machine *machine, uint64_t size);
/* Drops KVM's shadow of host pages, with their content when `empty`. */
MUST_CHECK bool memory_forget(uint8_t *host, uint64_t size, bool empty);

/* plan.c: fills control.parts, so that the guest can restore itself. */
MUST_CHECK bool plan_make(struct machine *machine, const struct program *program,
                          struct error *error);
/* area.c */
MUST_CHECK bool area_add(struct machine *machine, const struct area *area, uint8_t **host,
                         struct error *error);
MUST_CHECK bool area_grow(struct machine *machine, uint64_t address, uint64_t size);
void areas_close(struct machine *machine);

/* reset.c */
MUST_CHECK bool memory_reset(struct machine *machine, const struct program *program,
                             bool is_typical, struct error *error);

#endif
