/* SPDX-License-Identifier: Apache-2.0 */
/* What logs refuse to exceed. */
#ifndef LOGS_LIMITS_H
#define LOGS_LIMITS_H

enum {
    REDACT_VALUE_SIZE_MIN = 4,         /* shorter values would blank every log */
    REDACT_LINE_SIZE_MIN = 8,          /* of a value with several lines, each is one too */
    REDACT_VALUE_SIZE_MAX = 256 << 10, /* of one value */
    REDACT_VALUE_COUNT_MAX = 256,      /* of one invocation */
    REDACT_VALUES_SIZE_MAX = 4 << 20   /* bytes of all of them */
};

#endif
