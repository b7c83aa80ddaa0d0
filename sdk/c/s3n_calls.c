/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the node: see s3n.h, and docs/abi.md for the records.  Wasm modules import each call;
 * native functions write it as a list of one. */
#include "s3n.h"

enum {
    LIST_HEAD_SIZE = 16,
    REQUEST_HEAD_SIZE = 8,
    ANSWER_HEAD_SIZE = 24,
    LIST_SIZE_MAX = 272 << 10
};

#define REQUESTS_MAGIC 0x31514353u

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

static void store(unsigned char *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (unsigned char)(number >> 8 * i);
}

static uint64_t load(const unsigned char *at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number |= (uint64_t)at[i] << 8 * i;
    return number;
}

/* --- lists --- */

void s3n_list_begin(struct s3n_list *list, void *memory, size_t capacity)
{
    list->data = memory;
    list->capacity = capacity < LIST_SIZE_MAX ? capacity : LIST_SIZE_MAX;
    list->size = LIST_HEAD_SIZE;
    list->count = 0;
}

int s3n_list_add(struct s3n_list *list, unsigned call, const uint64_t *numbers,
                 unsigned number_count, const struct s3n_text *strings, unsigned string_count)
{
    uint64_t size = REQUEST_HEAD_SIZE + 8 * (uint64_t)number_count + 4 * (uint64_t)string_count;
    for (unsigned i = 0; i < string_count; i++)
        size += strings[i].size;
    uint64_t padded = (size + 7) & ~(uint64_t)7;
    if (list->size > list->capacity || padded > list->capacity - list->size)
        return 0;
    unsigned char *at = list->data + list->size;
    store(at, padded, 4);
    store(at + 4, call, 2);
    at[6] = (unsigned char)number_count;
    at[7] = (unsigned char)string_count;
    at += REQUEST_HEAD_SIZE;
    for (unsigned i = 0; i < number_count; i++, at += 8)
        store(at, numbers[i], 8);
    for (unsigned i = 0; i < string_count; i++, at += 4)
        store(at, strings[i].size, 4);
    for (unsigned i = 0; i < string_count; i++)
        for (size_t j = 0; j < strings[i].size; j++)
            *at++ = (unsigned char)strings[i].data[j];
    for (; size < padded; size++)
        *at++ = 0;
    list->size += padded;
    list->count++;
    return 1;
}

static void list_end(struct s3n_list *list)
{
    store(list->data, REQUESTS_MAGIC, 4);
    store(list->data + 4, list->size, 4);
    store(list->data + 8, list->count, 4);
    store(list->data + 12, 0, 4);
}

int s3n_list_next(const void *answers, size_t size, size_t *at, struct s3n_answer *answer)
{
    const unsigned char *start = answers;
    size_t place = *at == 0 ? LIST_HEAD_SIZE : *at;
    if (size < LIST_HEAD_SIZE || load(start + 4, 4) < size)
        size = size < LIST_HEAD_SIZE ? 0 : load(start + 4, 4);
    if (place > size || size - place < ANSWER_HEAD_SIZE)
        return 0;
    uint64_t record = load(start + place, 4), data = load(start + place + 4, 4);
    if (record > size - place || data > record - ANSWER_HEAD_SIZE || record < ANSWER_HEAD_SIZE)
        return 0;
    answer->value = (int64_t)load(start + place + 8, 8);
    answer->total = load(start + place + 16, 8);
    answer->data.data = (const char *)start + place + ANSWER_HEAD_SIZE;
    answer->data.size = (size_t)data;
    *at = place + (size_t)record;
    return 1;
}

int s3n_refuse_call(struct s3n_response *response)
{
    char text[256];
    int64_t size = s3n_error_message(text, sizeof(text) - 1);
    text[size < 0 ? 0 : size < (int64_t)sizeof(text) ? size : (int64_t)sizeof(text) - 1] = '\0';
    s3n_log(text);
    return s3n_refuse(response, 500, text);
}

#ifdef __wasm__

#define IMPORT(name) __attribute__((import_module("s3n"), import_name(#name)))

IMPORT(batch) int64_t import_batch(const void *, size_t, void *, size_t);
IMPORT(rest) int64_t import_rest(uint32_t, uint32_t, void *, size_t);
IMPORT(error_message) int64_t import_error_message(void *, size_t);
IMPORT(kv_get)
int64_t import_kv_get(const char *, size_t, const char *, size_t, void *, size_t);
IMPORT(kv_set)
int64_t import_kv_set(const char *, size_t, const char *, size_t, const char *, size_t, uint64_t);
IMPORT(kv_delete) int64_t import_kv_delete(const char *, size_t, const char *, size_t);
IMPORT(kv_list)
int64_t import_kv_list(const char *, size_t, const char *, size_t, const char *, size_t, uint32_t,
                       void *, size_t);
IMPORT(kv_compare_and_set)
int64_t import_kv_compare_and_set(const char *, size_t, const char *, size_t, uint32_t,
                                  const char *, size_t, const char *, size_t, uint64_t);
IMPORT(secret_get)
int64_t import_secret_get(const char *, size_t, uint32_t, void *, size_t);
IMPORT(key_public)
int64_t import_key_public(const char *, size_t, uint32_t, void *, size_t);
IMPORT(key_sign)
int64_t import_key_sign(const char *, size_t, uint32_t, const char *, size_t, void *, size_t);
IMPORT(key_derive)
int64_t import_key_derive(const char *, size_t, uint32_t, void *, size_t);
IMPORT(hpke_open)
int64_t import_hpke_open(const char *, size_t, const char *, size_t, const char *, size_t,
                         const char *, size_t, const char *, size_t, void *, size_t);
IMPORT(http_fetch)
int64_t import_http_fetch(const char *, size_t, const char *, size_t, const char *, size_t,
                          const char *, size_t, void *, size_t);
IMPORT(attest) int64_t import_attest(const char *, size_t, void *, size_t);
IMPORT(about) int64_t import_about(void *, size_t);
IMPORT(hash) int64_t import_hash(uint32_t, const char *, size_t, void *, size_t);
IMPORT(log) int64_t import_log(uint32_t, const char *, size_t);

int64_t s3n_list_call(struct s3n_list *list, void *answers, size_t capacity)
{
    list_end(list);
    return import_batch(list->data, list->size, answers, capacity);
}

int64_t s3n_list_rest(uint32_t index, size_t offset, void *buffer, size_t capacity)
{
    return import_rest(index, offset, buffer, capacity);
}

int64_t s3n_error_message(void *buffer, size_t capacity)
{
    return import_error_message(buffer, capacity);
}

int64_t s3n_hash(uint32_t algorithm, struct s3n_text data, void *digest)
{
    return import_hash(algorithm, data.data, data.size, digest, 64);
}

int64_t s3n_log_level(uint32_t level, struct s3n_text text)
{
    return import_log(level, text.data, text.size);
}

#define TEXT(text)   (text), text_size(text)
#define PARTS(bytes) (bytes).data, (bytes).size

int64_t s3n_kv_get(const char *space, struct s3n_text key, void *buffer, size_t capacity)
{
    return import_kv_get(TEXT(space), PARTS(key), buffer, capacity);
}

int64_t s3n_kv_set(const char *space, struct s3n_text key, struct s3n_text value, uint64_t ttl_ms)
{
    return import_kv_set(TEXT(space), PARTS(key), PARTS(value), ttl_ms);
}

int64_t s3n_kv_delete(const char *space, struct s3n_text key)
{
    return import_kv_delete(TEXT(space), PARTS(key));
}

int64_t s3n_kv_list(const char *space, struct s3n_text prefix, struct s3n_text after,
                    uint32_t count, void *buffer, size_t capacity)
{
    return import_kv_list(TEXT(space), PARTS(prefix), PARTS(after), count, buffer, capacity);
}

int64_t s3n_kv_compare_and_set(const char *space, struct s3n_text key,
                               const struct s3n_text *expected, struct s3n_text value,
                               uint64_t ttl_ms)
{
    struct s3n_text none = { NULL, 0 };
    struct s3n_text wanted = expected != NULL ? *expected : none;
    return import_kv_compare_and_set(TEXT(space), PARTS(key), expected != NULL, PARTS(wanted),
                                     PARTS(value), ttl_ms);
}

int64_t s3n_secret_get(const char *name, uint32_t version, void *buffer, size_t capacity)
{
    return import_secret_get(TEXT(name), version, buffer, capacity);
}

int64_t s3n_key_public(const char *path, uint32_t algorithm, void *buffer, size_t capacity)
{
    return import_key_public(TEXT(path), algorithm, buffer, capacity);
}

int64_t s3n_key_sign(const char *path, uint32_t algorithm, struct s3n_text message, void *buffer,
                     size_t capacity)
{
    return import_key_sign(TEXT(path), algorithm, PARTS(message), buffer, capacity);
}

int64_t s3n_key_derive(const char *path, void *buffer, size_t size)
{
    return import_key_derive(TEXT(path), size, buffer, size);
}

int64_t s3n_hpke_open(const char *path, const struct s3n_text sealed[4], void *buffer,
                      size_t capacity)
{
    return import_hpke_open(TEXT(path), PARTS(sealed[0]), PARTS(sealed[1]), PARTS(sealed[2]),
                            PARTS(sealed[3]), buffer, capacity);
}

int64_t s3n_http_fetch(const char *method, const char *url, struct s3n_text headers,
                       struct s3n_text body, void *buffer, size_t capacity)
{
    return import_http_fetch(TEXT(method), TEXT(url), PARTS(headers), PARTS(body), buffer,
                             capacity);
}

int64_t s3n_attest(struct s3n_text nonce, void *buffer, size_t capacity)
{
    return import_attest(PARTS(nonce), buffer, capacity);
}

int64_t s3n_about(void *buffer, size_t capacity)
{
    return import_about(buffer, capacity);
}

#else /* native */

extern const struct s3n_native *s3n_native_services;

int64_t s3n_list_call(struct s3n_list *list, void *answers, size_t capacity)
{
    list_end(list);
    if (s3n_native_services->version < 2)
        return S3N_ERROR_UNAVAILABLE;
    return s3n_native_services->call(list->data, list->size, answers, capacity);
}

int64_t s3n_list_rest(uint32_t index, size_t offset, void *buffer, size_t capacity)
{
    return s3n_native_services->rest(index, offset, buffer, capacity);
}

int64_t s3n_error_message(void *buffer, size_t capacity)
{
    return s3n_native_services->error_message(buffer, capacity);
}

int64_t s3n_hash(uint32_t algorithm, struct s3n_text data, void *digest)
{
    return s3n_native_services->hash(algorithm, data.data, data.size, digest);
}

int64_t s3n_log_level(uint32_t level, struct s3n_text text)
{
    return s3n_native_services->log_level(level, text.data, text.size);
}

static unsigned char one_call[LIST_SIZE_MAX];

/* A list of one; its data goes to the buffer. */
static int64_t call(unsigned number, const uint64_t *numbers, unsigned number_count,
                    const struct s3n_text *strings, unsigned string_count)
{
    struct s3n_list list;
    struct s3n_answer answer;
    unsigned char head[LIST_HEAD_SIZE + ANSWER_HEAD_SIZE];
    s3n_list_begin(&list, one_call, sizeof(one_call));
    if (!s3n_list_add(&list, number, numbers, number_count, strings, string_count))
        return S3N_ERROR_LIMIT;
    int64_t size = s3n_list_call(&list, head, sizeof(head));
    if (size < 0)
        return size;
    answer.value = (int64_t)load(head + LIST_HEAD_SIZE + 8, 8);
    return answer.value;
}

static int64_t call_bytes(unsigned number, const uint64_t *numbers, unsigned number_count,
                          const struct s3n_text *strings, unsigned string_count, void *buffer,
                          size_t capacity)
{
    int64_t value = call(number, numbers, number_count, strings, string_count);
    size_t done = 0;
    while (value > 0 && done < capacity && done < (size_t)value) {
        int64_t part = s3n_list_rest(0, done, (char *)buffer + done, capacity - done);
        if (part <= 0)
            return part < 0 ? part : S3N_ERROR_INTERNAL;
        done += (size_t)part;
    }
    return value;
}

int64_t s3n_kv_get(const char *space, struct s3n_text key, void *buffer, size_t capacity)
{
    const struct s3n_text strings[] = { s3n_text_of(space), key };
    return call_bytes(1, NULL, 0, strings, 2, buffer, capacity);
}

int64_t s3n_kv_set(const char *space, struct s3n_text key, struct s3n_text value, uint64_t ttl_ms)
{
    const struct s3n_text strings[] = { s3n_text_of(space), key, value };
    return call(2, &ttl_ms, 1, strings, 3);
}

int64_t s3n_kv_delete(const char *space, struct s3n_text key)
{
    const struct s3n_text strings[] = { s3n_text_of(space), key };
    return call(3, NULL, 0, strings, 2);
}

int64_t s3n_kv_list(const char *space, struct s3n_text prefix, struct s3n_text after,
                    uint32_t count, void *buffer, size_t capacity)
{
    const struct s3n_text strings[] = { s3n_text_of(space), prefix, after };
    const uint64_t number = count;
    return call_bytes(4, &number, 1, strings, 3, buffer, capacity);
}

int64_t s3n_kv_compare_and_set(const char *space, struct s3n_text key,
                               const struct s3n_text *expected, struct s3n_text value,
                               uint64_t ttl_ms)
{
    struct s3n_text none = { NULL, 0 };
    const struct s3n_text strings[] = { s3n_text_of(space), key,
                                        expected != NULL ? *expected : none, value };
    const uint64_t numbers[] = { expected != NULL, ttl_ms };
    return call(5, numbers, 2, strings, 4);
}

int64_t s3n_secret_get(const char *name, uint32_t version, void *buffer, size_t capacity)
{
    const struct s3n_text string = s3n_text_of(name);
    const uint64_t number = version;
    return call_bytes(6, &number, 1, &string, 1, buffer, capacity);
}

int64_t s3n_key_public(const char *path, uint32_t algorithm, void *buffer, size_t capacity)
{
    const struct s3n_text string = s3n_text_of(path);
    const uint64_t number = algorithm;
    return call_bytes(7, &number, 1, &string, 1, buffer, capacity);
}

int64_t s3n_key_sign(const char *path, uint32_t algorithm, struct s3n_text message, void *buffer,
                     size_t capacity)
{
    const struct s3n_text strings[] = { s3n_text_of(path), message };
    const uint64_t number = algorithm;
    return call_bytes(8, &number, 1, strings, 2, buffer, capacity);
}

int64_t s3n_key_derive(const char *path, void *buffer, size_t size)
{
    const struct s3n_text string = s3n_text_of(path);
    const uint64_t number = size;
    return call_bytes(9, &number, 1, &string, 1, buffer, size);
}

int64_t s3n_hpke_open(const char *path, const struct s3n_text sealed[4], void *buffer,
                      size_t capacity)
{
    const struct s3n_text strings[] = { s3n_text_of(path), sealed[0], sealed[1], sealed[2],
                                        sealed[3] };
    return call_bytes(10, NULL, 0, strings, 5, buffer, capacity);
}

int64_t s3n_http_fetch(const char *method, const char *url, struct s3n_text headers,
                       struct s3n_text body, void *buffer, size_t capacity)
{
    const struct s3n_text strings[] = { s3n_text_of(method), s3n_text_of(url), headers, body };
    return call_bytes(11, NULL, 0, strings, 4, buffer, capacity);
}

int64_t s3n_attest(struct s3n_text nonce, void *buffer, size_t capacity)
{
    return call_bytes(12, NULL, 0, &nonce, 1, buffer, capacity);
}

int64_t s3n_about(void *buffer, size_t capacity)
{
    return call_bytes(13, NULL, 0, NULL, 0, buffer, capacity);
}

#endif

int64_t s3n_rest(size_t offset, void *buffer, size_t capacity)
{
    return s3n_list_rest(0, offset, buffer, capacity);
}

/* Up to `end`, which goes too; 0 when it is not there. */
static int part_take(struct s3n_text *text, char end, struct s3n_text *part)
{
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] != end)
            continue;
        *part = (struct s3n_text){ text->data, i };
        text->data += i + 1;
        text->size -= i + 1;
        return 1;
    }
    return 0;
}

int s3n_http_read(struct s3n_http *http, struct s3n_text answer)
{
    struct s3n_text status, line;
    http->status = 0;
    if (!part_take(&answer, ' ', &status) || !part_take(&answer, '\n', &http->url))
        return 0;
    for (size_t i = 0; i < status.size; i++)
        http->status = http->status * 10 + (unsigned)(status.data[i] - '0');
    http->headers = (struct s3n_text){ answer.data, 0 };
    while (part_take(&answer, '\n', &line)) {
        if (line.size == 0) {
            http->body = answer;
            return 1;
        }
        http->headers.size += line.size + 1;
    }
    return 0;
}

struct s3n_text s3n_http_header(const struct s3n_http *http, const char *name)
{
    struct s3n_text left = http->headers, line, key;
    while (part_take(&left, '\n', &line)) {
        if (!part_take(&line, ':', &key) || !s3n_text_is(key, name))
            continue;
        return (struct s3n_text){ line.data + 1, line.size - 1 }; /* behind the blank */
    }
    return (struct s3n_text){ "", 0 };
}
