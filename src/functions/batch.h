/* SPDX-License-Identifier: Apache-2.0 */
/* Writes of the node's own records that belong together, gathered before they are applied as one.
 * The first that finds no room fails the batch; one check at its end suffices.  Owns the keys and
 * values.  Internal to functions. */
#ifndef FUNCTIONS_BATCH_H
#define FUNCTIONS_BATCH_H

#include "store/store.h"

enum {
    BATCH_KEY_SIZE = 256,
    BATCH_AUDIT_COUNT = 2 /* writes that an entry of the audit log takes */
};

struct batch {
    struct store_write writes[STORE_WRITES_MAX];
    char keys[STORE_WRITES_MAX][BATCH_KEY_SIZE];
    struct buffer values[STORE_WRITES_MAX];
    size_t count;
    bool failed;
};

void batch_init(struct batch *batch);
void batch_done(struct batch *batch);
#define AUTO_BATCH __attribute__((cleanup(batch_done)))

/* Copies key and value.  The index of the write. */
size_t batch_put(struct batch *batch, const char *key, struct bytes value, uint64_t if_revision);
size_t batch_delete(struct batch *batch, const char *key, uint64_t if_revision);
static inline size_t batch_room(const struct batch *batch)
{
    return STORE_WRITES_MAX - batch->count;
}
MUST_CHECK bool batch_apply(struct batch *batch, struct store *store, struct error *error);

#endif
