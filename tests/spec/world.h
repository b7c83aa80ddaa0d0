/* SPDX-License-Identifier: Apache-2.0 */
/* What one file of the suite works on: instances by registered name, those that are linked with
 * each other together in one micro-VM, and the compiler that makes their images. */
#ifndef SPECTEST_WORLD_H
#define SPECTEST_WORLD_H

#include "tests/spec/instance.h"
#include "wasm/wasm.h"

enum {
    WORLD_REGISTERED_MAX = 512
};

/* What became of functions in all that was compiled. */
struct tier_counts {
    unsigned functions;
    unsigned optimised;
};

/* A tier of the compiler, as the engine has them. */
struct tier {
    const char *name;
    bool (*compile)(struct buffer *image, struct bytes module, const struct wasm_options *options,
                    struct error *error);
    const struct tier_counts *counts; /* NULL: all alike */
};
extern const struct tier tiers[];
extern const size_t tier_count;
/* NULL name: the baseline.  UNSUPPORTED: this build has it not, or nobody. */
MUST_CHECK bool tier_find(const struct tier **tier, const char *name, struct error *error);

struct registration {
    struct bytes name; /* the caller's */
    struct instance_of_suite instance;
};

struct world {
    struct engine *engine;
    const struct tier *tier;
    struct wasm_signatures *signatures;
    struct buffer image;
    struct shell *shell; /* of linked instances; NULL: none yet */
    void *mailbox;
    uint32_t placement; /* of the last linked instance */
    struct registration registered[WORLD_REGISTERED_MAX];
    size_t registered_count;
};

/* host.c */
struct bytes host_module(void);

MUST_CHECK bool world_open(struct world *world, struct engine *engine, const struct tier *tier,
                           struct error *error);
void world_close(struct world *world);
/* Whether the module imports what only another instance can give: one that is registered, or the
 * host module's table or memory. */
bool world_must_link(const struct world *world, struct bytes module);
/* Decodes, validates, checks imports, compiles; nothing is run. */
MUST_CHECK bool world_compile(struct world *world, struct bytes module, bool is_linked,
                              struct error *error);
/* Compiles and instantiates.  true with outcome->kind other than DONE: there is no instance.
 * Linked ones belong to the world, others are the caller's (instance_done). */
MUST_CHECK bool world_instantiate(struct world *world, struct bytes module, bool is_linked,
                                  struct instance_of_suite *instance, struct outcome *outcome,
                                  struct error *error);
/* Later registrations win.  Only linked instances can be registered. */
MUST_CHECK bool world_register(struct world *world, struct bytes name,
                               const struct instance_of_suite *instance, struct error *error);

#endif
