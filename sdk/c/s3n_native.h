/* SPDX-License-Identifier: Apache-2.0 */
/* A part of s3n.c: what a native function has of its own, and its entry point. */
const struct s3n_native *s3n_native_services; /* for s3n_calls.c */
#define native s3n_native_services

void s3n_log(const char *text)
{
    native->log(text, text_size(text));
}

void s3n_random(void *target, size_t size)
{
    native->random(target, size);
}

static uint64_t clock_ns(uint32_t id)
{
    return native->clock_ns(id);
}

void s3n_exit(uint32_t code)
{
    native->exit(code);
}

void *s3n_allocate(size_t size)
{
    static uint64_t used, have;
    if (have == 0)
        have = native->heap_size;
    uint64_t end = (used + size + 15) & ~(uint64_t)15;
    if (end < used || end > native->heap_size_max)
        return NULL;
    if (end > have) {
        uint64_t wanted = (end + 65535) & ~(uint64_t)65535;
        if (wanted > native->heap_size_max || native->grow(wanted) == 0)
            return NULL;
        have = wanted;
    }
    void *at = (void *)(uintptr_t)(native->heap + used);
    used = end;
    return at;
}

/* The ELF's entry point. */
uint64_t s3n_entry(const struct s3n_native *services, uint32_t phase);
uint64_t s3n_entry(const struct s3n_native *services, uint32_t phase)
{
    native = services;
    if (phase == S3N_NATIVE_INITIALISE) {
        s3n_setup();
        return 0;
    }
    size_t size;
    const unsigned char *answer =
        handle((const unsigned char *)(uintptr_t)services->request, services->request_size, &size);
    /* Larger than allowed: the size alone says it. */
    if (size <= services->answer_capacity)
        memcpy((void *)(uintptr_t)services->answer, answer, size);
    return size;
}
