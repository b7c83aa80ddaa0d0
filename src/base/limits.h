/* SPDX-License-Identifier: Apache-2.0 */
/* Named limits of base: every table, line and loop over outside data is bounded by one of these,
 * or by a limit that the caller passes. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    JAIL_MALLOC_ARENA_COUNT = 4,     /* of glibc, in a jailed process */
    ARENA_BLOCK_SIZE = 64 << 10,     /* what an arena asks the system for at a time */
    BUFFER_CAPACITY_MIN = 256,       /* first allocation of a growing buffer */
    FILE_READ_SIZE = 64 << 10,       /* bytes asked for by one read */
    LOG_LINE_SIZE_MAX = 4096,        /* longer lines are cut */
    LOG_VALUE_SIZE_MAX = 1024,       /* longer values are cut */
    LOG_LINES_PER_SECOND_MAX = 10,   /* per call site of LOG_LIMITED */
    NEAREST_DISTANCE_MAX = 3,        /* edits between a wrong name and the one proposed */
    NEAREST_SIZE_MAX = 64,           /* longer names get no proposal */
    SECRET_SIZE_MAX = 1 << 20,       /* bytes of one heap secret */
    IPC_ANSWER_SIZE_MAX = 64 << 20,  /* bytes of an answer before it is sent */
    JSON_CANONICAL_KEYS_MAX = 65536, /* keys of one object in canonical form */
    TOML_DEPTH_MAX = 32,             /* nested brackets, and dots of one key */
    OPTIONS_MAX = 64                 /* rows of one option table */
};

#endif
