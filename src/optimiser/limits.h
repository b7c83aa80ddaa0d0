/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of this module, in one place. */
#ifndef OPTIMISER_LIMITS_H
#define OPTIMISER_LIMITS_H

enum {
    /* A function beyond one of these stays the baseline's: LLVM's time and memory are not linear in
     * them. */
    OPTIMISER_FUNCTION_SIZE_MAX = 128 << 10,       /* bytes of a body */
    OPTIMISER_FUNCTION_LOCALS_BLOCKS_MAX = 600000, /* locals x blocks */
    OPTIMISER_FUNCTION_BLOCKS_MAX = 20000,
    OPTIMISER_BLOCK_SIZE_MAX = 16 << 10, /* bytes without a branch */
    /* A partition: what one process compiles at once. */
    OPTIMISER_PART_SIZE = 64 << 10, /* bytes of bodies */
    OPTIMISER_PART_CPU_SECONDS = 8,
    OPTIMISER_PART_MEMORY_MAX = 448 << 20, /* bytes of its own */
    OPTIMISER_OBJECT_SIZE_MAX = 64 << 20,
    OPTIMISER_WORKERS_MAX = 64,
    OPTIMISER_CPU_SECONDS = 60, /* of a module, all workers together */
};

#endif
