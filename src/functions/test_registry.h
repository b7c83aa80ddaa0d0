/* SPDX-License-Identifier: Apache-2.0 */
/* A registry on a store of its own for tests, with owners 1, 2, ... who deploy one function. */
#ifndef FUNCTIONS_TEST_REGISTRY_H
#define FUNCTIONS_TEST_REGISTRY_H

#include "functions/registry.h"
#include "functions/test_manifest.h"

extern const char *store_name; /* a test's own, where names would meet */
extern int64_t now_s;

struct digest32 owner_of(uint8_t byte);
struct change change_of(uint8_t owner);
/* A canonical manifest with one function whose module is `code`. */
void manifest_of(struct buffer *text, const char *name, struct bytes code);
struct function_image image_of(const char *content);
/* Deploys one function whose module is `code` with so many percent of the requests. */
MUST_CHECK bool put_weight(struct registry *registry, const char *name, const char *code,
                           uint8_t owner, unsigned weight, struct registry_outcome *outcome,
                           struct error *error);
MUST_CHECK bool put(struct registry *registry, const char *name, const char *code, uint8_t owner,
                    bool *replaced, struct error *error);
MUST_CHECK bool application_delete(struct registry *registry, const char *name, uint8_t owner,
                                   struct error *error);

struct registry_world {
    struct store *store;
    struct audit *audit;
    struct registry *registry;
};
/* How the next world's registry is made. */
extern struct registry_options registry_world_options;
bool registry_world_open(struct registry_world *world);
void registry_world_close(struct registry_world *world);
/* While it is set nothing can be written to a world's store. */
extern bool store_is_full;
/* Takes each member of the record's JSON out in turn, also of the first object of each of its
 * arrays, gives it another type, and writes what is no JSON: `opens` must fail each time, and
 * succeed with what was there, which is put back.  `optional`: a member that may be absent, or
 * NULL. */
void check_record_is_judged(struct store *store, const char *record, const char *optional,
                            bool (*opens)(struct error *error));

#endif
