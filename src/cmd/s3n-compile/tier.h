/* SPDX-License-Identifier: Apache-2.0 */
/* The two programs that are one: s3n-compile has the baseline tier, s3n-optimise the optimised one
 * too.  Loading LLVM takes longer than the baseline takes to compile, so that it stands in a
 * program of its own, which s3n-compile becomes when it is asked for that tier. */
#ifndef CMD_COMPILE_TIER_H
#define CMD_COMPILE_TIER_H

#include "wasm/wasm.h"

struct tier_options {
    const char *tier;
    const char *functions; /* "3,7-9": those to optimise; NULL: all */
    uint64_t workers;      /* 0: one per processor */
    uint64_t cpu_seconds;
};

/* Before the jail: returns when this program has the tier.  `arguments`: those of main. */
MUST_CHECK bool tier_begin(const struct tier_options *options, char **arguments,
                           struct error *error);
MUST_CHECK bool tier_compile(struct buffer *image, struct bytes module,
                             const struct wasm_options *wasm, const struct tier_options *options,
                             struct error *error);

#endif
