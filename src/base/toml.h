/* SPDX-License-Identifier: Apache-2.0 */
/* TOML into the same tree as JSON (tables become objects, dates become strings), through toml++
 * behind a C shim.  For manifests, configuration and policies: files that people write. */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include "base/json.h"

enum {
    TOML_SIZE_MAX = 1 << 20
};

/* Where a key stands in a file, for errors about what a valid file may not say. */
struct toml_document {
    json_t *root;
    json_t *lines; /* object: "function.quote.source" or "trigger.http[0].route" -> line number */
};

/* Errors read "FILE:LINE:COLUMN: what". */
MUST_CHECK bool toml_parse(struct toml_document *document, const char *file_name, struct bytes text,
                           struct error *error);
void toml_done(struct toml_document *document);
#define AUTO_TOML __attribute__((cleanup(toml_done)))
/* The line of the key path (or of its nearest parent), 0 when unknown. */
unsigned toml_line(const struct toml_document *document, const char *path);

#endif
