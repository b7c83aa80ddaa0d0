/* SPDX-License-Identifier: Apache-2.0 */
/* Every key of the node's configuration file, with its default and what it means: the one list that
 * says which keys there are.  The node refuses a file with another key, `s3n node init` writes a
 * file that shows them all, and docs/configuration.md is printed from it (a test compares). */
#ifndef OPERATIONS_CONFIGURATION_H
#define OPERATIONS_CONFIGURATION_H

#include "base/buffer.h"
#include "base/json.h"

enum configuration_kind {
    CONFIGURATION_TEXT,
    CONFIGURATION_NUMBER,
    CONFIGURATION_FLAG, /* true or false */
    CONFIGURATION_LIST  /* of texts */
};

struct configuration_key {
    const char *key; /* "listen", "limits.input_kib": at most one table */
    enum configuration_kind kind;
    const char *value;     /* the default as TOML; NULL: there is none, or it depends */
    const char *otherwise; /* what holds without it, where `value` is NULL */
    const char *example;   /* another value, as TOML */
    const char *meaning;   /* Markdown without tables */
    const char *page;      /* of docs/ with more; NULL: none */
};

extern const struct configuration_key configuration_keys[];
extern const size_t configuration_key_count;

/* INVALID names the first key of the document that is not in the list, and the nearest that is. */
MUST_CHECK bool configuration_check(const json_t *document, struct error *error);
/* docs/configuration.md. */
void configuration_write_page(struct buffer *text);
/* A configuration file with every key in a comment, after the lines of `settings`, which are set.
 */
void configuration_write_file(struct buffer *text, const char *settings);

#endif
