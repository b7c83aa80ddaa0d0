/* SPDX-License-Identifier: Apache-2.0 */
/* What outbound requests refuse to exceed. */
#ifndef OUTBOUND_LIMITS_H
#define OUTBOUND_LIMITS_H

enum {
    URL_SIZE_MAX = 4096,
    URL_HOST_SIZE_MAX = 253,
    URL_LABEL_SIZE_MAX = 63,
    METHOD_COUNT_MAX = 7,
    PREFIX_COUNT_MAX = 64 /* networks that an operator allows */
};

#endif
