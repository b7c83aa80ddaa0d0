/* SPDX-License-Identifier: Apache-2.0 */
/* One module of the suite in a micro-VM of its own. */
#ifndef SPECTEST_INSTANCE_H
#define SPECTEST_INSTANCE_H

#include "base/buffer.h"
#include "slipstream/engine.h"

enum {
    INSTANCE_TIMEOUT_MS = 20000,
    INSTANCE_VALUES_MAX = 128
};

struct instance_of_suite {
    struct program *program;
    struct shell *shell;
    void *mailbox; /* takes what the modules print */
};

/* Slots in order; which are results is the caller's business. */
struct values {
    uint64_t slots[INSTANCE_VALUES_MAX];
    uint32_t count;
};

/* true with outcome->kind other than DONE: instantiation trapped and there is no instance. */
MUST_CHECK bool instance_open(struct instance_of_suite *instance, struct engine *engine,
                              struct bytes image, struct outcome *outcome, struct error *error);
MUST_CHECK bool instance_open_within(struct instance_of_suite *instance, struct engine *engine,
                                     struct bytes image, const struct settings *limits,
                                     struct outcome *outcome, struct error *error);
void instance_done(struct instance_of_suite *instance);
MUST_CHECK bool instance_invoke(struct instance_of_suite *instance, struct bytes name,
                                const struct values *arguments, struct values *results,
                                struct outcome *outcome, struct error *error);
MUST_CHECK bool instance_get(struct instance_of_suite *instance, struct bytes name,
                             struct values *results, struct error *error);

#endif
