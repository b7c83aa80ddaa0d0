/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hpke.h"

#include "core/writer.h"
#include "crypto/hpke_parts.h"
#include "crypto/limits.h"
#include "crypto/mac.h"
#include "crypto/random.h"

#include <string.h>

enum {
    MODE_BASE = 0,
    MODE_AUTH = 2,
    SUITE_SIZE = 10,
    KEM_SUITE_SIZE = 5,
    LABELED_SIZE_MAX = HPKE_INFO_SIZE_MAX + 256
};

/* Which part of the scheme a label belongs to: "KEM" and its number, or "HPKE" and all three. */
struct suite {
    uint8_t bytes[SUITE_SIZE];
    size_t size;
};

uint16_t hpke_aead_id(enum aead_kind kind)
{
    switch (kind) {
    case AEAD_AES_128_GCM:
        return 1;
    case AEAD_AES_256_GCM:
        return 2;
    case AEAD_CHACHA20_POLY1305:
        return 3;
    }
    ASSERT(false);
}

bool hpke_aead_of_id(enum aead_kind *kind, uint16_t id)
{
    static const enum aead_kind kinds[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                            AEAD_CHACHA20_POLY1305 };
    if (id < 1 || id > ARRAY_COUNT(kinds))
        return false;
    *kind = kinds[id - 1];
    return true;
}

void hpke_context_done(struct hpke_context *context)
{
    secret_wipe(context, sizeof(*context));
}

static struct suite kem_suite_of(uint16_t kem)
{
    return (struct suite){ { 'K', 'E', 'M', (uint8_t)(kem >> 8), (uint8_t)kem }, KEM_SUITE_SIZE };
}

static struct suite suite_of(uint16_t kem, enum aead_kind aead)
{
    struct suite suite = { .size = SUITE_SIZE };
    struct writer writer = writer_into(suite.bytes, sizeof(suite.bytes));
    write_bytes(&writer, BYTES_LITERAL("HPKE"));
    write_u16_be(&writer, kem);
    write_u16_be(&writer, HPKE_KDF_SHA256);
    write_u16_be(&writer, hpke_aead_id(aead));
    return suite;
}

static struct digest32 labeled_extract(const struct suite *suite, struct bytes salt,
                                       const char *label, struct bytes secret)
{
    uint8_t text[LABELED_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    write_bytes(&writer, BYTES_LITERAL("HPKE-v1"));
    write_bytes(&writer, bytes_of(suite->bytes, suite->size));
    write_bytes(&writer, bytes_of_string(label));
    write_bytes(&writer, secret);
    ASSERT(!writer.failed);
    struct digest32 extracted = hmac_sha256(salt, writer_view(&writer));
    secret_wipe(text, sizeof(text));
    return extracted;
}

static void labeled_expand(void *target, size_t size, const struct suite *suite,
                           const struct digest32 *secret, const char *label, struct bytes context)
{
    uint8_t text[LABELED_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    write_u16_be(&writer, (uint16_t)size);
    write_bytes(&writer, BYTES_LITERAL("HPKE-v1"));
    write_bytes(&writer, bytes_of(suite->bytes, suite->size));
    write_bytes(&writer, bytes_of_string(label));
    write_bytes(&writer, context);
    ASSERT(!writer.failed);
    hkdf_expand_sha256(target, size, secret, writer_view(&writer));
}

/* ---- DHKEM (section 4.1) ---- */

void hpke_exchange_done(struct hpke_exchange *exchange)
{
    secret_wipe(exchange, sizeof(*exchange));
}

static struct digest32 shared_secret(const struct hpke_exchange *exchange)
{
    struct suite kem_suite = kem_suite_of(exchange->kem);
    uint8_t context[HPKE_KEM_CONTEXT_SIZE_MAX];
    struct writer writer = writer_into(context, sizeof(context));
    struct digest32 shared;
    write_bytes(&writer, exchange->encapsulated);
    write_bytes(&writer, exchange->recipient);
    if (exchange->count == 2)
        write_bytes(&writer, exchange->sender);
    ASSERT(!writer.failed);
    struct digest32 extracted = labeled_extract(
        &kem_suite, (struct bytes){ 0 }, "eae_prk",
        bytes_of(exchange->secrets[0].bytes, exchange->count * sizeof(exchange->secrets[0])));
    labeled_expand(shared.bytes, sizeof(shared.bytes), &kem_suite, &extracted, "shared_secret",
                   writer_view(&writer));
    secret_wipe(&extracted, sizeof(extracted));
    return shared;
}

/* ---- key schedule (section 5.1) ---- */

void hpke_schedule(struct hpke_context *context, const struct hpke_setup *setup,
                   const struct hpke_exchange *exchange)
{
    struct suite suite = suite_of(exchange->kem, setup->aead);
    struct digest32 shared = shared_secret(exchange);
    struct digest32 id_hash =
        labeled_extract(&suite, (struct bytes){ 0 }, "psk_id_hash", (struct bytes){ 0 });
    struct digest32 info_hash =
        labeled_extract(&suite, (struct bytes){ 0 }, "info_hash", setup->info);
    uint8_t text[1 + 32 + 32];
    struct writer writer = writer_into(text, sizeof(text));
    write_u8(&writer, exchange->count == 2 ? MODE_AUTH : MODE_BASE);
    write_bytes(&writer, BYTES_OF(id_hash.bytes));
    write_bytes(&writer, BYTES_OF(info_hash.bytes));
    struct bytes schedule_context = writer_view(&writer);
    struct digest32 secret =
        labeled_extract(&suite, BYTES_OF(shared.bytes), "secret", (struct bytes){ 0 });
    *context = (struct hpke_context){ .kem = exchange->kem, .aead = setup->aead };
    labeled_expand(context->key.bytes, aead_key_size(setup->aead), &suite, &secret, "key",
                   schedule_context);
    labeled_expand(context->nonce.bytes, sizeof(context->nonce.bytes), &suite, &secret,
                   "base_nonce", schedule_context);
    labeled_expand(context->exporter.bytes, sizeof(context->exporter.bytes), &suite, &secret, "exp",
                   schedule_context);
    secret_wipe(&shared, sizeof(shared));
    secret_wipe(&secret, sizeof(secret));
}

bool hpke_info_fits(const struct hpke_setup *setup, struct error *error)
{
    return setup->info.size <= HPKE_INFO_SIZE_MAX ||
           error_set(error, ERROR_LIMIT, "HPKE info of %zu bytes, at most %d", setup->info.size,
                     HPKE_INFO_SIZE_MAX);
}

bool hpke_setup_sender_with(struct hpke_context *context, struct x25519_public *encapsulated,
                            const struct hpke_setup *setup, const struct x25519_public *recipient,
                            const struct secret32 *ephemeral, struct error *error)
{
    struct x25519_public own, sender;
    AUTO_HPKE_EXCHANGE struct hpke_exchange exchange = { .kem = HPKE_KEM_X25519,
                                                         .count = 1,
                                                         .encapsulated = BYTES_OF(own.bytes),
                                                         .recipient = BYTES_OF(recipient->bytes) };
    if (!hpke_info_fits(setup, error) || !x25519_public_of(&own, ephemeral, error) ||
        !x25519_agree(&exchange.secrets[0], ephemeral, recipient, error))
        return error_within(error, "HPKE");
    if (setup->sender_private != NULL) {
        exchange.count = 2;
        exchange.sender = BYTES_OF(sender.bytes);
        if (!x25519_public_of(&sender, setup->sender_private, error) ||
            !x25519_agree(&exchange.secrets[1], setup->sender_private, recipient, error))
            return error_within(error, "HPKE");
    }
    hpke_schedule(context, setup, &exchange);
    *encapsulated = own;
    return true;
}

bool hpke_setup_sender(struct hpke_context *context, struct x25519_public *encapsulated,
                       const struct hpke_setup *setup, const struct x25519_public *recipient,
                       struct error *error)
{
    AUTO_SECRET32 struct secret32 ephemeral;
    random_secret32(&ephemeral);
    return hpke_setup_sender_with(context, encapsulated, setup, recipient, &ephemeral, error);
}

bool hpke_setup_recipient(struct hpke_context *context, const struct hpke_setup *setup,
                          const struct x25519_public *encapsulated,
                          const struct secret32 *recipient, struct error *error)
{
    struct x25519_public own;
    AUTO_HPKE_EXCHANGE struct hpke_exchange exchange = { .kem = HPKE_KEM_X25519,
                                                         .count = 1,
                                                         .encapsulated =
                                                             BYTES_OF(encapsulated->bytes),
                                                         .recipient = BYTES_OF(own.bytes) };
    if (!hpke_info_fits(setup, error) || !x25519_public_of(&own, recipient, error) ||
        !x25519_agree(&exchange.secrets[0], recipient, encapsulated, error))
        return error_within(error, "HPKE");
    if (setup->sender_public != NULL) {
        exchange.count = 2;
        exchange.sender = BYTES_OF(setup->sender_public->bytes);
        if (!x25519_agree(&exchange.secrets[1], recipient, setup->sender_public, error))
            return error_within(error, "HPKE");
    }
    hpke_schedule(context, setup, &exchange);
    return true;
}

/* ---- messages (section 5.2) ---- */

static bool nonce_next(struct aead_nonce *nonce, const struct hpke_context *context,
                       struct error *error)
{
    if (context->sequence >= HPKE_MESSAGES_MAX)
        return error_set(error, ERROR_LIMIT, "a context is for %d messages", HPKE_MESSAGES_MAX);
    *nonce = context->nonce;
    for (unsigned i = 0; i < 8; i++)
        nonce->bytes[AEAD_NONCE_SIZE - 1 - i] ^= (uint8_t)(context->sequence >> (8 * i));
    return true;
}

bool hpke_seal(struct hpke_context *context, void *sealed, struct bytes plain,
               struct bytes associated, struct error *error)
{
    struct aead_nonce nonce;
    if (!nonce_next(&nonce, context, error) ||
        !aead_seal_as(sealed, context->aead, &context->key, &nonce, plain, associated, error))
        return false;
    context->sequence++;
    return true;
}

bool hpke_open(struct hpke_context *context, void *plain, struct bytes sealed,
               struct bytes associated, struct error *error)
{
    struct aead_nonce nonce;
    if (!nonce_next(&nonce, context, error) ||
        !aead_open_as(plain, context->aead, &context->key, &nonce, sealed, associated, error))
        return false;
    context->sequence++;
    return true;
}

void hpke_export(void *target, size_t size, const struct hpke_context *context, struct bytes label)
{
    struct suite suite = suite_of(context->kem, context->aead);
    struct digest32 secret;
    ASSERT(label.size <= HPKE_INFO_SIZE_MAX);
    memcpy(secret.bytes, context->exporter.bytes, sizeof(secret.bytes));
    labeled_expand(target, size, &suite, &secret, "sec", label);
    secret_wipe(&secret, sizeof(secret));
}
