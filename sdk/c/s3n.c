/* SPDX-License-Identifier: Apache-2.0 */
/* See s3n.h.  One unit for three targets: wasm32-wasi (with wasi-libc's allocator), bare wasm32 and
 * freestanding x86-64; nothing else is needed to link.  It includes its parts. */
#include "s3n_numbers.h"

enum {
    REQUEST_HEAD_SIZE = 64,
    ANSWER_HEAD_SIZE = 32,
    PAIR_HEAD_SIZE = 8, /* of a header or fact: sizes of its name and its value */
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

static size_t text_size(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    return size;
}

struct s3n_text s3n_text_of(const char *text)
{
    return (struct s3n_text){ text, text_size(text) };
}

int s3n_text_is(struct s3n_text text, const char *expected)
{
    return text.size == text_size(expected) && memcmp(text.data, expected, text.size) == 0;
}

#include "s3n_request.h"

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
    store(at, name.size, 4);
    store(at + 4, value.size, 4);
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
    return s3n_header_add(response, s3n_text_of(name), s3n_text_of(value));
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
    store(at, ANSWER_MAGIC, 4);
    store(at + 4, 1, 2);
    store(at + 6, response->status, 2);
    store(at + 8, *size, 4);
    store(at + 12, head, 4);
    store(at + 16, response->body_size, 4);
    store(at + 20, response->header_count, 4);
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

#ifdef __wasm__
#include "s3n_wasm.h"
#else
#include "s3n_native.h"
#endif
#ifndef __wasi__
#include "s3n_memory.h"
#endif

uint64_t s3n_time_ns(void)
{
    return clock_ns(0);
}

uint64_t s3n_monotonic_ns(void)
{
    return clock_ns(1);
}
