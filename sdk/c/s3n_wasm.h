/* SPDX-License-Identifier: Apache-2.0 */
/* A part of s3n.c: what a WebAssembly module has of its own, WASI or not. */
#define WASI(field) __attribute__((import_module("wasi_snapshot_preview1"), import_name(field)))

WASI("fd_write")
uint32_t s3n_wasi_write(uint32_t fd, const void *list, uint32_t count, uint32_t *done);
WASI("random_get") uint32_t s3n_wasi_random(void *target, uint32_t size);
WASI("clock_time_get") uint32_t s3n_wasi_clock(uint32_t id, uint64_t precision, uint64_t *ns);
WASI("proc_exit") __attribute__((noreturn)) void s3n_wasi_exit(uint32_t code);

void s3n_log(const char *text)
{
    struct {
        const void *data;
        uint32_t size;
    } list = { text, (uint32_t)text_size(text) };
    uint32_t done;
    (void)s3n_wasi_write(2, &list, 1, &done);
}

void s3n_random(void *target, size_t size)
{
    if (s3n_wasi_random(target, (uint32_t)size) != 0)
        __builtin_trap();
}

static uint64_t clock_ns(uint32_t id)
{
    uint64_t ns = 0;
    (void)s3n_wasi_clock(id, 1, &ns);
    return ns;
}

void s3n_exit(uint32_t code)
{
    s3n_wasi_exit(code);
}

#ifdef __wasi__
#include <stdlib.h>

void *s3n_allocate(size_t size)
{
    return malloc(size);
}
#else
extern unsigned char __heap_base;

/* Up from the end of the data; memory grows as needed. */
void *s3n_allocate(size_t size)
{
    static uintptr_t next;
    if (next == 0)
        next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    uintptr_t end = (next + size + 15) & ~(uintptr_t)15;
    if (end < next || end < size)
        return NULL;
    size_t have = __builtin_wasm_memory_size(0) * 65536;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1)
        return NULL;
    void *at = (void *)next;
    next = end;
    return at;
}
#endif

__attribute__((export_name("s3n_alloc"))) void *s3n_alloc(size_t size)
{
    return s3n_allocate(size);
}

__attribute__((export_name("s3n_init"))) void s3n_init(void)
{
    s3n_setup();
}

__attribute__((export_name("s3n_handle"))) uint64_t s3n_handle(const unsigned char *request,
                                                               size_t size)
{
    size_t answer_size;
    const unsigned char *answer = handle(request, size, &answer_size);
    return (uint64_t)(uintptr_t)answer << 32 | answer_size;
}
