/* SPDX-License-Identifier: Apache-2.0 */
/* What logs refuse to exceed. */
#ifndef LOGS_LIMITS_H
#define LOGS_LIMITS_H

enum {
    REDACT_VALUE_SIZE_MIN = 4,         /* shorter values would blank every log */
    REDACT_LINE_SIZE_MIN = 8,          /* of a value with several lines, each is one too */
    REDACT_VALUE_SIZE_MAX = 256 << 10, /* of one value */
    REDACT_VALUE_COUNT_MAX = 256,      /* of one invocation */
    REDACT_VALUES_SIZE_MAX = 4 << 20,  /* bytes of all of them */

    LOG_NAME_SIZE_MAX = 255,           /* a name or id in a record */
    LOG_LINE_SIZE_MAX = 16 << 10,      /* longer lines stand in parts */
    LOG_READER_COUNT_MAX = 32,         /* keys that one segment is sealed to */
    LOG_SEGMENT_PLAIN_MAX = 256 << 10, /* records of one segment */
    LOG_ENTRY_COST = 256,              /* of an application's rate, besides what it wrote */
    LOG_PENDING_SIZE_MAX = 32 << 20,   /* waiting to be written, of all applications */
    LOG_GATHER_MS = 200,               /* how long the first waits for others */
    LOG_GATHER_SIZE = 1 << 20,         /* or until there is so much */
    LOG_ROUND_SIZE_MAX = 4 << 20,      /* written at once of one application */
    LOG_SOURCE_COUNT_MAX = 4096,       /* applications whose rate is known */
    LOG_READ_COUNT_MAX = 64,           /* reads that wait */
    LOG_PAGE_SIZE_MAX = 480 << 10,     /* a page with so much gets no further segment */
    LOG_PAGE_COUNT_MAX = 1000
};

#endif
