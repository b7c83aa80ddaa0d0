/* SPDX-License-Identifier: Apache-2.0 */
/* Members of the node's JSON as text, for verbs that list things. */
#ifndef S3N_TABLES_H
#define S3N_TABLES_H

#include "base/json.h"
#include "core/time.h"

struct time_text {
    char text[TIME_TEXT_SIZE + 1];
};
/* "-" when it is not there. */
const char *text_member(const json_t *object, const char *key);
/* 0 when it is not there. */
long long number_member(const json_t *object, const char *key);
/* Seconds since 1970 as a date; "never" when it is not there. */
struct time_text time_text_of(const json_t *object, const char *key);
/* "30d", "12h", "15m", "90s": to seconds, 1 to ten years.  USAGE. */
MUST_CHECK bool duration_parse(int64_t *seconds, const char *text, struct error *error);

#endif
