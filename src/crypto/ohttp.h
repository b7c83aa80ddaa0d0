/* SPDX-License-Identifier: Apache-2.0 */
/* The encapsulation of RFC 9458 (Oblivious HTTP): a request sealed to a key, a response sealed to
 * whoever sealed the request.  Over HPKE with X25519 and HKDF-SHA256, any of three AEADs.
 *
 *     request   key id 1, KEM 2, KDF 2, AEAD 2, encapsulated key 32, ciphertext (message/ohttp-req)
 *     response  nonce (16 with AES-128-GCM, else 32), ciphertext (message/ohttp-res) key
 * configuration, application/ohttp-keys: length 2, key id 1, KEM 2, key 32, length 2, and KDF 2,
 * AEAD 2 for each of the three
 *
 * What is sealed is Binary HTTP (net/bhttp.h).  The private half need not be where messages are:
 * ohttp_context_make turns an encapsulated key into the secrets of one message and its answer. */
#ifndef CRYPTO_OHTTP_H
#define CRYPTO_OHTTP_H

#include "base/buffer.h"
#include "crypto/hpke.h"

enum {
    OHTTP_HEAD_SIZE = 7,
    OHTTP_REQUEST_OVERHEAD = OHTTP_HEAD_SIZE + 32 + AEAD_TAG_SIZE,
    OHTTP_RESPONSE_OVERHEAD_MAX = 32 + AEAD_TAG_SIZE,
    OHTTP_KEYS_SIZE = 2 + 1 + 2 + 32 + 2 + 3 * 4
};

struct ohttp_key {
    uint8_t id;
    struct x25519_public public_key;
};

/* The configuration, as a list of one. */
void ohttp_keys_write(uint8_t text[OHTTP_KEYS_SIZE], const struct ohttp_key *key);

/* What both ends keep of a request until its response. */
struct ohttp_exchange {
    enum aead_kind aead;
    struct x25519_public encapsulated;
    uint8_t exported[32]; /* 16 bytes with AES-128-GCM */
};
void ohttp_exchange_done(struct ohttp_exchange *exchange);

/* ---- the caller's end ---- */

/* Appends the encapsulated request. */
MUST_CHECK bool ohttp_request_seal(struct buffer *sealed, struct ohttp_exchange *exchange,
                                   const struct ohttp_key *key, enum aead_kind aead,
                                   struct bytes plain, struct error *error);
/* Appends the response.  INVALID when it is too short, UNVERIFIED when it doesn't open. */
MUST_CHECK bool ohttp_response_open(struct buffer *plain, const struct ohttp_exchange *exchange,
                                    struct bytes sealed, struct error *error);

/* ---- the other end ---- */

struct ohttp_request {
    uint8_t key_id;
    enum aead_kind aead;
    struct x25519_public encapsulated;
    struct bytes ciphertext;
};
/* INVALID for what is too short, UNSUPPORTED for other algorithms. */
MUST_CHECK bool ohttp_request_parse(struct ohttp_request *request, struct bytes sealed,
                                    struct error *error);
/* By whoever has the private key.  `info` is fixed by the format, so nothing that was sealed for
 * another purpose opens with what this gives. */
MUST_CHECK bool ohttp_context_make(struct hpke_context *context, uint8_t key_id,
                                   enum aead_kind aead, const struct x25519_public *encapsulated,
                                   const struct secret32 *private_key, struct error *error);
/* Appends the request and fills the exchange.  UNVERIFIED when it doesn't open. */
MUST_CHECK bool ohttp_request_open(struct buffer *plain, struct ohttp_exchange *exchange,
                                   const struct ohttp_request *request,
                                   struct hpke_context *context, struct error *error);
/* Appends the encapsulated response. */
MUST_CHECK bool ohttp_response_seal(struct buffer *sealed, const struct ohttp_exchange *exchange,
                                    struct bytes plain, struct error *error);
/* The same with a chosen nonce of the AEAD's size: for test vectors. */
MUST_CHECK bool ohttp_response_seal_with(struct buffer *sealed,
                                         const struct ohttp_exchange *exchange, struct bytes plain,
                                         const uint8_t *nonce, struct error *error);

#endif
