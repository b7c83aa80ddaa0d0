/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server on a libuv loop: HTTP/1.1 and HTTP/2 over TLS 1.3 (chosen by ALPN), and a plain
 * HTTP/1.1 variant for an admin port on the loopback.
 *
 * One thread, the loop's, calls everything here and gets every callback.  Each request has a
 * handle; answers may come at any later time, by handle.  Nothing else of a request may be kept:
 * the struct http_request of a callback is valid during that callback (http_server_request finds
 * it again).  Owns: listening sockets given to it, connections, their memory.  Limits: limits.h and
 * struct http_server_limits.  Never logs, never parses bodies.  The program ignores SIGPIPE. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/error.h"
#include "crypto/tls.h"
#include "net/http.h"

struct uv_loop_s;
struct http_server;

/* Zero stands for the default of limits.h; tests shorten some. */
struct http_server_limits {
    uint32_t connection_count_max;
    uint32_t peer_connection_count_max; /* of one IPv4 address or IPv6 /64 */
    uint32_t handshake_timeout_ms;
    uint32_t head_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t body_rate_min; /* bytes per second */
    uint32_t write_timeout_ms;
    uint32_t answer_timeout_ms;
    size_t memory_max;      /* of bodies and unsent answers together */
    size_t peer_memory_max; /* the same, of one peer */
};

/* What to do with a request whose fields have arrived: zeroed, a request with a body is refused
 * with 413. */
struct http_admission {
    size_t body_size_max;
    void *buffer; /* body_size_max bytes for the body, or NULL: the server's memory */
    void *tag;    /* the caller's own, handed to on_request and on_gone */
};

struct http_server_handler {
    void *context;
    /* Fields are there, the body is not.  May answer at once: the body is then not read.  NULL:
     * every request is admitted without a body. */
    void (*on_fields)(void *context, struct http_handle handle, const struct http_request *request,
                      struct http_admission *admission);
    /* The whole request is there; answer now or later. */
    void (*on_request)(void *context, struct http_handle handle, const struct http_request *request,
                       void *tag);
    /* The request that on_fields saw can't be answered any more: the client left, a limit was hit,
     * or the answer took too long.  Called once unless http_server_answer returned true for it.
     * From here on the server touches neither tag nor buffer.  May be NULL. */
    void (*on_gone)(void *context, struct http_handle handle, void *tag);
    /* Every HTTP_TICK_MS; may be NULL. */
    void (*on_tick)(void *context);
};

struct http_server_options {
    struct uv_loop_s *loop;
    struct http_server_handler handler;
    struct http_server_limits limits;
    struct tls_context *tls; /* borrowed, for the TLS listeners; NULL: plain listeners only */
};

MUST_CHECK bool http_server_new(struct http_server **server,
                                const struct http_server_options *options, struct error *error);
/* Closes everything at once and runs the loop until all handles are closed.  Not from a callback.
 */
void http_server_free(struct http_server *server);
DEFINE_AUTO(http_server, http_server_free)

enum http_listener_kind {
    HTTP_LISTENER_TLS,
    HTTP_LISTENER_PLAIN /* refused unless the address is on the loopback */
};
/* "127.0.0.1:8443", "[::1]:0"; port 0 asks the system for a free one. */
MUST_CHECK bool http_server_listen(struct http_server *server, enum http_listener_kind kind,
                                   const char *address, struct error *error);
/* A bound (listening or not) TCP socket; takes it over, also when it fails. */
MUST_CHECK bool http_server_listen_socket(struct http_server *server, enum http_listener_kind kind,
                                          int socket, struct error *error);
/* Port of the n-th listener. */
uint16_t http_server_port(const struct http_server *server, size_t index);
/* For new connections from now on (a fresh certificate); borrowed. */
void http_server_set_tls(struct http_server *server, struct tls_context *tls);

/* Copies the answer and sends it.  False when the request is gone (nobody to tell; not an error) or
 * was answered before.  An answer that is not fit to be sent becomes a bare 500. */
bool http_server_answer(struct http_server *server, struct http_handle handle,
                        const struct http_answer *answer);
/* The request and its tag while it is unanswered, else NULL. */
const struct http_request *http_server_request(struct http_server *server,
                                               struct http_handle handle);
void *http_server_tag(struct http_server *server, struct http_handle handle);

/* Goes on as before, and has clients come back by new connections: the second answer on a
 * connection ends it, counted from its beginning (Connection: close); the first may be what a
 * client needs to trust it.  HTTP/2 gets GOAWAY. */
void http_server_announce_end(struct http_server *server);
/* Accepts no more; connections that there are go on. */
void http_server_stop_accepting(struct http_server *server);
/* Whether a request is to be expected: a connection was made, set up or answered less than `age_ms`
 * ago, or its peer began the handshake less than `handshake_ms` ago. */
bool http_server_is_expecting(const struct http_server *server, uint64_t age_ms,
                              uint64_t handshake_ms);
/* How long the oldest unanswered request has been where it is; 0: there is none. */
uint64_t http_server_oldest_ms(const struct http_server *server);
/* Stops accepting, tells clients (GOAWAY, Connection: close), lets requests finish for at most
 * `drain_ms`, closes all, then calls `stopped` once from the loop.  Plain listeners go on until all
 * others are done. */
void http_server_stop(struct http_server *server, uint32_t drain_ms, void (*stopped)(void *context),
                      void *context);

struct http_server_counts {
    uint64_t connections_accepted;
    uint64_t connections_refused;  /* over a limit */
    uint64_t connections_given_up; /* idle, for others that came */
    uint64_t connections_now;
    uint64_t requests;
    uint64_t requests_now;
    uint64_t requests_refused; /* malformed, over a limit, or too slow */
    uint64_t memory_now;       /* bodies and unsent answers */
};
struct http_server_counts http_server_counts(const struct http_server *server);

#endif
