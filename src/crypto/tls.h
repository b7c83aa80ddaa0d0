/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3, and nothing older, without sockets: ciphertext goes in and out as bytes, so any event
 * loop can carry it.
 *
 * A context is made once per certificate (server) or per peer key (client) and shared by
 * connections; a connection keeps it alive.  One thread at a time per connection.  No resumption,
 * no early data, no renegotiation, no system trust store: a client knows its server by key. */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/ecdsa.h"

struct tls_context;
struct tls_connection;

enum tls_state {
    TLS_STATE_HANDSHAKE, /* more ciphertext is needed, or is waiting to be taken */
    TLS_STATE_OPEN,
    TLS_STATE_CLOSED, /* the peer said goodbye: no more plaintext will come */
    TLS_STATE_FAILED
};

/* `chain`: certificates in DER, leaf first, for `key`.  ALPN: h2 and http/1.1, in this order. */
MUST_CHECK bool tls_server_new(struct tls_context **context, const struct bytes *chain,
                               size_t count, const struct ecdsa_key *key, struct error *error);
/* `protocols`: ALPN names to offer, NULL-terminated, or NULL.  With `pinned` the handshake fails
 * (UNVERIFIED) unless the server's certificate carries that key.  Without, any server is talked
 * to and proves nothing: the caller judges tls_peer_key before it sends anything that matters. */
MUST_CHECK bool tls_client_new(struct tls_context **context, const struct ecdsa_public *pinned,
                               const char *const *protocols, struct error *error);
void tls_context_free(struct tls_context *context);
DEFINE_AUTO(tls_context, tls_context_free)

/* `server_name` for clients (SNI; NULL or an IP literal: none sent); NULL for servers. */
MUST_CHECK bool tls_connection_new(struct tls_connection **connection, struct tls_context *context,
                                   const char *server_name, struct error *error);
void tls_connection_free(struct tls_connection *connection);
DEFINE_AUTO(tls_connection, tls_connection_free)

/* Ciphertext that arrived.  Copies all of it; LIMIT when more than TLS_FEED_SIZE_MAX would wait
 * (read first). */
MUST_CHECK bool tls_feed(struct tls_connection *connection, struct bytes ciphertext,
                         struct error *error);
/* Moves ciphertext to be sent to `target`; 0 when there is none. */
size_t tls_take(struct tls_connection *connection, void *target, size_t capacity);
/* Gives back the memory of what is empty now: buffers grow as more passes and stay so else.  For
 * connections that are idle. */
void tls_slim(struct tls_connection *connection);
/* Bytes that tls_take would give. */
size_t tls_pending(const struct tls_connection *connection);

/* Goes on with the handshake as far as the bytes fed allow; also done by read and write.  After a
 * failure tls_take may still hold an alert for the peer. */
MUST_CHECK bool tls_handshake(struct tls_connection *connection, struct error *error);
enum tls_state tls_state(const struct tls_connection *connection);

/* Plaintext; *size 0 when more ciphertext is needed or the peer is done (see tls_state). */
MUST_CHECK bool tls_read(struct tls_connection *connection, void *target, size_t capacity,
                         size_t *size, struct error *error);
/* Encrypts all of `plaintext`; needs TLS_STATE_OPEN.  The caller bounds what waits in tls_pending.
 */
MUST_CHECK bool tls_write(struct tls_connection *connection, struct bytes plaintext,
                          struct error *error);
enum {
    TLS_PADDED_RECORD_SIZE = 16383 /* plaintext and padding of a record, at most */
};

/* The same with `padding` bytes of zeros that the peer never sees (RFC 8446 5.4): what goes out
 * depends on plaintext and padding together.  Every record needs a byte of plaintext, so at most
 * TLS_PADDED_RECORD_SIZE a byte are added. */
MUST_CHECK bool tls_write_padded(struct tls_connection *connection, struct bytes plaintext,
                                 uint64_t padding, struct error *error);
/* Says goodbye (close_notify); take what is pending afterwards. */
void tls_close(struct tls_connection *connection);

/* Agreed ALPN name; empty when none. */
struct bytes tls_protocol(const struct tls_connection *connection);
/* Key of the peer's certificate; UNAVAILABLE without one, UNSUPPORTED when not P-256. */
MUST_CHECK bool tls_peer_key(const struct tls_connection *connection, struct ecdsa_public *key,
                             struct error *error);
/* Appends the peer's certificate, DER. */
MUST_CHECK bool tls_peer_certificate(const struct tls_connection *connection, struct buffer *der,
                                     struct error *error);
/* Keying material of this session (RFC 8446 7.5), the same at both ends and nowhere else. */
MUST_CHECK bool tls_exporter(const struct tls_connection *connection, const char *label,
                             struct bytes context, void *target, size_t size, struct error *error);
/* The same for a session that another library holds: `session` is its SSL *. */
MUST_CHECK bool tls_exporter_of(void *session, const char *label, void *target, size_t size,
                                struct error *error);

#endif
