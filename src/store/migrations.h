/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: versions of its form, and the way from each to the next.
 *
 * A store of an older version is brought to the present one when it is opened: all steps, and the
 * check that its records are those that were written last, in one transaction, so after a crash or
 * a failure it is what it was.  A store of a newer version is refused and not touched.  There are
 * no steps back: docs/store.md.
 *
 * To change the form: raise STORE_SCHEMA_VERSION, change schema_sql (sqlite_open.c) for new stores,
 * add a step in schema.c, and keep tests/data/kept/ of the versions before as they are. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "store/sqlite_store.h"

enum {
    STORE_SCHEMA_VERSION = 1
};

/* From one version to the next. */
struct migration {
    const char *sql; /* NULL: none */
    /* After `sql`, what SQL can't do; NULL: nothing. */
    bool (*run)(struct sqlite_store *sqlite, struct error *error);
};
struct schema {
    long version;
    const struct migration *steps; /* version - 1: the first is from 1 to 2 */
};
extern const struct schema store_schema;

/* In a transaction. */
MUST_CHECK bool migrations_run(struct sqlite_store *sqlite, const struct schema *schema, long from,
                               struct error *error);
/* store_open_anchored (`anchor` may be NULL) as an S3N with another schema would. */
MUST_CHECK bool store_open_schema(struct store **store, const char *path,
                                  const struct sealer *sealer, const struct store_anchor *anchor,
                                  const struct schema *schema, struct error *error);

#endif
