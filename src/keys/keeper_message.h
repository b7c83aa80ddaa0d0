/* SPDX-License-Identifier: Apache-2.0 */
/* Inside keys: payloads of keeper.h as both ends write and read them. */
#ifndef KEYS_KEEPER_MESSAGE_H
#define KEYS_KEEPER_MESSAGE_H

#include "keys/keeper.h"

struct endorse_request {
    struct ecdsa_public receipt_key;
    struct ecdsa_public tls_key;
    struct keyset_validity validity;
};
struct evidence_request {
    struct digest32 keyset;
    struct nonce32 nonce;
};
struct seal_request {
    char space[STORE_SPACE_SIZE_MAX + 1];
    struct bytes associated;
    struct bytes body;
};
struct append_request {
    char kind[EVENT_KIND_SIZE_MAX + 1];
    char details[EVENT_SIZE_MAX + 1];
};
enum {
    APPEND_REQUEST_SIZE_MAX = EVENT_KIND_SIZE_MAX + 1 + EVENT_SIZE_MAX,
    EVENTS_REQUEST_SIZE = 8,
    ENDORSE_REQUEST_SIZE = 64 + 64 + 8 + 8,
    EVIDENCE_REQUEST_SIZE = 32 + 32,
};

struct unseal_request {
    int64_t not_before_s;
    uint8_t key_id;
    enum aead_kind aead;
    struct x25519_public encapsulated;
};
enum {
    UNSEAL_REQUEST_SIZE = 8 + 1 + 2 + 32,
    UNSEAL_ANSWER_SIZE = 32 + AEAD_NONCE_SIZE + 32
};
void unseal_request_write(struct buffer *payload, const struct unseal_request *request);
MUST_CHECK bool unseal_request_read(struct unseal_request *request, struct bytes payload,
                                    struct error *error);

struct admit_request {
    struct secret_place place;
    int64_t not_before_s;
    struct bytes envelope;
};
struct release_request {
    struct secret_place place;
    struct digest32 receiver;
    struct bytes sealed;
};
enum {
    PLACE_SIZE_MAX = 2 + KEYS_NAME_SIZE_MAX + 2 + SECRET_NAME_SIZE_MAX + 32 + 8,
    ADMIT_REQUEST_SIZE_MAX = PLACE_SIZE_MAX + 8 + SECRET_ENVELOPE_OVERHEAD + SECRET_VALUE_SIZE_MAX,
    RELEASE_REQUEST_SIZE_MAX = PLACE_SIZE_MAX + 32 + STORE_SEAL_OVERHEAD_MAX + SECRET_VALUE_SIZE_MAX
};
enum {
    KEY_REQUEST_SIZE_MAX =
        3 + 4 + 2 + KEYS_NAME_SIZE_MAX + 2 + KEY_PATH_SIZE_MAX + 64 + 12 + KEY_MESSAGE_SIZE_MAX
};
/* Views into the payload. */
void key_request_write(struct buffer *payload, const struct key_use *use);
MUST_CHECK bool key_request_read(struct key_use *use, struct bytes payload, struct error *error);
void admit_request_write(struct buffer *payload, const struct admit_request *request);
MUST_CHECK bool admit_request_read(struct admit_request *request, struct bytes payload,
                                   struct error *error);
void release_request_write(struct buffer *payload, const struct release_request *request);
MUST_CHECK bool release_request_read(struct release_request *request, struct bytes payload,
                                     struct error *error);

void endorse_request_write(struct buffer *payload, const struct endorse_request *request);
MUST_CHECK bool endorse_request_read(struct endorse_request *request, struct bytes payload,
                                     struct error *error);
void evidence_request_write(struct buffer *payload, const struct evidence_request *request);
MUST_CHECK bool evidence_request_read(struct evidence_request *request, struct bytes payload,
                                      struct error *error);
void append_request_write(struct buffer *payload, const char *kind, const char *details);
MUST_CHECK bool append_request_read(struct append_request *request, struct bytes payload,
                                    struct error *error);
void seal_request_write(struct buffer *payload, const struct seal_request *request);
/* Views into the payload. */
MUST_CHECK bool seal_request_read(struct seal_request *request, struct bytes payload,
                                  struct error *error);

#endif
