/* SPDX-License-Identifier: Apache-2.0 */
/* What services refuse to exceed. */
#ifndef SERVICES_LIMITS_H
#define SERVICES_LIMITS_H

enum {
    SERVICE_COUNT_MAX = 16,
    SERVICE_ANSWER_SIZE_MAX = 4 << 20,   /* of one call */
    SERVICE_HELD_SIZE_MAX = 8 << 20,     /* of all answers of one list */
    SERVICE_BYTES_MAX = 256 << 20,       /* requests and answers of one invocation */
    SERVICE_RESULT_SIZE_MAX = 256 << 10, /* of a kept answer: KV_VALUE_SIZE_MAX */
    SERVICE_USE_COUNT_MAX = 32,          /* facts for one receipt */
    SERVICE_USE_NAME_SIZE_MAX = 128,     /* of one fact's name */
    SERVICE_NAME_SIZE_MAX = 64,          /* of an application or function, with NUL */
    SERVICE_CALL_NUMBERS = 32,           /* of enum call: those that are counted */
    SERVICE_TIMING_COUNT_MAX = 32,       /* calls of one invocation whose times are kept */
    SERVICE_MESSAGE_SIZE_MAX = 256
};

#endif
