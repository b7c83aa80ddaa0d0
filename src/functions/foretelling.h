/* SPDX-License-Identifier: Apache-2.0 */
/* What a function is likely to read of its state next: the kv_get requests that it made lately, and
 * whether foretelling their answers (abi/call.h) was of use lately.  Owns nothing outside itself.
 */
#ifndef FUNCTIONS_FORETELLING_H
#define FUNCTIONS_FORETELLING_H

#include "abi/call.h"

enum {
    FORETELLING_UNUSED_MAX = 16, /* in a row; then a request is not foretold any more */
    FORETELLING_HISTORY = 16,    /* invocations that used it, of which a quarter may be wrong */
    FORETELLING_REST = 64        /* invocations without it after that */
};

struct foretelling {
    struct foretelling_row {
        unsigned unused; /* how often it was foretold for nothing, in a row */
        uint16_t size;
        uint8_t record[CALL_FORETOLD_REQUEST_SIZE_MAX];
    } rows[CALL_FORETOLD_COUNT_MAX];
    uint8_t order[CALL_FORETOLD_COUNT_MAX]; /* the latest first */
    unsigned count;
    uint32_t history; /* a bit each, the latest lowest: was wrong */
    unsigned resting; /* invocations that still go without */
};

void foretelling_init(struct foretelling *foretelling);
/* The function asked this. */
void foretelling_note(struct foretelling *foretelling, const struct call_request *request);
/* Whether the next invocation may have calls foretold; counts those that may not. */
bool foretelling_may(struct foretelling *foretelling);
/* The requests for the next invocation, the latest first; borrowed. */
unsigned foretelling_list(struct foretelling *foretelling,
                          struct bytes records[CALL_FORETOLD_COUNT_MAX]);
/* An invocation that made calls inside has ended: with the right answers, or not. */
void foretelling_learn(struct foretelling *foretelling, bool was_wrong);

#endif
