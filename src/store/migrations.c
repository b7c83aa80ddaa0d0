/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include <stdio.h>

bool migrations_run(struct sqlite_store *sqlite, const struct schema *schema, long from,
                    struct error *error)
{
    char mark[48];
    for (long version = from; version < schema->version; version++) {
        const struct migration *step = &schema->steps[version - 1];
        if (step->sql != NULL &&
            sqlite3_exec(sqlite->database, step->sql, NULL, NULL, NULL) != SQLITE_OK) {
            sqlite_fail(sqlite, "change", error);
            return error_within(error, "from schema %ld to %ld", version, version + 1);
        }
        if (step->run != NULL && !step->run(sqlite, error))
            return error_within(error, "from schema %ld to %ld", version, version + 1);
    }
    snprintf(mark, sizeof(mark), "PRAGMA user_version=%ld", schema->version);
    return sqlite3_exec(sqlite->database, mark, NULL, NULL, NULL) == SQLITE_OK ||
           sqlite_fail(sqlite, "mark the schema", error);
}
