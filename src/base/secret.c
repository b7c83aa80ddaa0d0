/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/limits.h"
#include "core/checked.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
    PAGE_SIZE = 4096
};

void secret_wipe(void *data, size_t size)
{
    if (size > 0)
        explicit_bzero(data, size);
}

void secret32_done(struct secret32 *secret)
{
    secret_wipe(secret->bytes, sizeof(secret->bytes));
}

bool secret_buffer_init(struct secret_buffer *secret, size_t size, struct error *error)
{
    if (size > SECRET_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a secret of %zu bytes, at most %d", size,
                         SECRET_SIZE_MAX);
    size_t mapped = round_up(MAX(size, (size_t)1), PAGE_SIZE);
    void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return error_system(error, "memory for a secret");
    /* Best effort: RLIMIT_MEMLOCK may be small, and a jail may refuse both calls' effect. */
    (void)mlock(data, mapped);
    (void)madvise(data, mapped, MADV_DONTDUMP);
    *secret = (struct secret_buffer){ .data = data, .size = size };
    return true;
}

void secret_buffer_done(struct secret_buffer *secret)
{
    if (secret->data == NULL)
        return;
    size_t mapped = round_up(MAX(secret->size, (size_t)1), PAGE_SIZE);
    secret_wipe(secret->data, secret->size);
    munmap(secret->data, mapped);
    *secret = (struct secret_buffer){ 0 };
}

void secret_leave_no_core(void)
{
    const struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
}

bool secret_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a, *right = b;
    uint8_t differs = 0;
    for (size_t i = 0; i < size; i++)
        differs |= left[i] ^ right[i];
    return differs == 0;
}
