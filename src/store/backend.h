/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: what a backend implements.  The functions of store.h check their arguments and
 * call through this table. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

/* Arguments have been checked when these are called. */
struct store_operations {
    void (*close)(struct store *store);
    void (*remember)(struct store *store);
    bool (*confirm)(struct store *store, struct error *error);
    bool (*is_ready)(struct store *store);
    uint64_t (*sync_ns)(struct store *store);
    void (*tidy_apart)(struct store *store);
    bool (*wants_tidying)(struct store *store);
    void (*tidy)(struct store *store);
    bool (*get)(struct store *store, struct store_key key, struct buffer *value, uint64_t *revision,
                struct error *error);
    bool (*apply)(struct store *store, struct store_write *writes, size_t count,
                  struct error *error);
    bool (*list)(struct store *store, struct store_key prefix, const char *after, size_t limit,
                 struct store_page *page, struct error *error);
    bool (*blob_put)(struct store *store, const struct digest32 *digest, struct bytes content,
                     struct error *error);
    /* Calls `chunk` for each part in order; the parts are not yet checked as a whole. */
    bool (*blob_read)(struct store *store, const struct digest32 *digest,
                      bool (*chunk)(void *context, struct bytes part, struct error *error),
                      void *context, struct error *error);
    bool (*blob_size)(struct store *store, const struct digest32 *digest, uint64_t *size,
                      struct error *error);
    bool (*blob_delete)(struct store *store, const struct digest32 *digest, struct error *error);
    bool (*copy_new)(struct store_copy **copy, struct store *store, const char *path,
                     struct error *error);
    bool (*walk_next)(struct store *store, struct store_walk *walk, bool *more,
                      struct error *error);
};

/* The head of every backend's own struct. */
struct store {
    const struct store_operations *operations;
    struct sealer sealer;
    bool write_failed;
    bool keeps_log;
};

#endif
