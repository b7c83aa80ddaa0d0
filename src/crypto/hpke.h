/* SPDX-License-Identifier: Apache-2.0 */
/* HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256) or DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and one
 * of three AEADs; modes base and (X25519 only) auth, the exporter.
 *
 *     struct hpke_setup setup = { AEAD_AES_256_GCM, BYTES_LITERAL("my/purpose/1"), NULL };
 *     hpke_setup_sender(&context, &encapsulated, &setup, &recipient, &error)
 *     hpke_seal(&context, sealed, plain, associated, &error)        the same, in the same order:
 *     hpke_setup_recipient(&context, &setup, &encapsulated, &private_key, &error)
 *     hpke_open(&context, plain, sealed, associated, &error)
 *
 * `info` separates purposes: what was sealed under one doesn't open under another.  A context seals
 * or opens HPKE_MESSAGES_MAX messages, each under its own number; it is wiped by
 * hpke_context_done. */
#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

#include "crypto/aead.h"
#include "crypto/ecdsa.h"
#include "crypto/x25519.h"

enum {
    HPKE_KEM_P256 = 0x0010, /* numbers of RFC 9180 section 7 */
    HPKE_KEM_X25519 = 0x0020,
    HPKE_KDF_SHA256 = 0x0001,
    HPKE_MESSAGES_MAX = 1 << 30
};
/* The number of an AEAD (1, 2, 3), and back; false for others. */
uint16_t hpke_aead_id(enum aead_kind kind);
MUST_CHECK bool hpke_aead_of_id(enum aead_kind *kind, uint16_t id);

struct hpke_setup {
    enum aead_kind aead;
    struct bytes info; /* at most HPKE_INFO_SIZE_MAX bytes */
    /* Auth mode: the sender's key, private to seal, public to open; NULL: base mode. */
    const struct secret32 *sender_private;
    const struct x25519_public *sender_public;
};

struct hpke_context {
    uint16_t kem;
    enum aead_kind aead;
    struct secret32 key; /* of which aead_key_size bytes count */
    struct aead_nonce nonce;
    struct secret32 exporter;
    uint64_t sequence;
};
void hpke_context_done(struct hpke_context *context);
#define AUTO_HPKE_CONTEXT __attribute__((cleanup(hpke_context_done)))

/* INVALID when the recipient's key is a point of small order; LIMIT for a longer info. */
MUST_CHECK bool hpke_setup_sender(struct hpke_context *context, struct x25519_public *encapsulated,
                                  const struct hpke_setup *setup,
                                  const struct x25519_public *recipient, struct error *error);
/* The same with a chosen ephemeral key, which must never be used twice: for test vectors. */
MUST_CHECK bool hpke_setup_sender_with(struct hpke_context *context,
                                       struct x25519_public *encapsulated,
                                       const struct hpke_setup *setup,
                                       const struct x25519_public *recipient,
                                       const struct secret32 *ephemeral, struct error *error);
MUST_CHECK bool hpke_setup_recipient(struct hpke_context *context, const struct hpke_setup *setup,
                                     const struct x25519_public *encapsulated,
                                     const struct secret32 *recipient, struct error *error);

/* To a P-256 key, base mode: the setup's senders are ignored.  The encapsulated key is a point in
 * SEC 1's uncompressed form less its first byte, 4.  INVALID for a point that is not on the curve.
 */
MUST_CHECK bool hpke_p256_setup_sender(struct hpke_context *context,
                                       struct ecdsa_public *encapsulated,
                                       const struct hpke_setup *setup,
                                       const struct ecdsa_public *recipient, struct error *error);
/* The same with a chosen ephemeral key, for test vectors. */
MUST_CHECK bool hpke_p256_setup_sender_with(struct hpke_context *context,
                                            struct ecdsa_public *encapsulated,
                                            const struct hpke_setup *setup,
                                            const struct ecdsa_public *recipient,
                                            const struct ecdsa_key *ephemeral, struct error *error);
MUST_CHECK bool hpke_p256_setup_recipient(struct hpke_context *context,
                                          const struct hpke_setup *setup,
                                          const struct ecdsa_public *encapsulated,
                                          const struct ecdsa_key *recipient, struct error *error);

/* As aead_seal and aead_open, the sequence number in the nonce.  A message that doesn't open does
 * not count. */
MUST_CHECK bool hpke_seal(struct hpke_context *context, void *sealed, struct bytes plain,
                          struct bytes associated, struct error *error);
MUST_CHECK bool hpke_open(struct hpke_context *context, void *plain, struct bytes sealed,
                          struct bytes associated, struct error *error);
/* A secret for another purpose, at most HKDF_SIZE_MAX bytes; `label` at most HPKE_INFO_SIZE_MAX. */
void hpke_export(void *target, size_t size, const struct hpke_context *context, struct bytes label);

#endif
