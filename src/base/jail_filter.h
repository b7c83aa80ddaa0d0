/* SPDX-License-Identifier: Apache-2.0 */
/* The system-call filter of a jail: built from the profile's rows beforehand, so that installing it
 * is one call and the last thing that jail_enter does. */
#ifndef BASE_JAIL_FILTER_H
#define BASE_JAIL_FILTER_H

#include "base/jail.h"

#include <linux/filter.h>

enum {
    JAIL_FILTER_SIZE_MAX = 4096 /* instructions; the kernel's own limit */
};

struct jail_filter {
    struct sock_filter instructions[JAIL_FILTER_SIZE_MAX];
    unsigned short count;
};

MUST_CHECK bool jail_filter_build(struct jail_filter *filter, const struct jail_profile *profile,
                                  struct error *error);
/* For all threads, for good. */
MUST_CHECK bool jail_filter_install(const struct jail_filter *filter, struct error *error);

#endif
