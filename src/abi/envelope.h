/* SPDX-License-Identifier: Apache-2.0 */
/* What a reactor is handed and what it answers (docs/abi.md, byte by byte), and the answer of a CGI
 * program, read into the same form.
 *
 * Everything is little-endian.  A request is made from the CGI variables of an invocation, so that
 * all kinds of function see the same facts.  An answer is a stranger's: it is read strictly, has
 * one encoding, and nothing in it can frame or split an HTTP message.  Never allocates. */
#ifndef ABI_ENVELOPE_H
#define ABI_ENVELOPE_H

#include "core/bytes.h"
#include "core/writer.h"

#define ENVELOPE_REQUEST_MAGIC 0x514e3353u /* "S3NQ" */
#define ENVELOPE_ANSWER_MAGIC  0x414e3353u /* "S3NA" */

enum {
    ENVELOPE_VERSION = 1,
    ENVELOPE_ALIGNMENT = 8, /* of the body in the envelope */
    ENVELOPE_ID_SIZE = 16,
    ENVELOPE_HEADERS_MAX = 24, /* of an answer */
    ENVELOPE_HEAD_SIZE_MAX = 8 << 10
};

enum envelope_trigger {
    ENVELOPE_TRIGGER_NONE, /* s3n run */
    ENVELOPE_TRIGGER_CALL, /* by the function's name */
    ENVELOPE_TRIGGER_HTTP, /* a route of the application */
};

/* The fixed parts.  Only their layout: they are read and written field by field. */
struct envelope_request_head {
    uint32_t magic;
    uint16_t version;
    uint16_t trigger; /* enum envelope_trigger */
    uint32_t size;    /* of the envelope with its body */
    uint32_t body_offset;
    uint32_t body_size;
    uint32_t method_size; /* texts and pairs follow in this order */
    uint32_t path_size;
    uint32_t query_size;
    uint32_t header_count;
    uint32_t fact_count;
    uint8_t id[ENVELOPE_ID_SIZE]; /* of the invocation */
    uint64_t reserved;
};

struct envelope_answer_head {
    uint32_t magic;
    uint16_t version;
    uint16_t status; /* 200 to 599 */
    uint32_t size;   /* of the envelope with its body */
    uint32_t body_offset;
    uint32_t body_size;
    uint32_t header_count;
    uint64_t reserved;
};

/* Then name and value, without padding. */
struct envelope_pair_head {
    uint32_t name_size;
    uint32_t value_size;
};

_Static_assert(sizeof(struct envelope_request_head) == 64, "docs/abi.md");
_Static_assert(offsetof(struct envelope_request_head, body_offset) == 12, "docs/abi.md");
_Static_assert(offsetof(struct envelope_request_head, header_count) == 32, "docs/abi.md");
_Static_assert(offsetof(struct envelope_request_head, id) == 40, "docs/abi.md");
_Static_assert(sizeof(struct envelope_answer_head) == 32, "docs/abi.md");
_Static_assert(offsetof(struct envelope_answer_head, status) == 6, "docs/abi.md");
_Static_assert(offsetof(struct envelope_answer_head, header_count) == 20, "docs/abi.md");
_Static_assert(sizeof(struct envelope_pair_head) == 8, "docs/abi.md");

/* An invocation as CGI describes it. */
struct envelope_request {
    enum envelope_trigger trigger;
    uint8_t id[ENVELOPE_ID_SIZE];
    const char *const *environment; /* NAME=value, NULL-terminated */
    struct bytes body;
};

/* Bytes of the envelope; UINT64_MAX when it would be over 4 GiB. */
uint64_t envelope_request_size(const struct envelope_request *request);
/* REQUEST_METHOD, PATH_INFO and QUERY_STRING are the texts; HTTP_* and CONTENT_TYPE become headers
 * (lower case, hyphens); the other variables are facts. */
void envelope_request_write(struct writer *writer, const struct envelope_request *request);

struct envelope_pair {
    struct bytes name;
    struct bytes value;
};

struct envelope_answer {
    unsigned status;
    size_t header_count;
    struct envelope_pair headers[ENVELOPE_HEADERS_MAX]; /* lower-case names */
    struct bytes body;                                  /* of the source */
    char names[ENVELOPE_HEAD_SIZE_MAX];                 /* CGI only: names in lower case */
};

/* Borrows the source.  false: *reason says what is wrong with it (a constant text).  Content-Length
 * must be right and is dropped, as are Date and Server, which are the node's to say. */
MUST_CHECK bool envelope_answer_read(struct envelope_answer *answer, struct bytes source,
                                     const char **reason);
/* A CGI program's whole output (RFC 3875 section 6): header lines with at least one of
 * Content-Type, Location and Status, an empty line, the body.  Strict: no field of these twice, no
 * body without Content-Type; a Location without Status is 302. */
MUST_CHECK bool envelope_cgi_read(struct envelope_answer *answer, struct bytes source,
                                  const char **reason);

#endif
