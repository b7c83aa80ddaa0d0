/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the node: see s3n.h, and docs/abi.md for the table and the records.  Wasm modules import
 * each call; native functions write it as a list of one. */
#include "s3n_numbers.h"

enum {
    LIST_HEAD_SIZE = 16,
    REQUEST_HEAD_SIZE = 8,
    ANSWER_HEAD_SIZE = 24,
    LIST_SIZE_MAX = 272 << 10
};

#define REQUESTS_MAGIC 0x31514353u

/* The table's rows. */
enum row {
    KV_GET = 1,
    KV_SET,
    KV_DELETE,
    KV_LIST,
    KV_COMPARE_AND_SET,
    SECRET_GET,
    KEY_PUBLIC,
    KEY_SIGN,
    KEY_DERIVE,
    HPKE_OPEN,
    HTTP_FETCH,
    ATTEST,
    ABOUT
};

/* What a call takes, in the table's order. */
struct arguments {
    unsigned number_count;
    uint64_t numbers[2];
    unsigned string_count;
    struct s3n_text strings[5];
};

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
    if (size < LIST_HEAD_SIZE || load_u32(start + 4) < size)
        size = size < LIST_HEAD_SIZE ? 0 : load_u32(start + 4);
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
    s3n_log("\n");
    return s3n_refuse(response, 500, text);
}

#ifdef __wasm__
#include "s3n_calls_wasm.h"
#else
#include "s3n_calls_native.h"
#endif

int64_t s3n_kv_get(const char *space, struct s3n_text key, void *buffer, size_t capacity)
{
    const struct arguments given = { 0, { 0 }, 2, { s3n_text_of(space), key } };
    return call(KV_GET, &given, buffer, capacity);
}

int64_t s3n_kv_set(const char *space, struct s3n_text key, struct s3n_text value, uint64_t ttl_ms)
{
    const struct arguments given = { 1, { ttl_ms }, 3, { s3n_text_of(space), key, value } };
    return call(KV_SET, &given, NULL, 0);
}

int64_t s3n_kv_delete(const char *space, struct s3n_text key)
{
    const struct arguments given = { 0, { 0 }, 2, { s3n_text_of(space), key } };
    return call(KV_DELETE, &given, NULL, 0);
}

int64_t s3n_kv_list(const char *space, struct s3n_text prefix, struct s3n_text after,
                    uint32_t count, void *buffer, size_t capacity)
{
    const struct arguments given = { 1, { count }, 3, { s3n_text_of(space), prefix, after } };
    return call(KV_LIST, &given, buffer, capacity);
}

int64_t s3n_kv_compare_and_set(const char *space, struct s3n_text key,
                               const struct s3n_text *expected, struct s3n_text value,
                               uint64_t ttl_ms)
{
    struct s3n_text none = { NULL, 0 };
    const struct arguments given = { 2,
                                     { expected != NULL, ttl_ms },
                                     4,
                                     { s3n_text_of(space), key, expected != NULL ? *expected : none,
                                       value } };
    return call(KV_COMPARE_AND_SET, &given, NULL, 0);
}

int64_t s3n_secret_get(const char *name, uint32_t version, void *buffer, size_t capacity)
{
    const struct arguments given = { 1, { version }, 1, { s3n_text_of(name) } };
    return call(SECRET_GET, &given, buffer, capacity);
}

int64_t s3n_key_public(const char *path, uint32_t algorithm, void *buffer, size_t capacity)
{
    const struct arguments given = { 1, { algorithm }, 1, { s3n_text_of(path) } };
    return call(KEY_PUBLIC, &given, buffer, capacity);
}

int64_t s3n_key_sign(const char *path, uint32_t algorithm, struct s3n_text message, void *buffer,
                     size_t capacity)
{
    const struct arguments given = { 1, { algorithm }, 2, { s3n_text_of(path), message } };
    return call(KEY_SIGN, &given, buffer, capacity);
}

int64_t s3n_key_derive(const char *path, void *buffer, size_t size)
{
    const struct arguments given = { 1, { size }, 1, { s3n_text_of(path) } };
    return call(KEY_DERIVE, &given, buffer, size);
}

int64_t s3n_hpke_open(const char *path, const struct s3n_text sealed[4], void *buffer,
                      size_t capacity)
{
    const struct arguments given = {
        0, { 0 }, 5, { s3n_text_of(path), sealed[0], sealed[1], sealed[2], sealed[3] }
    };
    return call(HPKE_OPEN, &given, buffer, capacity);
}

int64_t s3n_http_fetch(const char *method, const char *url, struct s3n_text headers,
                       struct s3n_text body, void *buffer, size_t capacity)
{
    const struct arguments given = {
        0, { 0 }, 4, { s3n_text_of(method), s3n_text_of(url), headers, body }
    };
    return call(HTTP_FETCH, &given, buffer, capacity);
}

int64_t s3n_attest(struct s3n_text nonce, void *buffer, size_t capacity)
{
    const struct arguments given = { 0, { 0 }, 1, { nonce } };
    return call(ATTEST, &given, buffer, capacity);
}

int64_t s3n_about(void *buffer, size_t capacity)
{
    const struct arguments given = { 0 };
    return call(ABOUT, &given, buffer, capacity);
}

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
