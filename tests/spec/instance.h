/* SPDX-License-Identifier: Apache-2.0 */
/* One instance of a module of the suite: alone in a micro-VM of its own, or one of several that are
 * linked with each other in one. */
#ifndef SPECTEST_INSTANCE_H
#define SPECTEST_INSTANCE_H

#include "base/buffer.h"
#include "slipstream/engine.h"
#include "slipstream/linked.h"

enum {
    INSTANCE_TIMEOUT_MS = 20000,
    INSTANCE_VALUES_MAX = 128
};

struct instance_of_suite {
    struct program *program;
    struct linked *linked; /* NULL: alone */
    struct shell *shell;   /* alone: its own */
    void *mailbox;         /* takes what the modules print */
};

/* Slots in order; which are results is the caller's business. */
struct values {
    uint64_t slots[INSTANCE_VALUES_MAX];
    uint32_t count;
};

/* An empty mailbox for what modules print. */
MUST_CHECK bool instance_mailbox(void **mailbox, struct error *error);
void instance_mailbox_done(void *mailbox);
enum {
    INSTANCE_MAILBOX_SIZE = 64 << 10
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
