/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signature_memo.h"

#include "core/writer.h"
#include "crypto/hash.h"

enum {
    KEY_AND_SIGNATURE_SIZE_MAX = 2048 /* RSA keys and signatures of 4096 bits, and a digest */
};

static struct bytes value_of(const struct signature_value *signature)
{
    switch (signature->kind) {
    case SIGNATURE_ECDSA_SHA256:
        return BYTES_OF(signature->p256.bytes);
    case SIGNATURE_ECDSA_SHA384:
        return BYTES_OF(signature->p384.bytes);
    case SIGNATURE_RSA_PSS_SHA384:
        return signature->rsa;
    }
    return (struct bytes){ 0 };
}

/* Digest of kinds, sizes, key, signature and the message's digest. */
static struct digest32 name_of(const struct public_key *key, struct bytes message,
                               const struct signature_value *signature)
{
    uint8_t space[KEY_AND_SIGNATURE_SIZE_MAX];
    struct writer writer = writer_into(space, sizeof(space));
    struct bytes value = value_of(signature);
    struct digest32 message_id = sha256_of(message);
    write_u8(&writer, (uint8_t)key->kind);
    write_u8(&writer, (uint8_t)signature->kind);
    write_u16_le(&writer, (uint16_t)key->spki.size);
    write_u16_le(&writer, (uint16_t)value.size);
    write_bytes(&writer, BYTES_OF(message_id.bytes));
    write_bytes(&writer, key->spki);
    write_bytes(&writer, value);
    ASSERT(!writer.failed);
    return sha256_of(writer_view(&writer));
}

static bool knows(const struct signature_memo *memo, const struct digest32 *name)
{
    for (size_t i = 0; i < MIN(memo->next, (size_t)SIGNATURE_MEMO_COUNT); i++) {
        if (digest32_equal(&memo->known[i], name))
            return true;
    }
    return false;
}

static void keep(struct signature_memo *memo, const struct digest32 *name)
{
    if (!knows(memo, name))
        memo->known[memo->next++ % SIGNATURE_MEMO_COUNT] = *name;
}

bool signature_memo_verify(struct signature_memo *memo, const struct public_key *key,
                           struct bytes message, const struct signature_value *signature,
                           struct error *error)
{
    if (memo == NULL)
        return public_key_verify(key, message, signature, error);
    struct digest32 name = name_of(key, message, signature);
    if (knows(memo, &name))
        return true;
    if (!public_key_verify(key, message, signature, error))
        return false;
    keep(memo, &name);
    return true;
}

void signature_memo_recall_certificate(const struct signature_memo *memo,
                                       struct x509_certificate *certificate,
                                       const struct public_key *key)
{
    if (memo == NULL)
        return;
    struct digest32 name = name_of(key, certificate->signed_part, &certificate->signature);
    certificate->is_signature_known = knows(memo, &name);
}

void signature_memo_keep_certificate(struct signature_memo *memo,
                                     const struct x509_certificate *certificate,
                                     const struct public_key *key)
{
    if (memo == NULL || certificate->is_signature_known)
        return;
    struct digest32 name = name_of(key, certificate->signed_part, &certificate->signature);
    keep(memo, &name);
}

void signature_memo_recall_crl(const struct signature_memo *memo, struct crl *crl,
                               const struct public_key *key)
{
    if (memo == NULL)
        return;
    struct digest32 name = name_of(key, crl->signed_part, &crl->signature);
    crl->is_signature_known = knows(memo, &name);
}

void signature_memo_keep_crl(struct signature_memo *memo, const struct crl *crl,
                             const struct public_key *key)
{
    if (memo == NULL || crl->is_signature_known)
        return;
    struct digest32 name = name_of(key, crl->signed_part, &crl->signature);
    keep(memo, &name);
}
