/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/function_key.h"

#include "core/hex.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"
#include "crypto/limits.h"
#include "crypto/mac.h"
#include "crypto/rfc6979.h"
#include "crypto/secp256k1.h"

#include <string.h>

#define LABEL        "s3n/function/1"
#define DERIVE_LABEL "s3n/derive/1"

enum {
    INFO_SIZE_MAX = 14 + 1 + KEYS_NAME_SIZE_MAX + 1 + 64 + 1 + 16 + 1 + KEY_PATH_SIZE_MAX + 2
};

static const struct algorithm_row {
    enum key_algorithm algorithm;
    const char *name;
} algorithms[] = {
#define ALGORITHM_ROW(number, symbol, name) { KEY_ALGORITHM_##symbol, name },
    KEY_ALGORITHMS(ALGORITHM_ROW)
#undef ALGORITHM_ROW
};

const char *key_algorithm_name(enum key_algorithm algorithm)
{
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if (algorithms[i].algorithm == algorithm)
            return algorithms[i].name;
    }
    return "?";
}

bool key_algorithm_of_number(enum key_algorithm *algorithm, uint64_t number)
{
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if ((uint64_t)algorithms[i].algorithm != number)
            continue;
        *algorithm = algorithms[i].algorithm;
        return true;
    }
    return false;
}

bool key_path_is_valid(struct bytes path)
{
    bool is_valid = path.size >= 1 && path.size <= KEY_PATH_SIZE_MAX;
    for (size_t i = 0; i < path.size && is_valid; i++) {
        uint8_t byte = path.data[i];
        is_valid = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                   (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '/' ||
                   byte == '-';
    }
    return is_valid;
}

bool key_name_check(struct bytes name, struct error *error)
{
    struct bytes algorithm = bytes_part(name, 0, bytes_find(name, ':'));
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if (bytes_equal_string(algorithm, algorithms[i].name) &&
            key_path_is_valid(bytes_part(name, algorithm.size + 1, name.size)))
            return true;
    }
    return error_set(error, ERROR_INVALID,
                     "a key is named ALGORITHM:PATH: p256, secp256k1, ed25519, x25519 (hpke_open) "
                     "or hkdf (key_derive), and 1 to %d letters, digits and . _ / -",
                     KEY_PATH_SIZE_MAX);
}

bool function_key_check(const struct key_place *place, struct error *error)
{
    enum key_algorithm known;
    if (place->application[0] == '\0' ||
        !key_algorithm_of_number(&known, (uint64_t)place->algorithm) ||
        !key_path_is_valid(bytes_of_string(place->path)))
        return error_set(error, ERROR_INVALID, "not a key of an application");
    return true;
}

static void place_write(struct writer *writer, const struct key_place *place)
{
    write_bytes(writer, BYTES_LITERAL(LABEL));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(place->application));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(hex_of_digest(&place->owner).text));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(key_algorithm_name(place->algorithm)));
    write_u8(writer, 0);
    write_bytes(writer, bytes_of_string(place->path));
}

struct digest32 function_key_digest(const struct key_place *place)
{
    uint8_t text[INFO_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    place_write(&writer, place);
    ASSERT(!writer.failed);
    return sha256_of(writer_view(&writer));
}

static bool is_scalar(enum key_algorithm algorithm, const struct secret32 *seed)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    struct error ignored;
    if (algorithm == KEY_ALGORITHM_P256)
        return ecdsa_key_import(&key, seed, &ignored);
    return algorithm != KEY_ALGORITHM_SECP256K1 || secp256k1_is_scalar(seed);
}

static void seed_derive(struct secret32 *seed, const struct secret32 *root,
                        const struct key_place *place)
{
    uint8_t text[INFO_SIZE_MAX];
    uint8_t counter = 0;
    do {
        struct writer writer = writer_into(text, sizeof(text));
        place_write(&writer, place);
        if (counter > 0) {
            write_u8(&writer, 0);
            write_u8(&writer, counter);
        }
        ASSERT(!writer.failed && counter < UINT8_MAX);
        hkdf_derive(seed, root, (struct bytes){ 0 }, writer_view(&writer));
        counter++;
    } while (!is_scalar(place->algorithm, seed));
}

static void public_set(struct key_public *key, bool is_point, struct bytes text)
{
    key->size = 0;
    if (is_point)
        key->bytes[key->size++] = 4;
    memcpy(key->bytes + key->size, text.data, text.size);
    key->size += text.size;
}

static bool public_of(struct key_public *key, enum key_algorithm algorithm,
                      const struct secret32 *seed, struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *p256 = NULL;
    struct secp256k1_public secp256k1;
    struct ed25519_public ed25519;
    struct x25519_public x25519;
    switch (algorithm) {
    case KEY_ALGORITHM_P256:
        if (!ecdsa_key_import(&p256, seed, error))
            return false;
        public_set(key, true, BYTES_OF(ecdsa_key_public(p256)->bytes));
        return true;
    case KEY_ALGORITHM_SECP256K1:
        if (!secp256k1_public_of(&secp256k1, seed, error))
            return false;
        public_set(key, true, BYTES_OF(secp256k1.bytes));
        return true;
    case KEY_ALGORITHM_ED25519:
        if (!ed25519_public_of(&ed25519, seed, error))
            return false;
        public_set(key, false, BYTES_OF(ed25519.bytes));
        return true;
    case KEY_ALGORITHM_X25519:
        if (!x25519_public_of(&x25519, seed, error))
            return false;
        public_set(key, false, BYTES_OF(x25519.bytes));
        return true;
    case KEY_ALGORITHM_HKDF:
        key->size = 0;
        return true;
    }
    ASSERT(false);
}

bool function_key_public(struct key_public *key, const struct secret32 *root,
                         const struct key_place *place, struct error *error)
{
    AUTO_SECRET32 struct secret32 seed;
    if (!function_key_check(place, error))
        return false;
    seed_derive(&seed, root, place);
    return public_of(key, place->algorithm, &seed, error);
}

static bool p256_sign(struct buffer *signature, const struct secret32 *seed,
                      const struct digest32 *digest, struct error *error)
{
    struct ecdsa_signature made;
    if (!rfc6979_sign(&made, seed, digest, error))
        return false;
    buffer_append(signature, BYTES_OF(made.bytes));
    return true;
}

static bool secp256k1_sign_append(struct buffer *signature, const struct secret32 *seed,
                                  const struct digest32 *digest, struct error *error)
{
    struct secp256k1_signature made;
    if (!secp256k1_sign(&made, seed, digest, error))
        return false;
    buffer_append(signature, BYTES_OF(made.bytes));
    buffer_append(signature, bytes_of(&made.recovery, 1));
    return true;
}

static bool ed25519_sign_append(struct buffer *signature, const struct secret32 *seed,
                                struct bytes message, struct error *error)
{
    struct ed25519_signature made;
    if (!ed25519_sign(&made, seed, message, error))
        return false;
    buffer_append(signature, BYTES_OF(made.bytes));
    return true;
}

bool function_key_sign(struct buffer *signature, const struct secret32 *root,
                       const struct key_place *place, bool is_digest, struct bytes message,
                       struct error *error)
{
    AUTO_SECRET32 struct secret32 seed;
    struct digest32 digest;
    bool has_digest =
        place->algorithm == KEY_ALGORITHM_P256 || place->algorithm == KEY_ALGORITHM_SECP256K1;
    if (!function_key_check(place, error))
        return false;
    if (!has_digest && place->algorithm != KEY_ALGORITHM_ED25519)
        return error_set(error, ERROR_UNSUPPORTED, "a key of %s signs nothing",
                         key_algorithm_name(place->algorithm));
    if (is_digest && !has_digest)
        return error_set(error, ERROR_UNSUPPORTED, "a key of %s signs no digests",
                         key_algorithm_name(place->algorithm));
    if (is_digest && message.size != sizeof(digest.bytes))
        return error_set(error, ERROR_INVALID, "a digest has %zu bytes", sizeof(digest.bytes));
    seed_derive(&seed, root, place);
    if (!has_digest)
        return ed25519_sign_append(signature, &seed, message, error);
    if (is_digest)
        memcpy(digest.bytes, message.data, sizeof(digest.bytes));
    else
        digest = sha256_of(message);
    return place->algorithm == KEY_ALGORITHM_P256
               ? p256_sign(signature, &seed, &digest, error)
               : secp256k1_sign_append(signature, &seed, &digest, error);
}

bool function_key_derive(struct buffer *derived, const struct secret32 *root,
                         const struct key_place *place, size_t size, struct error *error)
{
    AUTO_SECRET32 struct secret32 seed;
    if (!function_key_check(place, error))
        return false;
    if (place->algorithm != KEY_ALGORITHM_HKDF)
        return error_set(error, ERROR_UNSUPPORTED, "only keys of hkdf give bytes");
    if (size < 1 || size > KEY_DERIVED_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "1 to %d bytes can be derived",
                         KEY_DERIVED_SIZE_MAX);
    uint8_t *target = buffer_reserve(derived, size);
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a key");
    seed_derive(&seed, root, place);
    struct digest32 key;
    memcpy(key.bytes, seed.bytes, sizeof(key.bytes));
    hkdf_expand_sha256(target, size, &key, BYTES_LITERAL(DERIVE_LABEL));
    secret_wipe(&key, sizeof(key));
    derived->size += size;
    return true;
}

bool function_key_open(struct buffer *plain, const struct secret32 *root,
                       const struct key_place *place, const struct key_sealed *sealed,
                       struct error *error)
{
    AUTO_SECRET32 struct secret32 seed;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = sealed->info };
    struct x25519_public encapsulated;
    struct error hidden;
    if (!function_key_check(place, error))
        return false;
    if (place->algorithm != KEY_ALGORITHM_X25519)
        return error_set(error, ERROR_UNSUPPORTED, "only keys of x25519 open anything");
    if (sealed->encapsulated.size != sizeof(encapsulated.bytes) ||
        sealed->text.size < AEAD_TAG_SIZE || sealed->info.size > HPKE_INFO_SIZE_MAX)
        return error_set(error, ERROR_INVALID,
                         "an encapsulated key has 32 bytes, a text 16 or more, info up to %d",
                         HPKE_INFO_SIZE_MAX);
    memcpy(encapsulated.bytes, sealed->encapsulated.data, sizeof(encapsulated.bytes));
    uint8_t *target = buffer_reserve(plain, sealed->text.size);
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for what was sealed");
    seed_derive(&seed, root, place);
    if (!hpke_setup_recipient(&context, &setup, &encapsulated, &seed, &hidden) ||
        !hpke_open(&context, target, sealed->text, sealed->associated, &hidden))
        return error_set(error, ERROR_UNVERIFIED, "it does not open with this key");
    plain->size += sealed->text.size - AEAD_TAG_SIZE;
    return true;
}
