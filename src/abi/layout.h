/* SPDX-License-Identifier: Apache-2.0 */
/* Where everything stands in a micro-VM's address space (virtual addresses), the same for every
 * backend except that a backend which can't map address 0 puts linear memory elsewhere (struct
 * instance says where).  Owns nothing; constants only.  DESIGN section 5. */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#include "core/compiler.h"

#define LAYOUT_PAGE_SIZE      4096u
#define LAYOUT_WASM_PAGE_SIZE 65536u

/* Linear memory: mapped from 0 to its present size; the rest of 8 GiB plus the gap up to
 * LAYOUT_SYSTEM is never mapped, so a 32-bit index plus a 32-bit offset plus an access of 16 bytes
 * always faults. */
#define LAYOUT_MEMORY         0x000000000ull
#define LAYOUT_MEMORY_RESERVE 0x200000000ull

/* Ring 0 only: descriptor tables, task segment, exception stub and its stack.  kvm backend only. */
#define LAYOUT_SYSTEM      0x280000000ull
#define LAYOUT_SYSTEM_SIZE 0x000010000ull

/* struct control (abi/control.h): read-only for the guest, rewritten by the host at every entry. */
#define LAYOUT_CONTROL 0x280100000ull

/* The guest runtime (an ELF linked at this address): text RX, constants R, data RW. */
#define LAYOUT_RUNTIME      0x280120000ull
#define LAYOUT_RUNTIME_SIZE 0x0000e0000ull

/* The machine's own page table entries of what a reset restores: read-only.  kvm backend only. */
#define LAYOUT_TABLES      0x284000000ull
#define LAYOUT_TABLES_SIZE 0x002000000ull

/* struct instance (abi/instance.h) and behind it globals and tables: RW. */
#define LAYOUT_INSTANCE          0x288000000ull
#define LAYOUT_INSTANCE_SIZE_MAX 0x004000000ull

/* Compiled code: RX.  Read-only data of the image: R. */
#define LAYOUT_CODE            0x290000000ull
#define LAYOUT_CODE_SIZE_MAX   0x020000000ull
#define LAYOUT_RODATA          0x2b0000000ull
#define LAYOUT_RODATA_SIZE_MAX 0x010000000ull

/* Native stack (return addresses, C frames of the runtime): grows down from LAYOUT_STACK_END,
 * unmapped guard below.  Frame stack (wasm locals and operands): grows up, unmapped guards on both
 * sides.  What is used first of either, LAYOUT_STACKS_FIRST bytes, shares one page table, so that
 * a reset looks through few entries; the others are whole tables. */
#define LAYOUT_STACK        0x2c0000000ull
#define LAYOUT_STACK_SIZE   0x000410000ull
#define LAYOUT_STACK_END    (LAYOUT_STACK + LAYOUT_STACK_SIZE)
#define LAYOUT_FRAMES       0x2c05f0000ull
#define LAYOUT_FRAMES_SIZE  0x000810000ull
#define LAYOUT_STACKS_FIRST 0x000010000ull

/* The mailbox (abi/mailbox.h): RW, shared with the node's process. */
#define LAYOUT_MAILBOX          0x2d0000000ull
#define LAYOUT_MAILBOX_SIZE_MAX 0x010000000ull

/* What an invocation does to its files: RW, zeros at first, gone at the reset.  Mapped only as far
 * as it is asked for (GUEST_EXIT_SCRATCH).  The fixed part holds descriptors and tables and comes
 * on top of the limit of settings. */
#define LAYOUT_SCRATCH            0x2e0000000ull
#define LAYOUT_SCRATCH_SIZE_MAX   0x010000000ull
#define LAYOUT_SCRATCH_FIXED_SIZE 0x00000c000ull

/* The function's read-only files (abi/files.h): R, shared by all instances of a version. */
#define LAYOUT_FILES          0x2f0000000ull
#define LAYOUT_FILES_SIZE_MAX 0x010000000ull

/* Linked instances, several modules in one address space: number n (from 1) has a window of its
 * own for code, read-only data and instance region, and a reserve of its own for a memory.  All
 * rows of functions lie within 64 GiB of LAYOUT_RODATA (struct function_reference counts them from
 * there). */
#define LAYOUT_LINKED                   0x300000000ull
#define LAYOUT_LINKED_STRIDE            0x004000000ull
#define LAYOUT_LINKED_RODATA            0x002000000ull /* in the window */
#define LAYOUT_LINKED_INSTANCE          0x003000000ull /* in the window */
#define LAYOUT_LINKED_CODE_SIZE_MAX     (LAYOUT_LINKED_RODATA - LAYOUT_PAGE_SIZE)
#define LAYOUT_LINKED_RODATA_SIZE_MAX   (LAYOUT_LINKED_INSTANCE - LAYOUT_LINKED_RODATA)
#define LAYOUT_LINKED_INSTANCE_SIZE_MAX (LAYOUT_LINKED_STRIDE - LAYOUT_LINKED_INSTANCE)
#define LAYOUT_LINKED_MEMORY            0x10000000000ull
#define LAYOUT_LINKED_MEMORY_STRIDE     0x400000000ull
#define LAYOUT_LINKED_MAX               512u

/* What the guest restores itself from (struct control_part): read-only.  Linear memory, instance
 * region, runtime data. */
#define LAYOUT_SNAPSHOT          0xc00000000ull
#define LAYOUT_SNAPSHOT_SIZE     0x080000000ull
#define LAYOUT_SNAPSHOT_INSTANCE (LAYOUT_SNAPSHOT + 0x070000000ull)
#define LAYOUT_SNAPSHOT_RUNTIME  (LAYOUT_SNAPSHOT + 0x078000000ull)

#endif
