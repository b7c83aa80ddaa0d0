/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/sealing.h"

#include "core/reader.h"
#include "crypto/aead.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "keys/hierarchy.h"

enum {
    SEALING_VERSION = 1,
    SALT_SIZE = 20,
};

static void message_key(struct secret32 *key, const struct secret32 *root, const char *space,
                        const uint8_t *salt)
{
    AUTO_SECRET32 struct secret32 space_key;
    record_key_derive(&space_key, root, space);
    hkdf_derive(key, &space_key, bytes_of(salt, SALT_SIZE), BYTES_LITERAL("s3n/seal/1"));
}

bool sealing_seal(const struct secret32 *root, const char *space, struct bytes associated,
                  struct bytes plain, struct buffer *sealed, struct error *error)
{
    uint8_t version = SEALING_VERSION;
    uint8_t salt[SALT_SIZE];
    random_bytes(salt, sizeof(salt));
    struct aead_nonce nonce = aead_nonce_random();
    AUTO_SECRET32 struct secret32 key;
    message_key(&key, root, space, salt);
    buffer_append(sealed, bytes_of(&version, 1));
    buffer_append(sealed, BYTES_OF(salt));
    buffer_append(sealed, BYTES_OF(nonce.bytes));
    uint8_t *target = buffer_reserve(sealed, plain.size + AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "no room for %zu sealed bytes", plain.size);
    if (!aead_seal(target, &key, &nonce, plain, associated, error))
        return false;
    sealed->size += plain.size + AEAD_TAG_SIZE;
    return true;
}

bool sealing_open(const struct secret32 *root, const char *space, struct bytes associated,
                  struct bytes sealed, struct buffer *plain, struct error *error)
{
    struct reader reader = reader_of(sealed);
    uint8_t salt[SALT_SIZE];
    struct aead_nonce nonce;
    uint8_t version = read_u8(&reader);
    read_into(&reader, salt, sizeof(salt));
    read_into(&reader, nonce.bytes, sizeof(nonce.bytes));
    struct bytes body = read_rest(&reader);
    if (reader.failed || body.size < AEAD_TAG_SIZE || version != SEALING_VERSION)
        return error_set(error, ERROR_CORRUPT, "not sealed data of this version");
    uint8_t *target = buffer_reserve(plain, body.size - AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "no room for %zu opened bytes", body.size);
    AUTO_SECRET32 struct secret32 key;
    message_key(&key, root, space, salt);
    if (!aead_open(target, &key, &nonce, body, associated, error))
        return error_set(error, ERROR_CORRUPT, "sealed data does not open");
    plain->size += body.size - AEAD_TAG_SIZE;
    return true;
}

static bool local_seal(void *context, const char *space, struct bytes associated,
                       struct bytes plain, struct buffer *sealed, struct error *error)
{
    return sealing_seal(context, space, associated, plain, sealed, error);
}

static bool local_open(void *context, const char *space, struct bytes associated,
                       struct bytes sealed, struct buffer *plain, struct error *error)
{
    return sealing_open(context, space, associated, sealed, plain, error);
}

struct sealer sealing_local(struct secret32 *root)
{
    return (struct sealer){ root, local_seal, local_open };
}
