/* SPDX-License-Identifier: Apache-2.0 */
/* For net's tests: a server on its own thread with a few routes, and blocking clients for plain and
 * TLS sockets.
 *
 * /hello constant; /echo the body back; /size/N a body of N bytes; /later answers after 30 ms from
 * a timer; /never does not answer; /held is answered when another request is gone or dispatched;
 * /pause stops the server's thread until fixture_resume, then is like /hello;
 * /early answers from on_fields; /twice answers twice; anything else 404.  Bodies up to
 * FIXTURE_BODY_SIZE_MAX; to /buffer they go into a buffer of the fixture.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include "net/server.h"

enum {
    FIXTURE_BODY_SIZE_MAX = 1 << 20
};

struct fixture;

/* Once, first: opens what libraries keep open, so that no case seems to leak it. */
void fixture_init(void);
struct fixture *fixture_start(const struct http_server_limits *limits);
/* Stops gracefully (with this time to drain), frees all.  Returns the final counts. */
struct http_server_counts fixture_stop(struct fixture *fixture, uint32_t drain_ms);
/* Begins a graceful stop and comes back when it has begun. */
void fixture_drain(struct fixture *fixture, uint32_t drain_ms);
/* The same, but the server's thread comes to it when it can. */
void fixture_drain_soon(struct fixture *fixture, uint32_t drain_ms);
bool fixture_is_paused(const struct fixture *fixture);
void fixture_resume(struct fixture *fixture);
uint16_t fixture_port(const struct fixture *fixture); /* TLS */
uint16_t fixture_plain_port(const struct fixture *fixture);
const struct ecdsa_public *fixture_key(const struct fixture *fixture);
/* As they are now; the last ones, once it has stopped. */
struct http_server_counts fixture_counts(struct fixture *fixture);
/* http_server_is_expecting, on the server's thread. */
bool fixture_is_expecting(struct fixture *fixture, uint64_t age_ms, uint64_t handshake_ms);
/* The longest time so far that the server's thread had to wait for the machine: what a time limit
 * of that order shows then is its load. */
uint64_t fixture_stall_ms(const struct fixture *fixture);
/* How often on_gone was called, and on_request. */
unsigned fixture_gone(const struct fixture *fixture);
unsigned fixture_requests(const struct fixture *fixture);

/* A blocking client connection. */
struct wire;
/* `protocol`: ALPN name for a TLS connection, or NULL for a plain one. */
struct wire *wire_open(const struct fixture *fixture, const char *protocol);
/* Plain bytes to the TLS port. */
struct wire *wire_open_raw(const struct fixture *fixture);
void wire_close(struct wire *wire);
/* False when the server has closed. */
bool wire_send(struct wire *wire, struct bytes bytes);
bool wire_send_text(struct wire *wire, const char *text);
/* Reads until `enough` bytes are there, the server closes, or TEST_PATIENCE_MS pass without a byte;
 * all that has been read since opening or wire_forget. */
struct bytes wire_read(struct wire *wire, size_t enough);
/* Reads what comes next, once; false when the server has closed. */
bool wire_read_more(struct wire *wire);
/* Reads on until the server closes; whether it did. */
bool wire_ends(struct wire *wire);
/* Reads until `enough` bytes are there or none has come for that long: for a moment's pause, never
 * for what must come. */
struct bytes wire_glance(struct wire *wire, size_t enough, int timeout_ms);
void wire_forget(struct wire *wire);
bool wire_is_closed(const struct wire *wire);

#endif
