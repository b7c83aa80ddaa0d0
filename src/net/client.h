/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTPS client for the command line, over libcurl: one blocking request at a time, kept-alive
 * connections, TLS 1.3, no redirects, no cookies, no other scheme.  SIGPIPE is ignored meanwhile.
 *
 * A node is known by its key (SHA-256 of the SubjectPublicKeyInfo), never by a certificate
 * authority.  At first contact there is no key yet: http_client_request then reports the key that
 * the peer showed, and the caller compares it with the attested keyset before it pins it
 * (http_client_pin) and sends anything that matters.
 *
 * Servers that aren't nodes (a key broker) are known by certificates below chosen roots instead,
 * and by their name; peer_key stays zero then. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "net/http.h"

struct http_client;

struct http_client_options {
    const char *url;             /* "https://host:port", without a path */
    const struct digest32 *pin;  /* NULL: first contact */
    uint32_t connect_timeout_ms; /* 0: 10 s */
    uint32_t timeout_ms;         /* of one request; 0: 120 s */
    const char *user_agent;      /* NULL: none */
    struct bytes roots; /* PEM, borrowed; not empty: the server's chain must end in these */
    /* "host:port:address", so that nothing needs to be looked up, nor a proxy asked; NULL: the
     * system's way.  Borrowed. */
    const char *resolved;
};

/* INVALID when the URL is not such a one. */
MUST_CHECK bool http_client_new(struct http_client **client,
                                const struct http_client_options *options, struct error *error);
void http_client_free(struct http_client *client);
DEFINE_AUTO(http_client, http_client_free)
/* From now on only a server with this key is talked to; open connections are dropped. */
void http_client_pin(struct http_client *client, const struct digest32 *pin);
/* "host:port" as requests carry it. */
struct bytes http_client_authority(const struct http_client *client);

struct http_client_request {
    enum http_method method;
    const char *target; /* path and query */
    const struct http_field *fields;
    size_t field_count;
    struct bytes body;    /* sent with PUT, POST and PATCH, even when empty */
    uint32_t timeout_ms;  /* 0: the client's */
    size_t body_size_max; /* of the answer; LIMIT above */
    /* Called now and then when set; false gives up (UNAVAILABLE). */
    bool (*progress)(void *context, uint64_t sent, uint64_t received);
    void *progress_context;
};

struct http_client_answer {
    int status;
    struct http_field fields[CLIENT_FIELD_COUNT_MAX]; /* lower-case names, borrow `memory` */
    size_t field_count;
    struct buffer body;
    struct buffer memory;
    struct digest32 peer_key; /* SHA-256 of the SubjectPublicKeyInfo that the server proved */
    uint8_t exporter[HTTP_EXPORTER_SIZE]; /* of the TLS session that it came over */
    uint64_t total_us;
};
void http_client_answer_done(struct http_client_answer *answer);
#define AUTO_HTTP_CLIENT_ANSWER __attribute__((cleanup(http_client_answer_done)))

/* From now on requests go over the TLS session with this exporter alone: a request that would need
 * another session fails with CONFLICT before any byte of it is sent, and forgets the binding.  NULL
 * forgets it. */
void http_client_bind(struct http_client *client, const uint8_t *exporter);

/* True for every complete answer whatever its status.  False: UNAVAILABLE (no connection, broken
 * off), TIMEOUT, UNVERIFIED (another key than the pinned one), LIMIT, INVALID. */
MUST_CHECK bool http_client_request(struct http_client *client,
                                    const struct http_client_request *request,
                                    struct http_client_answer *answer, struct error *error);
/* The first field of that lower-case name; empty when absent. */
struct bytes http_client_answer_value(const struct http_client_answer *answer, const char *name);

#endif
