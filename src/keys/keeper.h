/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's request table, and both its ends.
 *
 * The keeper holds the root secret and the platform; the server holds one socket to it and may ask
 * exactly this (payloads little-endian, answers in parentheses):
 *
 *     ENDORSE   receipt key 64, TLS key 64, not_before u64, not_after u64  (keyset JSON)
 *     EVIDENCE  keyset digest 32, nonce 32                                 (quote)
 *     SEAL      space: u16 size and name; associated data: u32 size and bytes; plain: the rest
 *                                                                          (sealed)
 *     OPEN      the same with sealed: the rest                             (plain)
 *     INFO      -                                                          (platform NUL node NUL)
 *     APPEND    kind, NUL, details: the rest                               (count u64, head 48)
 *     EVENTS    count u64 of entries to leave out                          (whole entries)
 *     UNSEAL    not_before u64, key id u8, AEAD u16, encapsulated key 32   (key 32, nonce 12,
 *                                                                          exporter 32)
 *     ANCHOR    store u8 (enum anchor_store), two heads of it, 80 bytes    (-)
 *     ANCHORED  store u8                                                   (80 bytes, or nothing)
 *     ADMIT     place, not_before u64, envelope: the rest                  (sealed)
 *     RELEASE   place, receiver 32, sealed: the rest                       (value)
 *     KEY       operation u8, algorithm u8, of a digest u8, size u32, application and path: u16
 * size and bytes each, owner 32, receiver 32, info, encapsulated, associated: u32 size and bytes
 * each, message: the rest           (public half: u8 size and bytes; result)
 *
 * place: application and name, u16 size and bytes each, owner 32, version u64.
 *
 * A keyset is endorsed only when its validity begins about now: a server that was taken over can't
 * lay in keys for later.  Evidence is given only for keysets endorsed on the same connection.
 * APPEND and EVENTS are of the event log (event_book.h): `details` is an object as
 * attest/events/events.h has them; kinds that the keeper itself writes (`start`, `restart`,
 * `keyset`, `root`, and `key`, for keys it will release) are refused.  ENDORSE appends `keyset`
 * before it answers, once for the same request.  UNSEAL gives the secrets of one request that was
 * sealed to the keyset that began then (crypto/ohttp.h; not of what is sealed for other purposes),
 * no more than KEYSET_VALIDITY_MAX_S ago; the private key stays.  ANCHOR is answered when it is on
 * the disk (anchor.h).  ADMIT takes a secret that was sealed to the keyset that began then, and
 * RELEASE gives it to a version of a function: an entry `key` is in the log before it is answered,
 * once for each secret's version and receiver (secret_envelope.h).  KEY uses a key of an
 * application (function_key.h), which stays; bytes that are derived leave, so an entry `key` is in
 * the log too.  A request of another type or over its size ends the connection, and nothing else;
 * one that is not well-formed is answered with INVALID. sealing.h has the sealed form. */
#ifndef KEYS_KEEPER_H
#define KEYS_KEEPER_H

#include "base/clock.h"
#include "crypto/ohttp.h"
#include "keys/anchor.h"
#include "keys/event_book.h"
#include "keys/function_key.h"
#include "keys/keyset.h"
#include "keys/secret_envelope.h"
#include "platform/platform.h"
#include "store/store.h"

enum keeper_request {
    KEEPER_ENDORSE = 1,
    KEEPER_EVIDENCE,
    KEEPER_SEAL,
    KEEPER_OPEN,
    KEEPER_INFO,
    KEEPER_APPEND,
    KEEPER_EVENTS,
    KEEPER_UNSEAL,
    KEEPER_ANCHOR,
    KEEPER_ANCHORED,
    KEEPER_ADMIT,
    KEEPER_RELEASE,
    KEEPER_KEY,
};

/* The server's end.  Calls from several threads wait for each other; each call blocks for its
 * answer, at most KEEPER_TIMEOUT_MS. UNAVAILABLE once the connection is lost: give it a new socket
 * with keeper_reconnect. */
struct keeper;

MUST_CHECK bool keeper_connect(struct keeper **keeper, int socket, struct error *error);
void keeper_close(struct keeper *keeper);
DEFINE_AUTO(keeper, keeper_close)
/* Evidence must be asked anew for a keyset endorsed anew. */
MUST_CHECK bool keeper_reconnect(struct keeper *keeper, int socket, struct error *error);

/* To watch for the keeper's end (EPOLLRDHUP); another one after a reconnect, -1 without one. */
int keeper_socket(const struct keeper *keeper);

struct keeper_info {
    char platform[KEYS_PLATFORM_SIZE_MAX + 1];
    char node[KEYS_NODE_SIZE + 1];
};
MUST_CHECK bool keeper_get_info(struct keeper *keeper, struct keeper_info *info,
                                struct error *error);
/* Appends the keyset's text. */
MUST_CHECK bool keeper_endorse(struct keeper *keeper, const struct ecdsa_public *receipt_key,
                               const struct ecdsa_public *tls_key,
                               const struct keyset_validity *validity, struct buffer *keyset,
                               struct error *error);
/* Appends the quote. */
MUST_CHECK bool keeper_evidence(struct keeper *keeper, const struct digest32 *keyset,
                                const struct nonce32 *nonce, struct buffer *quote,
                                struct error *error);
/* What opens a sealed request and seals its answer. */
MUST_CHECK bool keeper_unseal(struct keeper *keeper, int64_t not_before_s,
                              const struct ohttp_request *request, struct hpke_context *context,
                              struct error *error);
/* Appends the secret as the keeper sealed it.  UNVERIFIED: it was sealed for another place or key.
 */
MUST_CHECK bool keeper_admit(struct keeper *keeper, const struct secret_place *place,
                             int64_t not_before_s, struct bytes envelope, struct buffer *sealed,
                             struct error *error);
/* Appends the value; `receiver` is the manifest's digest of the version that gets it. */
MUST_CHECK bool keeper_release(struct keeper *keeper, const struct secret_place *place,
                               const struct digest32 *receiver, struct bytes sealed,
                               struct buffer *value, struct error *error);
/* What is done with an application's key. */
enum key_operation {
    KEY_USE_PUBLIC,
    KEY_USE_SIGN,
    KEY_USE_DERIVE,
    KEY_USE_OPEN
};
struct key_use {
    enum key_operation operation;
    struct key_place place;
    struct digest32 receiver; /* of DERIVE: digest of the manifest of the version that asks */
    bool is_digest;           /* of SIGN: the message is one */
    uint32_t size;            /* of DERIVE */
    struct bytes info, encapsulated, associated; /* of OPEN */
    struct bytes message;                        /* of SIGN and OPEN */
};
/* Appends the result, nothing for PUBLIC; errors of function_key.h, LIMIT for more than
 * KEY_MESSAGE_SIZE_MAX bytes. */
MUST_CHECK bool keeper_use_key(struct keeper *keeper, const struct key_use *use,
                               struct key_public *public_key, struct buffer *result,
                               struct error *error);
/* A sealer for the store; the keeper must outlive it. */
struct sealer keeper_sealer(struct keeper *keeper);
/* What remembers a store's head; the keeper must outlive it.  Other calls may be made between
 * `begin` and `finish`.  Of the states, which have a thread of their own, a lost keeper's successor
 * is waited for, KEEPER_ANCHOR_WAIT_MS. */
struct store_anchor keeper_anchor(struct keeper *keeper, enum anchor_store store);

/* Appends an entry to the event log; on success it is in the register too. */
MUST_CHECK bool keeper_append(struct keeper *keeper, const char *kind, const char *details,
                              struct error *error);
/* Appends the entries behind the first `count` to `log`, as many as there are. */
MUST_CHECK bool keeper_events(struct keeper *keeper, uint64_t count, struct buffer *log,
                              struct error *error);

/* The keeper's own end. */
struct keeper_service {
    struct secret32 root;
    struct platform platform;
    struct event_book events;
    int anchor_file; /* -1: it remembers nothing */
    bool has_anchor; /* it was read */
    struct anchor anchor;
    const struct clock *clock; /* keysets are endorsed for about now only */
    struct digest32 endorsed[KEEPER_KEYSETS_MAX];
    size_t endorsed_count;                        /* in all; the last KEEPER_KEYSETS_MAX are kept */
    struct digest32 released[KEEPER_KEYSETS_MAX]; /* digests of requests that are in the log */
    size_t released_count;
    struct digest32 handed_out[KEEPER_RELEASES_MAX]; /* releases of secrets that are in the log */
    size_t handed_out_count;
};
/* Serves the socket (which it takes over) until the peer closes it: true.  false on a request that
 * is not in the table. */
MUST_CHECK bool keeper_serve(struct keeper_service *service, int socket, struct error *error);

#endif
