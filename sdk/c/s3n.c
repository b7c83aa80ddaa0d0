/* SPDX-License-Identifier: Apache-2.0 */
/* See s3n.h.  One file for three targets: wasm32-wasi (with wasi-libc's allocator), bare wasm32 and
 * freestanding x86-64; nothing else is needed to link. */
#include "s3n.h"

enum {
    REQUEST_HEAD_SIZE = 64,
    ANSWER_HEAD_SIZE = 32,
    PAIR_HEAD_SIZE = 8,
    HEADER_COUNT_MAX = 24,
    HEADERS_SIZE_MAX = 8192,
    HEAD_ROOM = ANSWER_HEAD_SIZE + HEADERS_SIZE_MAX,
    EXIT_NO_MEMORY = 70
};

#define REQUEST_MAGIC 0x514e3353u
#define ANSWER_MAGIC  0x414e3353u

struct s3n_response {
    unsigned status;
    uint32_t header_count;
    uint32_t headers_size;
    unsigned char headers[HEADERS_SIZE_MAX];
    unsigned char *room; /* HEAD_ROOM bytes, then the body */
    size_t body_size;
    size_t body_capacity;
};

#ifdef __wasi__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
#endif

__attribute__((weak)) void s3n_setup(void)
{
}

/* --- numbers in the envelope --- */

static uint32_t load_u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store_u16(unsigned char *at, unsigned number)
{
    at[0] = (unsigned char)number;
    at[1] = (unsigned char)(number >> 8);
}

static void store_u32(unsigned char *at, uint32_t number)
{
    store_u16(at, number & 0xffff);
    store_u16(at + 2, number >> 16);
}

static size_t text_size(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    return size;
}

int s3n_text_is(struct s3n_text text, const char *expected)
{
    return text.size == text_size(expected) && memcmp(text.data, expected, text.size) == 0;
}

/* --- the request --- */

/* The next `size` bytes, or nothing when the envelope is shorter. */
static int take(const unsigned char **at, const unsigned char *end, uint32_t size,
                struct s3n_text *text)
{
    if (size > (size_t)(end - *at))
        return 0;
    text->data = (const char *)*at;
    text->size = size;
    *at += size;
    return 1;
}

static int skip_pairs(const unsigned char **at, const unsigned char *end, uint32_t count)
{
    struct s3n_text ignored;
    for (uint32_t i = 0; i < count; i++) {
        if (end - *at < PAIR_HEAD_SIZE)
            return 0;
        uint32_t name_size = load_u32(*at), value_size = load_u32(*at + 4);
        *at += PAIR_HEAD_SIZE;
        if (!take(at, end, name_size, &ignored) || !take(at, end, value_size, &ignored))
            return 0;
    }
    return 1;
}

static int request_read(struct s3n_request *request, const unsigned char *envelope, size_t size)
{
    if (size < REQUEST_HEAD_SIZE || load_u32(envelope) != REQUEST_MAGIC ||
        load_u32(envelope + 8) != size)
        return 0;
    uint32_t body_offset = load_u32(envelope + 12), body_size = load_u32(envelope + 16);
    if (body_offset < REQUEST_HEAD_SIZE || body_offset > size || body_size > size - body_offset)
        return 0;
    const unsigned char *at = envelope + REQUEST_HEAD_SIZE, *end = envelope + body_offset;
    request->trigger = load_u32(envelope + 4) >> 16;
    request->header_count = load_u32(envelope + 32);
    request->fact_count = load_u32(envelope + 36);
    memcpy(request->id, envelope + 40, sizeof(request->id));
    request->body.data = (const char *)end;
    request->body.size = body_size;
    if (!take(&at, end, load_u32(envelope + 20), &request->method) ||
        !take(&at, end, load_u32(envelope + 24), &request->path) ||
        !take(&at, end, load_u32(envelope + 28), &request->query))
        return 0;
    request->headers = at;
    if (!skip_pairs(&at, end, request->header_count))
        return 0;
    request->facts = at;
    return skip_pairs(&at, end, request->fact_count);
}

/* The pair at `at`, which was checked; the place of the next. */
static const unsigned char *pair_at(const unsigned char *at, struct s3n_text *name,
                                    struct s3n_text *value)
{
    name->size = load_u32(at);
    value->size = load_u32(at + 4);
    name->data = (const char *)at + PAIR_HEAD_SIZE;
    value->data = name->data + name->size;
    return (const unsigned char *)value->data + value->size;
}

static struct s3n_text find(const unsigned char *at, uint32_t count, const char *wanted)
{
    struct s3n_text name, value, none = { NULL, 0 };
    for (uint32_t i = 0; i < count; i++) {
        at = pair_at(at, &name, &value);
        if (s3n_text_is(name, wanted))
            return value;
    }
    return none;
}

static int nth(const unsigned char *at, uint32_t count, uint32_t index, struct s3n_text *name,
               struct s3n_text *value)
{
    if (index >= count)
        return 0;
    for (uint32_t i = 0; i <= index; i++)
        at = pair_at(at, name, value);
    return 1;
}

struct s3n_text s3n_header(const struct s3n_request *request, const char *name)
{
    return find(request->headers, request->header_count, name);
}

struct s3n_text s3n_fact(const struct s3n_request *request, const char *name)
{
    return find(request->facts, request->fact_count, name);
}

int s3n_header_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                  struct s3n_text *value)
{
    return nth(request->headers, request->header_count, index, name, value);
}

int s3n_fact_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                struct s3n_text *value)
{
    return nth(request->facts, request->fact_count, index, name, value);
}

/* --- the response --- */

void s3n_status(struct s3n_response *response, unsigned status)
{
    response->status = status;
}

static int can_be_value(struct s3n_text value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return 0;
    }
    return 1;
}

int s3n_header_add(struct s3n_response *response, struct s3n_text name, struct s3n_text value)
{
    size_t left = HEADERS_SIZE_MAX - response->headers_size;
    if (response->header_count == HEADER_COUNT_MAX || name.size == 0 || !can_be_value(value) ||
        left < PAIR_HEAD_SIZE || name.size > left - PAIR_HEAD_SIZE ||
        value.size > left - PAIR_HEAD_SIZE - name.size)
        return 0;
    unsigned char *at = response->headers + response->headers_size;
    store_u32(at, (uint32_t)name.size);
    store_u32(at + 4, (uint32_t)value.size);
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        at[PAIR_HEAD_SIZE + i] =
            (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    memcpy(at + PAIR_HEAD_SIZE + name.size, value.data, value.size);
    response->headers_size += (uint32_t)(PAIR_HEAD_SIZE + name.size + value.size);
    response->header_count++;
    return 1;
}

int s3n_header_set(struct s3n_response *response, const char *name, const char *value)
{
    struct s3n_text name_text = { name, text_size(name) };
    struct s3n_text value_text = { value, text_size(value) };
    return s3n_header_add(response, name_text, value_text);
}

/* Room for `size` more bytes of body. */
static void reserve(struct s3n_response *response, size_t size)
{
    size_t wanted = response->body_size + size;
    if (wanted < size)
        s3n_exit(EXIT_NO_MEMORY);
    if (response->room != NULL && wanted <= response->body_capacity)
        return;
    size_t capacity = response->body_capacity * 2 > wanted ? response->body_capacity * 2 : wanted;
    capacity = (capacity + 4095) & ~(size_t)4095;
    unsigned char *room = s3n_allocate(HEAD_ROOM + capacity);
    if (room == NULL)
        s3n_exit(EXIT_NO_MEMORY);
    if (response->body_size > 0)
        memcpy(room + HEAD_ROOM, response->room + HEAD_ROOM, response->body_size);
    response->room = room;
    response->body_capacity = capacity;
}

void s3n_write(struct s3n_response *response, const void *data, size_t size)
{
    if (size == 0)
        return;
    reserve(response, size);
    memcpy(response->room + HEAD_ROOM + response->body_size, data, size);
    response->body_size += size;
}

void s3n_print(struct s3n_response *response, const char *text)
{
    s3n_write(response, text, text_size(text));
}

void s3n_print_number(struct s3n_response *response, int64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        digits[--at] = '-';
    s3n_write(response, digits + at, sizeof(digits) - at);
}

int s3n_refuse(struct s3n_response *response, unsigned status, const char *text)
{
    s3n_status(response, status);
    s3n_header_set(response, "content-type", "text/plain; charset=utf-8");
    s3n_print(response, text);
    s3n_print(response, "\n");
    return 0;
}

/* Puts the head right before the body, where room was left for it. */
static unsigned char *response_finish(struct s3n_response *response, size_t *size)
{
    size_t head = (ANSWER_HEAD_SIZE + response->headers_size + 7) & ~(size_t)7;
    reserve(response, 0);
    unsigned char *at = response->room + HEAD_ROOM - head;
    *size = head + response->body_size;
    memset(at, 0, head);
    store_u32(at, ANSWER_MAGIC);
    store_u16(at + 4, 1);
    store_u16(at + 6, response->status);
    store_u32(at + 8, (uint32_t)*size);
    store_u32(at + 12, (uint32_t)head);
    store_u32(at + 16, (uint32_t)response->body_size);
    store_u32(at + 20, response->header_count);
    memcpy(at + ANSWER_HEAD_SIZE, response->headers, response->headers_size);
    return at;
}

/* From the request's envelope to the answer's. */
static unsigned char *handle(const unsigned char *envelope, size_t envelope_size, size_t *size)
{
    static struct s3n_request request;
    static struct s3n_response response;
    memset(&response, 0, sizeof(response));
    response.status = 200;
    if (!request_read(&request, envelope, envelope_size))
        __builtin_trap();
    int code = s3n_main(&request, &response);
    if (code != 0)
        s3n_exit((uint32_t)code);
    return response_finish(&response, size);
}

/* --- what each target has of its own --- */

#ifdef __wasm__

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

#else /* native */

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

#endif

uint64_t s3n_time_ns(void)
{
    return clock_ns(0);
}

uint64_t s3n_monotonic_ns(void)
{
    return clock_ns(1);
}

/* What a compiler may call by itself. */
#ifndef __wasi__
#if defined(__clang__)
#define PLAIN_LOOP __attribute__((weak, no_builtin))
#else
#define PLAIN_LOOP __attribute__((weak, optimize("no-tree-loop-distribute-patterns")))
#endif

PLAIN_LOOP void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    for (size_t i = 0; i < size; i++)
        target[i] = source[i];
    return to;
}

PLAIN_LOOP void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if ((uintptr_t)target - (uintptr_t)source >= size)
        return memcpy(to, from, size);
    while (size-- > 0)
        target[size] = source[size];
    return to;
}

PLAIN_LOOP void *memset(void *to, int byte, size_t size)
{
    unsigned char *target = to;
    for (size_t i = 0; i < size; i++)
        target[i] = (unsigned char)byte;
    return to;
}

PLAIN_LOOP int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a, *right = b;
    for (size_t i = 0; i < size; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}
#endif
