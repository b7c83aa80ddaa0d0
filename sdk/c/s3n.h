/* SPDX-License-Identifier: Apache-2.0 */
/* S3N functions in C.  A function is s3n_main; s3n.c makes of it a reactor (wasm32-wasi, or bare
 * wasm32) or a native function (x86-64 ELF).  The formats underneath are docs/abi.md's.
 *
 *     #include "s3n.h"
 *
 *     int s3n_main(const struct s3n_request *request, struct s3n_response *response)
 *     {
 *         s3n_header_set(response, "content-type", "text/plain");
 *         s3n_print(response, "hello, ");
 *         s3n_write(response, request->body.data, request->body.size);
 *         return 0;
 *     }
 */
#ifndef S3N_H
#define S3N_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes; never ended by NUL. */
struct s3n_text {
    const char *data;
    size_t size;
};

enum s3n_trigger {
    S3N_TRIGGER_RUN,  /* s3n run */
    S3N_TRIGGER_CALL, /* by the function's name */
    S3N_TRIGGER_HTTP  /* a route of the application */
};

/* Lives until s3n_main returns. */
struct s3n_request {
    struct s3n_text method; /* "GET" */
    struct s3n_text path;   /* "/quote/neo", percent-encoded */
    struct s3n_text query;  /* behind '?' */
    struct s3n_text body;
    uint32_t trigger; /* enum s3n_trigger */
    uint8_t id[16];   /* of the invocation */
    /* Behind s3n_header and s3n_fact. */
    uint32_t header_count;
    uint32_t fact_count;
    const unsigned char *headers;
    const unsigned char *facts;
};

struct s3n_response;

/* The function.  0: the response is the answer.  Anything else ends the invocation as failed with
 * that exit code, and there is no answer. */
int s3n_main(const struct s3n_request *request, struct s3n_response *response);
/* Optional: prepares what every request needs, once per version, before the snapshot.  Random
 * numbers and times taken here are the same in every invocation. */
void s3n_setup(void);

/* A header (name in lower case) or a fact (S3N_FUNCTION, REMOTE_ADDR, what the manifest's
 * `environment` sets); data NULL when there is none. */
struct s3n_text s3n_header(const struct s3n_request *request, const char *name);
struct s3n_text s3n_fact(const struct s3n_request *request, const char *name);
/* By place, from 0; 0 when there are no more. */
int s3n_header_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                  struct s3n_text *value);
int s3n_fact_at(const struct s3n_request *request, uint32_t index, struct s3n_text *name,
                struct s3n_text *value);
int s3n_text_is(struct s3n_text text, const char *expected);

/* 200 unless said; 200 to 599. */
void s3n_status(struct s3n_response *response, unsigned status);
/* Appends a header; the name is put in lower case.  0 when there is no room for it (24 headers,
 * 8 KiB) or it can't be one. */
int s3n_header_set(struct s3n_response *response, const char *name, const char *value);
int s3n_header_add(struct s3n_response *response, struct s3n_text name, struct s3n_text value);
/* Append to the body.  Without memory for it the invocation ends as failed, exit code 70. */
void s3n_write(struct s3n_response *response, const void *data, size_t size);
void s3n_print(struct s3n_response *response, const char *text);
void s3n_print_number(struct s3n_response *response, int64_t number);
/* The whole answer: a status and a line of text.  0, for s3n_main to return. */
int s3n_refuse(struct s3n_response *response, unsigned status, const char *text);

/* Memory until the invocation's end, aligned to 16; NULL when there is no more.  Never freed, since
 * the instance is reset. */
void *s3n_allocate(size_t size);
/* To the function's log. */
void s3n_log(const char *text);
/* Unpredictable in every invocation. */
void s3n_random(void *target, size_t size);
/* Nanoseconds since 1970; of a clock that only goes forward. */
uint64_t s3n_time_ns(void);
uint64_t s3n_monotonic_ns(void);
/* Ends the invocation now, without an answer. */
__attribute__((noreturn)) void s3n_exit(uint32_t code);

/* --- calls to the node (docs/abi.md); link s3n_calls.c for these
 *
 * Each needs a permission in s3n.toml; without it the answer is S3N_ERROR_DENIED, and
 * s3n_error_message says which line to add.  Results below 0 are errors.  What gives bytes fills
 * `buffer` as far as `capacity` goes and returns their whole size: s3n_rest has the rest. */
enum s3n_error {
    S3N_ERROR_INVALID = -1,
    S3N_ERROR_MEMORY = -2,
    S3N_ERROR_DENIED = -3,
    S3N_ERROR_NOT_FOUND = -4,
    S3N_ERROR_LIMIT = -5,
    S3N_ERROR_CONFLICT = -6,
    S3N_ERROR_UNAVAILABLE = -7,
    S3N_ERROR_TIMEOUT = -8,
    S3N_ERROR_UNSUPPORTED = -9,
    S3N_ERROR_FAILED = -10,
    S3N_ERROR_INTERNAL = -11
};

struct s3n_text s3n_text_of(const char *text);
/* Whole size of the last error's text, empty when the last call did not fail. */
int64_t s3n_error_message(void *buffer, size_t capacity);
/* s3n_refuse with 500 and that text; also a line of the log. */
int s3n_refuse_call(struct s3n_response *response);
/* Bytes behind `offset` of the last call's answer; 0 at the end. */
int64_t s3n_rest(size_t offset, void *buffer, size_t capacity);

int64_t s3n_kv_get(const char *space, struct s3n_text key, void *buffer, size_t capacity);
int64_t s3n_kv_set(const char *space, struct s3n_text key, struct s3n_text value, uint64_t ttl_ms);
int64_t s3n_kv_delete(const char *space, struct s3n_text key);
int64_t s3n_kv_list(const char *space, struct s3n_text prefix, struct s3n_text after,
                    uint32_t count, void *buffer, size_t capacity);
/* `expected` NULL: only if there is no value. */
int64_t s3n_kv_compare_and_set(const char *space, struct s3n_text key,
                               const struct s3n_text *expected, struct s3n_text value,
                               uint64_t ttl_ms);
int64_t s3n_secret_get(const char *name, uint32_t version, void *buffer, size_t capacity);
/* docs/keys.md; permissions.keys = ["p256:PATH", "secp256k1:PATH", "ed25519:PATH", "x25519:PATH"
 * (hpke_open), "hkdf:PATH" (derive)]. */
enum s3n_key {
    S3N_KEY_P256 = 1,      /* public 65 bytes, signature 64 */
    S3N_KEY_SECP256K1 = 2, /* 65; 65, the last one for recovery */
    S3N_KEY_ED25519 = 3,   /* 32; 64 */
    S3N_KEY_X25519 = 4,    /* 32 */
    S3N_KEY_DIGEST = 256   /* beside the first two: the message is a digest of 32 bytes */
};
int64_t s3n_key_public(const char *path, uint32_t algorithm, void *buffer, size_t capacity);
int64_t s3n_key_sign(const char *path, uint32_t algorithm, struct s3n_text message, void *buffer,
                     size_t capacity);
int64_t s3n_key_derive(const char *path, void *buffer, size_t size);
int64_t s3n_hpke_open(const char *path, const struct s3n_text sealed[4], void *buffer,
                      size_t capacity); /* info, enc, aad, text */
int64_t s3n_http_fetch(const char *method, const char *url, struct s3n_text headers,
                       struct s3n_text body, void *buffer, size_t capacity);
/* What s3n_http_fetch brought, read: borrowed from it.  0: it is no such answer, or not all of it.
 */
struct s3n_http {
    unsigned status;
    struct s3n_text url; /* after redirects */
    struct s3n_text headers;
    struct s3n_text body;
};
int s3n_http_read(struct s3n_http *http, struct s3n_text answer);
/* The first of that name (lower case); empty when there is none. */
struct s3n_text s3n_http_header(const struct s3n_http *http, const char *name);
int64_t s3n_attest(struct s3n_text nonce, void *buffer, size_t capacity);
int64_t s3n_about(void *buffer, size_t capacity);
/* No permission, no exit: 1 SHA-256, 2 SHA-384, 3 SHA-512, 4 SHA3-256, 5 Keccak-256; `digest` has
 * room for 64 bytes. */
int64_t s3n_hash(uint32_t algorithm, struct s3n_text data, void *digest);
/* To the log with a level: 3 error, 4 warning, 6 information, 7 debugging. */
int64_t s3n_log_level(uint32_t level, struct s3n_text text);

/* Several calls in one exit, at most 64. */
struct s3n_list {
    unsigned char *data;
    size_t size, capacity;
    uint32_t count;
};
struct s3n_answer {
    int64_t value;        /* what the call would have returned */
    struct s3n_text data; /* as much of it as there was room for */
    uint64_t total;       /* of the data; more than is here: s3n_list_rest */
};
/* Into `memory`, which has at most 272 KiB to offer. */
void s3n_list_begin(struct s3n_list *list, void *memory, size_t capacity);
/* `call`: row of the table in docs/abi.md, from 1.  0: no room. */
int s3n_list_add(struct s3n_list *list, unsigned call, const uint64_t *numbers,
                 unsigned number_count, const struct s3n_text *strings, unsigned string_count);
/* Size of the answers, or below 0 an error. */
int64_t s3n_list_call(struct s3n_list *list, void *answers, size_t capacity);
/* The next of the answers; *at is 0 at first.  0: there are no more. */
int s3n_list_next(const void *answers, size_t size, size_t *at, struct s3n_answer *answer);
int64_t s3n_list_rest(uint32_t index, size_t offset, void *buffer, size_t capacity);

/* What a native function is entered with; s3n.c looks after it.  Addresses as numbers. */
#define S3N_NATIVE_VERSION 2u
enum s3n_native_phase {
    S3N_NATIVE_INITIALISE,
    S3N_NATIVE_HANDLE
};
struct s3n_native {
    uint32_t version;
    uint32_t size;    /* of this struct */
    uint64_t request; /* the envelope; 0 while it initialises */
    uint64_t request_size;
    uint64_t answer; /* where the answer's envelope goes */
    uint64_t answer_capacity;
    uint64_t heap;
    uint64_t heap_size;                   /* at the entry */
    uint64_t heap_size_max;               /* what the manifest's memory_mib allows */
    uint64_t (*grow)(uint64_t heap_size); /* makes the heap so long; 0: refused */
    void (*log)(const void *text, uint64_t size);
    void (*random)(void *target, uint64_t size);
    uint64_t (*clock_ns)(uint32_t clock); /* 0 real time, 1 monotonic */
    __attribute__((noreturn)) void (*exit)(uint32_t code);
    /* Version 2; s3n_calls.c uses them. */
    int64_t (*call)(const void *requests, uint64_t size, void *answers, uint64_t capacity);
    int64_t (*rest)(uint32_t index, uint64_t offset, void *target, uint64_t capacity);
    int64_t (*hash)(uint32_t algorithm, const void *data, uint64_t size, void *digest);
    int64_t (*error_message)(void *target, uint64_t capacity);
    int64_t (*log_level)(uint32_t level, const void *text, uint64_t size);
};

#ifdef __cplusplus
}
#endif

#endif
