/* SPDX-License-Identifier: Apache-2.0 */
/* optimiser: the optimised tier of the compiler, on LLVM 19.
 *
 * Turns a module into an image in which some functions are LLVM's code and the others the
 * baseline's, side by side.  A function that is over a budget, or that LLVM can't compile within
 * the limits, is the baseline's.  Never runs code, never opens a file; to be called in a jailed
 * process, since it hands outside input to LLVM. */
#ifndef OPTIMISER_OPTIMISER_H
#define OPTIMISER_OPTIMISER_H

#include "wasm/wasm.h"

struct optimise_options {
    struct wasm_options wasm;
    const uint8_t *functions;   /* a bit per function of the module: wanted; NULL: all */
    size_t functions_size;      /* bytes; functions beyond are not wanted */
    uint32_t workers;           /* processes at once; 0: one per processor */
    uint32_t cpu_seconds;       /* of all workers together; 0: OPTIMISER_CPU_SECONDS */
    uint64_t worker_memory_max; /* bytes of private memory of a worker, what the caller has
                                   included; 0: no limit */
};

/* What became of it. */
struct optimise_report {
    uint32_t function_count;  /* defined ones */
    uint32_t optimised_count; /* of these */
    uint64_t optimised_size;  /* bytes of their bodies */
    uint32_t process_count;   /* workers that were there at once, at most */
};

/* As wasm_compile; `report` may be NULL. */
MUST_CHECK bool optimise_compile(struct buffer *image, struct bytes module,
                                 const struct optimise_options *options,
                                 struct optimise_report *report, struct error *error);

#endif
