/* SPDX-License-Identifier: Apache-2.0 */
/* A part of s3n_calls.c: the imports of a WebAssembly module. */
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

#define STRING(index) given->strings[index].data, given->strings[index].size

/* Inlined with a constant row, so that an optimised module imports what it uses and no more. */
static inline __attribute__((always_inline)) int64_t
call(enum row row, const struct arguments *given, void *buffer, size_t capacity)
{
    switch (row) {
    case KV_GET:
        return import_kv_get(STRING(0), STRING(1), buffer, capacity);
    case KV_SET:
        return import_kv_set(STRING(0), STRING(1), STRING(2), given->numbers[0]);
    case KV_DELETE:
        return import_kv_delete(STRING(0), STRING(1));
    case KV_LIST:
        return import_kv_list(STRING(0), STRING(1), STRING(2), (uint32_t)given->numbers[0], buffer,
                              capacity);
    case KV_COMPARE_AND_SET:
        return import_kv_compare_and_set(STRING(0), STRING(1), (uint32_t)given->numbers[0],
                                         STRING(2), STRING(3), given->numbers[1]);
    case SECRET_GET:
        return import_secret_get(STRING(0), (uint32_t)given->numbers[0], buffer, capacity);
    case KEY_PUBLIC:
        return import_key_public(STRING(0), (uint32_t)given->numbers[0], buffer, capacity);
    case KEY_SIGN:
        return import_key_sign(STRING(0), (uint32_t)given->numbers[0], STRING(1), buffer, capacity);
    case KEY_DERIVE:
        return import_key_derive(STRING(0), (uint32_t)given->numbers[0], buffer, capacity);
    case HPKE_OPEN:
        return import_hpke_open(STRING(0), STRING(1), STRING(2), STRING(3), STRING(4), buffer,
                                capacity);
    case HTTP_FETCH:
        return import_http_fetch(STRING(0), STRING(1), STRING(2), STRING(3), buffer, capacity);
    case ATTEST:
        return import_attest(STRING(0), buffer, capacity);
    case ABOUT:
        return import_about(buffer, capacity);
    }
    return S3N_ERROR_UNSUPPORTED;
}
