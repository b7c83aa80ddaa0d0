/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of access in one place. */
#ifndef ACCESS_LIMITS_H
#define ACCESS_LIMITS_H

enum {
    ACCESS_ACTOR_SIZE_MAX = 80, /* "key:<64 hexadecimal digits>" */
    ACCESS_NAME_SIZE_MAX = 63,  /* of an application */

    JWT_SIZE_MAX = 8 << 10, /* a whole token */
    JWT_KEY_ID_SIZE_MAX = 128,
    JWT_SUBJECT_SIZE_MAX = 255,
    JWT_AUDIENCE_COUNT_MAX = 8, /* that an application accepts */
    JWT_AUDIENCE_SIZE_MAX = 255,
    JWT_LEEWAY_S_MAX = 300,
    JWT_LEEWAY_S_DEFAULT = 30,
    JWKS_SIZE_MAX = 256 << 10,
    JWKS_KEY_COUNT_MAX = 32,   /* usable ones */
    JWKS_LIST_COUNT_MAX = 256, /* with those that are passed over */
    JWKS_URL_SIZE_MAX = 1024,
};
#define JWT_TIME_S_MAX 253402300799.0 /* the end of 9999 */

#endif
