/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the store's tests: a sealer with a key in this process, and SQL on a closed store. */
#ifndef STORE_STORE_TEST_SUPPORT_H
#define STORE_STORE_TEST_SUPPORT_H

#include "store/store.h"

struct test_sealer {
    unsigned calls;
    unsigned fail_at; /* the call that fails, 0: none */
};
struct sealer test_sealer_of(struct test_sealer *context);

/* A path inside the test's folder for a store of that name, which is not there yet. */
const char *test_store_path(const char *name);
/* Runs SQL on the file with a plain connection; false when it fails. */
bool test_sql(const char *path, const char *sql);
bool test_put(struct store *store, const char *key, const char *value, uint64_t if_revision,
              struct error *error);
/* Whether the record holds exactly this. */
bool test_holds(struct store *store, const char *key, const char *value);

#endif
