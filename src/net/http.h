/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP's own values (RFC 9110), the same for HTTP/1.1 and HTTP/2: methods, fields, requests,
 * answers, and the checks that make outside text fit for them.
 *
 * Owns nothing: everything is borrowed.  Never allocates. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "core/bytes.h"
#include "net/limits.h"

/* CONNECT and TRACE are not here: they are refused. */
#define HTTP_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(PATCH) X(OPTIONS)

enum http_method {
#define HTTP_METHOD_ENUM(name) HTTP_METHOD_##name,
    HTTP_METHODS(HTTP_METHOD_ENUM)
#undef HTTP_METHOD_ENUM
};
const char *http_method_name(enum http_method method);
/* Methods are case-sensitive; false for any other. */
MUST_CHECK bool http_method_parse(enum http_method *method, struct bytes text);

/* In requests, names are lower case and values have no white space around them. */
struct http_field {
    struct bytes name;
    struct bytes value;
};
#define HTTP_FIELD(name, value) ((struct http_field){ BYTES_LITERAL(name), (value) })

/* What names a TLS session at both its ends (RFC 8446 7.5), without context. */
#define HTTP_EXPORTER_LABEL "EXPORTER-S3N-session-1"
enum {
    HTTP_EXPORTER_SIZE = 32
};

struct http_request {
    enum http_method method;
    struct bytes target; /* path and query as sent, percent-encoded */
    struct bytes path;   /* starts with '/' */
    struct bytes query;  /* behind '?'; empty when there is none */
    bool has_query;
    struct bytes authority; /* Host or :authority */
    const struct http_field *fields;
    size_t field_count;
    bool has_body;         /* announced; a body may still be empty */
    bool has_content_size; /* Content-Length was given */
    uint64_t content_size;
    bool is_secure;    /* came over TLS */
    struct bytes peer; /* address of the other end as text, without port */
    struct bytes body; /* empty until it has all arrived */
    /* HTTP_EXPORTER_SIZE bytes that only the two ends of the TLS session know; NULL without TLS. */
    const uint8_t *exporter;
};

/* The first field of that (lower-case) name, or NULL. */
const struct http_field *http_request_field(const struct http_request *request, const char *name);
/* The value of the only field of that name; empty when there is none or more than one. */
struct bytes http_request_value(const struct http_request *request, const char *name);

/* What an answer's bytes on the wire are filled up to: one of these or a number of bytes to be a
 * multiple of. */
enum http_padding {
    HTTP_PAD_NONE,
    HTTP_PAD_POWER_OF_TWO
};

struct http_answer {
    int status;
    const struct http_field *fields; /* lower-case names; never content-length, connection, ... */
    size_t field_count;
    struct bytes body; /* left out for HEAD, 204 and 304, but counted for HEAD */
    bool close;        /* no further request on this connection */
    uint32_t pad_size; /* see enum http_padding; over TLS only */
};

/* Is it a field that frames messages or manages the connection, the server's own to decide? */
bool http_is_framing_name(struct bytes name);
/* Are status and fields fit to be sent?  Names must be lower case, and those that frame a message
 * (content-length, connection, ...) are the server's own. */
bool http_answer_is_fit(const struct http_answer *answer);

/* Names one request to whoever answers it later.  The server checks it: a handle whose request is
 * gone, or has been answered, is refused, never misdirected. */
struct http_handle {
    uint64_t number; /* of the request since the server was made; never used twice, never 0 */
    uint32_t slot;
};

const char *http_reason(int status);
/* RFC 9110 5.6.2. */
bool http_is_token(struct bytes text);
/* RFC 9110 5.5: visible characters, spaces and tabs inside, bytes from 0x80; no white space around.
 */
bool http_is_field_value(struct bytes text);
/* Origin form: '/', RFC 3986 path and query characters, complete percent escapes, no fragment. */
bool http_is_target(struct bytes text);
/* host [":" port] of RFC 3986 without user information, not empty. */
bool http_is_authority(struct bytes text);
/* Decimal digits only; false when it does not fit. */
MUST_CHECK bool http_decimal_parse(uint64_t *number, struct bytes text);
/* ASCII letters compared without case. */
bool http_equal_fold(struct bytes a, struct bytes b);
/* Splits target into path and query. */
void http_request_split_target(struct http_request *request);

#endif
