/* SPDX-License-Identifier: Apache-2.0 */
/* What outbound requests refuse to exceed; docs/outbound.md has the table for people. */
#ifndef OUTBOUND_LIMITS_H
#define OUTBOUND_LIMITS_H

enum {
    URL_SIZE_MAX = 4096,
    URL_HOST_SIZE_MAX = 253,
    URL_LABEL_SIZE_MAX = 63,
    PREFIX_COUNT_MAX = 64,    /* networks that an operator allows */
    RULE_COUNT_MAX = 64,      /* of one function */
    HEAD_SIZE_MAX = 16 << 10, /* of a request's fields */
    HEAD_FIELD_COUNT_MAX = 32,
    REQUEST_BODY_SIZE_MAX = 512 << 10, /* more than a host call can carry */
    REQUEST_SIZE_MAX = 1 << 20,        /* of a message to the process */
    ANSWER_BODY_SIZE_MAX = 4 << 20,
    ANSWER_HEAD_SIZE_MAX = 80 << 10,
    ANSWER_SIZE_MAX = ANSWER_BODY_SIZE_MAX + ANSWER_HEAD_SIZE_MAX + (16 << 10),
    REDIRECT_COUNT_MAX = 5,
    OUTBOUND_TIMEOUT_MS_MAX = 60000, /* of one request with its redirects */
    OUTBOUND_TIMEOUT_MS_DEFAULT = 30000,
    LINES_COUNT_MAX = 64,       /* applications that ask at a time: a process each */
    APPLICATION_NAME_SIZE = 64, /* with NUL */
    JOURNEY_COUNT_MAX = 64,     /* requests under way in one process */
    NAME_SERVER_COUNT_MAX = 3,
    HOST_COUNT_MAX = 256, /* of a hosts file */
    LOOKUP_COUNT_MAX = JOURNEY_COUNT_MAX,
    LOOKUP_TRY_MS = 1500, /* one question to one server */
    LOOKUP_TRY_COUNT_MAX = 4
};

#endif
