/* SPDX-License-Identifier: Apache-2.0 */
/* The keyset: a node's public keys as canonical JSON (RFC 8785), and what evidence says about them.
 *
 *     {"encryption_key":{"crv":"X25519","kty":"OKP","x":"..."},     for sealing payloads (HPKE)
 *      "events":{"count":<n>,"head":"<96 hex>","register":"rtmr3"},   the event log when it was
 * made "node":"<32 hex>","not_after":<s>,"not_before":<s>,"platform":"sim",
 *      "receipt_key":{"crv":"P-256","kty":"EC","x":"...","y":"..."}, signs receipts
 *      "s3n_keyset":1,
 *      "tls_key":{"crv":"P-256","kty":"EC","x":"...","y":"..."},
 *      "tls_spki":"<SHA-256 of the TLS key's SubjectPublicKeyInfo, 64 hex>"}
 *
 * `events` is missing in keysets of nodes that had no event log; its register is "none" where the
 * platform has none that evidence could show.  Its digest is the SHA-256 of exactly this text; a
 * text with other members, another order, spaces or another encoding of the same values is refused.
 * Never holds private keys. */
#ifndef KEYS_KEYSET_H
#define KEYS_KEYSET_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"
#include "keys/limits.h"

struct keyset_events {
    uint64_t count; /* entries; 0: the keyset says nothing of a log */
    struct digest48 head;
    char event_register[KEYS_REGISTER_SIZE_MAX + 1];
};

struct keyset_validity {
    int64_t not_before_s; /* seconds since 1970, both ends included */
    int64_t not_after_s;
};

struct keyset {
    char node[KEYS_NODE_SIZE + 1];
    char platform[KEYS_PLATFORM_SIZE_MAX + 1];
    struct ecdsa_public receipt_key;
    struct ecdsa_public tls_key;
    struct x25519_public encryption_key;
    struct keyset_validity validity;
    struct keyset_events events;
};

/* What a verifier sends so that evidence can't be older than its question. */
struct nonce32 {
    uint8_t bytes[32];
};

/* Appends the text.  INVALID when the keyset breaks a rule that keyset_parse would refuse. */
MUST_CHECK bool keyset_write(struct buffer *text, const struct keyset *keyset, struct error *error);
MUST_CHECK bool keyset_parse(struct keyset *keyset, struct bytes text, struct error *error);
struct digest32 keyset_digest(struct bytes text);

/* The 64 bytes that evidence must carry: SHA-512 of the canonical statement
 * {"keyset":"<digest>","nonce":"<64 hex>","purpose":"s3n/keyset/1"}. */
struct digest64 report_data_of(const struct digest32 *keyset, const struct nonce32 *nonce);

#endif
