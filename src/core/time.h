/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of the Gregorian calendar and seconds since 1970-01-01T00:00:00Z, and RFC 3339 text.
 *
 * Years 0 to 9999, before 1582 too (proleptic).  No clock, no time zones but offsets in text, no
 * leap seconds. */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include "core/bytes.h"

enum {
    TIME_TEXT_SIZE = 20 /* "2024-03-13T00:00:00Z" */
};

struct time_parts {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
    int hour;
    int minute;
    int second;
};

/* False for a day or an hour that does not exist. */
MUST_CHECK bool time_from_parts(int64_t *time_s, const struct time_parts *parts);
/* False outside the years 0 to 9999. */
MUST_CHECK bool time_to_parts(struct time_parts *parts, int64_t time_s);

/* "2024-03-13T00:00:00Z" and a NUL; false outside the years 0 to 9999. */
MUST_CHECK bool time_format(char text[TIME_TEXT_SIZE + 1], int64_t time_s);
/* RFC 3339 section 5.6.  A fraction of a second is dropped; second 60 counts as 59. */
MUST_CHECK bool time_parse(int64_t *time_s, struct bytes text);

#endif
