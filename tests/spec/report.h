/* SPDX-License-Identifier: Apache-2.0 */
/* What the runner says: a line per failure and per file, and the last line; or all of it as JSON.
 */
#ifndef SPECTEST_REPORT_H
#define SPECTEST_REPORT_H

#include "base/json.h"

struct totals {
    unsigned passed;
    unsigned failed;
    unsigned skipped;
};

struct report {
    bool is_verbose;
    json_t *json;     /* NULL: text */
    json_t *failures; /* of the file at hand; borrowed from json */
    const char *path; /* of the file at hand */
    struct totals file;
    struct totals all;
};

MUST_CHECK bool report_open(struct report *report, bool is_json, bool is_verbose,
                            struct error *error);
/* Prints the last line, or everything; whether nothing failed. */
MUST_CHECK bool report_close(struct report *report);

/* How many functions were compiled, and how many of them optimised. */
void report_tier(struct report *report, unsigned functions, unsigned optimised);
void report_begin(struct report *report, const char *path);
void report_end(struct report *report);
void report_pass(struct report *report);
void report_skip(struct report *report);
/* `command` NULL: the file as a whole. */
void report_fail(struct report *report, const json_t *command, const char *expected,
                 const char *got);
/* Something to know, with --verbose only. */
void report_note(struct report *report, const json_t *command, const char *expected,
                 const char *got);

#endif
