/* SPDX-License-Identifier: Apache-2.0 */
/* The server's inside, shared by its files and by nobody else: exchanges (one request in progress),
 * connections (one socket), and what a protocol does on a connection.
 *
 * Lifetimes.  An exchange lives in a slot of the server and is named outside by number and slot; it
 * is released when its answer is sent, its stream ends or its connection is freed.  A connection is
 * marked closing at any time, but it and its exchanges are released only in libuv's close callback,
 * when nothing else of the same round can still point to them.  Callbacks of the user run while the
 * server's `processing` is set; what they cause, on this connection or another, is carried out
 * after they return, never inside. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "base/buffer.h"
#include "net/http1.h"
#include "net/padding.h"
#include "net/peer.h"
#include "net/server.h"

#include <netinet/in.h>
#include <uv.h>

enum exchange_state {
    EXCHANGE_FIELDS,   /* fields are arriving */
    EXCHANGE_BODY,     /* the body is */
    EXCHANGE_WAITING,  /* the handler has it */
    EXCHANGE_ANSWERED, /* the answer is there, maybe partly sent */
};

struct exchange {
    struct exchange *next_free;
    struct exchange *previous, *next; /* of the same connection */
    struct connection *connection;
    uint64_t number;
    uint32_t slot;
    int32_t stream;
    enum exchange_state state;
    uint64_t since_ms; /* when the state began */
    uint64_t mark_ms;  /* when progress was last looked at, and what it was then */
    size_t mark_size;
    bool announced;    /* on_fields has seen it and on_gone has not */
    bool request_over; /* all of the request has arrived */
    void *tag;
    uint8_t *body_buffer; /* the caller's, or NULL */
    size_t body_size_max;
    size_t body_size;
    size_t body_charged, answer_charged; /* of the server's memory limit */
    struct buffer body;
    struct buffer answer; /* HTTP/1.1: head and body; HTTP/2: body */
    size_t answer_sent;
    bool is_padded;
    struct http1_head head; /* request and fields, for both protocols */
    size_t text_size;
    int refuse_status; /* HTTP/2: decided while fields arrive */
    uint8_t text[HTTP_HEAD_SIZE_MAX];
};

struct token_bucket {
    uint64_t filled_ms;
    uint32_t tokens;
};

struct connection;
struct nghttp2_session;

/* What a protocol does on a connection. */
struct protocol {
    MUST_CHECK bool (*start)(struct connection *connection);
    /* Takes plaintext from the front; returns how much.  May leave some while a request is in
     * progress. */
    size_t (*input)(struct connection *connection, struct bytes bytes);
    /* Writes plaintext that is ready, as far as it fits. */
    void (*output)(struct connection *connection, struct writer *writer);
    /* exchange->answer has been filled by `compose`. */
    void (*answered)(struct connection *connection, struct exchange *exchange);
    /* Puts the answer into the exchange; false when it is not fit or memory is out. */
    MUST_CHECK bool (*compose)(struct exchange *exchange, const struct http_answer *answer);
    /* The exchange stays on the wire unanswerable: ends it there. */
    void (*abandon)(struct connection *connection, struct exchange *exchange);
    void (*expire)(struct connection *connection, uint64_t now_ms);
    /* Graceful end: no new requests. */
    void (*drain)(struct connection *connection);
    void (*done)(struct connection *connection);
};
extern const struct protocol protocol_http1, protocol_http2;

struct connection {
    uv_tcp_t socket;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct http_server *server;
    struct connection *previous, *next;
    struct connection *next_due;
    struct tls_connection *tls;      /* NULL on a plain listener */
    const struct protocol *protocol; /* NULL during the handshake */
    struct exchange *exchanges;
    uint32_t exchange_count;
    struct peer peer;
    char peer_text[INET6_ADDRSTRLEN];
    uint8_t exporter[HTTP_EXPORTER_SIZE]; /* once the handshake is over */
    uint64_t since_ms;                    /* of the handshake, or of being without a request */
    uint64_t write_since_ms;
    struct buffer input;  /* plaintext not yet taken by the protocol */
    struct buffer output; /* in the hands of `write` */
    struct padding padding;
    bool is_plain;
    bool processing, is_due, reading, writing;
    bool is_slim;          /* has no memory that it could give back */
    bool has_spoken;       /* the peer has sent something */
    bool served;           /* a request has been seen */
    unsigned answer_count; /* HTTP/1.1 */
    bool close_when_sent;  /* nothing more will be taken or produced */
    bool linger;           /* the peer may still be sending: read on for a while before closing */
    bool lingering;
    bool draining;
    bool closing;
    struct {
        struct exchange *current;
        struct http1_scan scan;
        struct http1_chunked chunked;
        const char *aside; /* text to send besides answers */
        bool close;        /* after the answer at hand */
    } http1;
    struct {
        struct nghttp2_session *session;
        struct token_bucket resets, controls;
        bool goaway_sent;
    } http2;
};

struct listener {
    uv_tcp_t socket;
    enum http_listener_kind kind;
    uint16_t port;
    bool starved; /* no memory for a connection: libuv listens on only when it has been accepted */
};

struct http_server {
    uv_loop_t *loop;
    struct http_server_handler handler;
    struct http_server_limits limits;
    struct tls_context *tls;
    struct listener listeners[HTTP_LISTENER_COUNT_MAX];
    size_t listener_count;
    uv_timer_t tick;
    size_t plain_count;  /* of the connections, those without TLS */
    size_t handle_count; /* libuv handles not yet closed */
    struct connection *connections;
    struct connection *due; /* to be processed when the one at hand is done */
    bool processing;
    struct peer_table *peers;
    struct exchange **exchanges; /* by slot, made when first needed */
    uint32_t exchange_count;
    struct exchange *free_exchanges;
    bool is_crowded; /* most requests that it can have at once are there */
    uint64_t next_number;
    struct http_server_counts counts;
    bool announcing; /* each answer ends its connection */
    bool stopping, stopped_told;
    uint64_t stop_deadline_ms;
    void (*stopped)(void *context);
    void *stopped_context;
    char read_area[HTTP_IO_SIZE];
    uint8_t plain_in[HTTP_IO_SIZE];
    uint8_t plain_out[HTTP_IO_SIZE];
    uint8_t cipher_out[HTTP_IO_SIZE + (HTTP_IO_SIZE / 4)];
};

/* exchange.c: for the protocols */
struct exchange *exchange_new(struct connection *connection, int32_t stream);
/* Gives the slot back; tells the handler when it still waits for it. */
void exchange_release(struct exchange *exchange);
/* Fields are complete: lets the handler judge.  Afterwards the state is BODY, or ANSWERED when it
 * was refused. */
void exchange_admit(struct exchange *exchange);
/* A part of the body; false when it was refused just now (state ANSWERED). */
bool exchange_add_body(struct exchange *exchange, struct bytes part);
/* The request is complete: hands it over. */
void exchange_dispatch(struct exchange *exchange);
/* The server's own answer, with a short JSON error. */
void exchange_refuse(struct exchange *exchange, int status);
/* Applies the time limits of its state; true when it was refused just now. */
bool exchange_expire(struct exchange *exchange, uint64_t now_ms);
bool exchange_answer(struct exchange *exchange, const struct http_answer *answer);

/* connection.c */
void connection_accept(struct http_server *server, struct listener *listener);
/* Carries out whatever is possible now, or as soon as the connection at hand is done. */
void connection_process(struct connection *connection);
void connection_close(struct connection *connection);
/* Ends idle connections while there is a crowd. */
void connections_thin(struct http_server *server, uint64_t now_ms);
void connection_expire(struct connection *connection, uint64_t now_ms);
void connection_drain(struct connection *connection);
/* Whether bytes have arrived that the loop has not come to read: such a connection is not idle. */
bool connection_has_unread(const struct connection *connection);
bool token_take(struct token_bucket *bucket, uint64_t now_ms, uint32_t burst, uint32_t rate);

/* server.c */
void server_check_stopped(struct http_server *server);

#endif
