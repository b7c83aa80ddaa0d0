/* SPDX-License-Identifier: Apache-2.0 */
/* Reading values out of a manifest's tables, each failure with its place.  Internal to functions.
 */
#ifndef FUNCTIONS_MANIFEST_READER_H
#define FUNCTIONS_MANIFEST_READER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/toml.h"

enum {
    MANIFEST_PATH_SIZE = 512
};

/* Where a tree came from: the source form has a document (and lines), the resolved form has none.
 */
struct manifest_source {
    const char *file_name;
    const struct toml_document *document;
};

/* One table of the tree. */
struct manifest_table {
    const struct manifest_source *source;
    struct arena *arena; /* for strings */
    const json_t *json;  /* NULL: absent */
    char path[MANIFEST_PATH_SIZE];
};

/* Put "FILE:LINE: PATH: " before the error of the table, or of the value at `key`; always false. */
bool manifest_fail(const struct manifest_table *table, struct error *error);
bool manifest_fail_key(const struct manifest_table *table, const char *key, struct error *error);
unsigned manifest_line(const struct manifest_table *table);

/* Every key must be among `keys` (ends with NULL). */
MUST_CHECK bool manifest_check_keys(const struct manifest_table *table, const char *const *keys,
                                    struct error *error);
/* The table called `key` in `parent`; absent: json is NULL. */
MUST_CHECK bool manifest_get_table(const struct manifest_table *parent, const char *key,
                                   struct manifest_table *table, struct error *error);
/* As a value of `parent` that is known to be there. */
struct manifest_table manifest_sub_table(const struct manifest_table *parent, const char *key,
                                         const json_t *json);

/* Missing values leave the target as it was. */
MUST_CHECK bool manifest_read_string(const struct manifest_table *table, const char *key,
                                     size_t size_max, const char **text, struct error *error);
MUST_CHECK bool manifest_read_bool(const struct manifest_table *table, const char *key, bool *value,
                                   struct error *error);
/* From 1 to max. */
MUST_CHECK bool manifest_read_number(const struct manifest_table *table, const char *key,
                                     uint64_t max, uint64_t *number, struct error *error);
/* One of `names` (ends with NULL): its place in the list. */
MUST_CHECK bool manifest_read_choice(const struct manifest_table *table, const char *key,
                                     const char *const *names, unsigned *choice,
                                     struct error *error);
/* Source form: "250us", "1ms", "2s", or "0" for none; resolved form: nanoseconds. */
MUST_CHECK bool manifest_read_duration(const struct manifest_table *table, const char *key,
                                       uint64_t max_ns, uint64_t *duration_ns, struct error *error);

bool manifest_is_in(const char *const *names, const char *name);

#endif
