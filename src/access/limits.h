/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of access in one place. */
#ifndef ACCESS_LIMITS_H
#define ACCESS_LIMITS_H

enum {
    ACCESS_ACTOR_SIZE_MAX = 80, /* "key:<64 hexadecimal digits>" */
    ACCESS_NAME_SIZE_MAX = 63,  /* of an application */
};

#endif
