/* SPDX-License-Identifier: Apache-2.0 */
/* DHKEM(P-256, HKDF-SHA256) of RFC 9180 section 4.1. */
#include "crypto/hpke_parts.h"

#include <string.h>

/* As section 7.1.1 wants it on the wire. */
struct point {
    uint8_t bytes[65];
};

static struct point point_of(const struct ecdsa_public *key)
{
    struct point point = { { 4 } };
    memcpy(point.bytes + 1, key->bytes, sizeof(key->bytes));
    return point;
}

bool hpke_p256_setup_sender_with(struct hpke_context *context, struct ecdsa_public *encapsulated,
                                 const struct hpke_setup *setup,
                                 const struct ecdsa_public *recipient,
                                 const struct ecdsa_key *ephemeral, struct error *error)
{
    struct point own = point_of(ecdsa_key_public(ephemeral)), other = point_of(recipient);
    AUTO_HPKE_EXCHANGE struct hpke_exchange exchange = { .kem = HPKE_KEM_P256,
                                                         .count = 1,
                                                         .encapsulated = BYTES_OF(own.bytes),
                                                         .recipient = BYTES_OF(other.bytes) };
    if (!hpke_info_fits(setup, error) ||
        !ecdsa_key_agree(&exchange.secrets[0], ephemeral, recipient, error))
        return error_within(error, "HPKE");
    hpke_schedule(context, setup, &exchange);
    *encapsulated = *ecdsa_key_public(ephemeral);
    return true;
}

bool hpke_p256_setup_sender(struct hpke_context *context, struct ecdsa_public *encapsulated,
                            const struct hpke_setup *setup, const struct ecdsa_public *recipient,
                            struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *ephemeral = NULL;
    return ecdsa_key_generate(&ephemeral, error) &&
           hpke_p256_setup_sender_with(context, encapsulated, setup, recipient, ephemeral, error);
}

bool hpke_p256_setup_recipient(struct hpke_context *context, const struct hpke_setup *setup,
                               const struct ecdsa_public *encapsulated,
                               const struct ecdsa_key *recipient, struct error *error)
{
    struct point own = point_of(ecdsa_key_public(recipient)), other = point_of(encapsulated);
    AUTO_HPKE_EXCHANGE struct hpke_exchange exchange = { .kem = HPKE_KEM_P256,
                                                         .count = 1,
                                                         .encapsulated = BYTES_OF(other.bytes),
                                                         .recipient = BYTES_OF(own.bytes) };
    if (!hpke_info_fits(setup, error) ||
        !ecdsa_key_agree(&exchange.secrets[0], recipient, encapsulated, error))
        return error_within(error, "HPKE");
    hpke_schedule(context, setup, &exchange);
    return true;
}
