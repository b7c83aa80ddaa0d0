/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/starve.h"

#include "tests/harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

enum {
    SPARED_CODE_SIZE = 256
};

static struct {
    const uint8_t *spared;
    bool armed;
    unsigned left; /* allocations until the one that fails */
    bool hit;
} starve;

#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_ALLOCATOR true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OWN_ALLOCATOR true
#endif
#endif

#ifndef HAS_OWN_ALLOCATOR
#define HAS_OWN_ALLOCATOR false

/* The C library's, under the names that it exports for this purpose. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);

static bool is_left_alone(const void *caller)
{
    Dl_info info;
    const uint8_t *at = caller;
    if (starve.spared != NULL && at >= starve.spared && at < starve.spared + SPARED_CODE_SIZE)
        return true;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
           (strstr(info.dli_fname, "libcrypto") != NULL ||
            strstr(info.dli_fname, "libssl") != NULL ||
            strstr(info.dli_fname, "libjansson") != NULL);
}

static bool fails_now(const void *caller)
{
    if (!starve.armed || is_left_alone(caller) || --starve.left != 0)
        return false;
    starve.armed = false;
    starve.hit = true;
    errno = ENOMEM;
    return true;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
#endif

void starve_spare(const void *function)
{
    starve.spared = function;
}

unsigned starve_each(bool (*work)(void *context), void *context, unsigned step, unsigned count_max)
{
    if (HAS_OWN_ALLOCATOR) {
        test_note("allocations are not made to fail under a sanitizer");
        CHECK(work(context));
        return 0;
    }
    CHECK(work(context)); /* what is made once only is there from now on */
    unsigned failed = 0;
    for (unsigned nth = 1; nth <= count_max; nth += step) {
        starve.hit = false;
        starve.left = nth;
        starve.armed = true;
        bool worked = work(context);
        starve.armed = false;
        failed += starve.hit;
        if (starve.hit)
            continue;
        CHECK(worked);
        return failed;
    }
    CHECK_NOTE(false, "more than %u allocations", count_max);
    return failed;
}
