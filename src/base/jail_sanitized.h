/* SPDX-License-Identifier: Apache-2.0 */
/* What the jail does differently in builds with the address sanitizer, which are for tests alone:
 * its runtime makes system calls of its own and reserves terabytes of addresses.  Private to the
 * jail. */
#ifndef BASE_JAIL_SANITIZED_H
#define BASE_JAIL_SANITIZED_H

#include "base/jail.h"

#if defined(__SANITIZE_ADDRESS__)
#define JAIL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JAIL_SANITIZED 1
#endif
#endif

#if defined(JAIL_SANITIZED)

#include <sanitizer/lsan_interface.h>

#define JAIL_LIMITS_ADDRESSES false

static const struct jail_call jail_sanitizer_calls[] = {
    { SCMP_SYS(sigaltstack), "the sanitizer looks at the stack when a thread ends" },
    { SCMP_SYS(prctl), "the sanitizer names its memory" },
    { SCMP_SYS(sched_yield), "the sanitizer's locks" },
    { SCMP_SYS(madvise), "the sanitizer gives memory back" },
};

/* The check for leaks stops the process from outside, which no jail allows: so it comes now, and by
 * that not again at exit. */
static inline void jail_before(void)
{
    __lsan_do_leak_check();
}

#else

#define JAIL_LIMITS_ADDRESSES true

/* One row that is allowed anyway: an array can't be empty. */
static const struct jail_call jail_sanitizer_calls[] = {
    { SCMP_SYS(exit_group), "the process ends" },
};

static inline void jail_before(void)
{
}

#endif

#endif
