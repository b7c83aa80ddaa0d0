/* SPDX-License-Identifier: Apache-2.0 */
/* What this module accepts at most, by name. */
#ifndef ATTEST_LIMITS_H
#define ATTEST_LIMITS_H

enum {
    QUOTE_SIZE_MAX = 16384,    /* with padding; real ones are at most 8000 bytes */
    ATTEST_STEP_COUNT_MAX = 32 /* checks of one verification */
};

#endif
