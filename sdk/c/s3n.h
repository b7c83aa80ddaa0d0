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

/* What a native function is entered with; s3n.c looks after it.  Addresses as numbers. */
#define S3N_NATIVE_VERSION 1u
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
};

#ifdef __cplusplus
}
#endif

#endif
