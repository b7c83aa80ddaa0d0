/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the module, in one place. */
#ifndef SLIPSTREAM_LIMITS_H
#define SLIPSTREAM_LIMITS_H

#include "abi/layout.h"

enum {
    /* Pages that a new shell has touched already, so that a cold start meets no page fault. */
    WARM_MEMORY_SIZE = 128 << 10, /* mapped; of it are touched: */
    WARM_MEMORY_DATA = 8 << 10,   /* from the start, */
    WARM_MEMORY_STACK =
        60 << 10, /* and from here, the end of a stack of 64 KiB, be it in front of */
    WARM_MEMORY_HEAP = 84 << 10, /* the data or behind, to here */
    WARM_INSTANCE_SIZE = 8 << 10,
    WARM_CODE_SIZE = 48 << 10,
    WARM_RODATA_SIZE = 8 << 10,
    WARM_STACK_SIZE = 8 << 10,
    WARM_FRAMES_SIZE = 8 << 10,
    WARM_MAILBOX_SIZE = 24 << 10,

    ROUND_TRIP_SAMPLES = 9,
    FAULT_SAMPLES = 8, /* pages of each of so many: */
    PAGE_SAMPLES = 3,

    /* Code and read-only data up to these sizes are copied into the shell; more is mapped. */
    WINDOW_CODE_SIZE = 256 << 10,
    WINDOW_RODATA_SIZE = 128 << 10,
    /* What the first memory slots cover; more is covered when a program needs it. */
    WINDOW_MEMORY_SIZE = 4 << 20,
    WINDOW_INSTANCE_SIZE = 1 << 20,

    /* Parts up to here are copied whole at a reset; of larger ones, pages once written. */
    WHOLE_COPY_SIZE = 256 << 10,
    /* Resets until an instance is worth learning which pages it writes, whatever its size. */
    HOT_RESETS = 4,
    /* Resets between two looks at whether the union of written pages has grown far beyond what
     * invocations write, and how many more pages than when it was learned are far. */
    PRUNE_RESETS = 256,
    PRUNE_PAGES = 64,
    /* More stack or frame pages than this are given back to the system at a reset. */
    DIRTY_STACK_PAGES_MAX = 64,
    DIRTY_FRAME_PAGES_MAX = 256,
    DIRTY_SCRATCH_PAGES_MAX = 1024,
    SCRATCH_STEP_SIZE = 256 << 10, /* the least that is mapped at a time */

    /* Linear memory is mapped in pages of this size where a whole one fits, but for the first. */
    LARGE_PAGE_SIZE = 2 << 20,

    /* The process backend: written pages are found by faults, this many at most, each opening at
     * most so many neighbours; larger parts than this are not compared to find the first ones. */
    TRACKED_FAULTS_MAX = 512,
    TRACKED_RUN_MAX = 512,
    TRACKED_LEARN_SIZE = 2 << 20,
    /* Memory that is written all over is copied, not given back, up to here at most. */
    RESTORING_KEPT_SIZE_MAX = 64 << 20,
    /* So often, when more pages than this are restored, it is found out anew which are written. */
    TRACKED_PRUNE_RESETS = 1024,
    TRACKED_PRUNE_PAGES = 128,

    /* So often a cell and the lane's thread look after each other; and so long after its time limit
     * a cell is ended from outside. */
    CELL_LOOK_MS = 2000,
    CELL_GRACE_MS = 3000,
    CELL_RETRIES_MAX = 2, /* cells that may die before they begin an invocation */

    TRAP_BYTE = 0xcc, /* fills what is executable but no code: int3 */

    MEMORY_SLOTS_MAX = 41, /* all parts grown to their ends; and what areas take */
    AREA_GROWING_MAX = LAYOUT_LINKED_MAX,
    AREAS_EACH_MAX = 4, /* of a linked instance: code, read-only data, its region, its memory */
    AREA_SLOTS_MAX = 4 * AREA_GROWING_MAX,
    AREA_FIXED_SIZE_MAX = 1 << 30, /* all that don't grow, and page tables */
    MAILBOX_DEFAULT_SIZE = 1 << 20,
    MAILBOX_STRINGS_MAX = 4096,
    INSTANCE_GUARD_SIZE = 1 << 20, /* read-only data must end this far below the native stack */
};

#define MEMORY_SIZE_MAX 0x100000000ull

/* While several wait, a guest is looked after this often; one that runs longer ever more seldom. */
#define SLICE_NS            2000000ull
#define SLICE_DOUBLINGS_MAX 5u

#endif
