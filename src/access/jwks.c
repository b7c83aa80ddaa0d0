/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwks.h"
#include "base/json.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

static const char *const algorithm_names[] = {
#define ALGORITHM_NAME(name, text) text,
    JWT_ALGORITHMS(ALGORITHM_NAME)
#undef ALGORITHM_NAME
};

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
    return algorithm_names[algorithm];
}

enum jwt_algorithm jwt_algorithm_of(struct bytes name)
{
    unsigned i = 0;
    while (i < JWT_ALGORITHM_COUNT && !bytes_equal_string(name, algorithm_names[i]))
        i++;
    return (enum jwt_algorithm)i;
}

/* A string member; empty when it is absent.  Of another type: false. */
static bool text_of(const json_t *object, const char *name, struct bytes *text)
{
    const json_t *value = json_object_get(object, name);
    *text = (struct bytes){ 0 };
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return false;
    *text = bytes_of(json_string_value(value), json_string_length(value));
    return true;
}

static bool number_read(const json_t *jwk, const char *name, uint8_t *bytes, size_t capacity,
                        size_t *size)
{
    struct bytes text;
    return text_of(jwk, name, &text) && text.size > 0 &&
           base64url_decode(bytes, capacity, size, text);
}

static bool rsa_read(struct jwks_key *key, const json_t *jwk, struct error *error)
{
    if (!number_read(jwk, "n", key->modulus, sizeof(key->modulus), &key->modulus_size) ||
        !number_read(jwk, "e", key->exponent, sizeof(key->exponent), &key->exponent_size))
        return error_set(error, ERROR_INVALID, "an RSA key's n and e are base64url, n to %d bits",
                         8 * JWS_RSA_SIZE_MAX);
    return rs256_key_check(bytes_of(key->modulus, key->modulus_size),
                           bytes_of(key->exponent, key->exponent_size), error);
}

static bool point_read(struct jwks_key *key, const json_t *jwk, struct error *error)
{
    size_t x = 0, y = 0;
    if (!number_read(jwk, "x", key->p256.bytes, 32, &x) ||
        !number_read(jwk, "y", key->p256.bytes + 32, 32, &y) || x != 32 || y != 32)
        return error_set(error, ERROR_INVALID, "a P-256 key's x and y are 32 bytes, base64url");
    return ecdsa_public_check(&key->p256, error);
}

static bool edwards_read(struct jwks_key *key, const json_t *jwk, struct error *error)
{
    size_t size = 0;
    if (!number_read(jwk, "x", key->ed25519, sizeof(key->ed25519), &size) ||
        size != sizeof(key->ed25519))
        return error_set(error, ERROR_INVALID, "an Ed25519 key's x is 32 bytes, base64url");
    return ed25519_key_check(key->ed25519, error);
}

/* Which algorithm a key is for; JWT_ALGORITHM_COUNT: none of ours. */
static enum jwt_algorithm algorithm_of(struct bytes type, struct bytes curve)
{
    if (bytes_equal_string(type, "EC") && bytes_equal_string(curve, "P-256"))
        return JWT_ES256;
    if (bytes_equal_string(type, "RSA"))
        return JWT_RS256;
    if (bytes_equal_string(type, "OKP") && bytes_equal_string(curve, "Ed25519"))
        return JWT_EDDSA;
    return JWT_ALGORITHM_COUNT;
}

static bool id_read(struct jwks_key *key, struct bytes id, struct error *error)
{
    if (id.size > JWT_KEY_ID_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a kid has at most %d bytes", JWT_KEY_ID_SIZE_MAX);
    for (size_t i = 0; i < id.size; i++) {
        if (id.data[i] < 0x20 || id.data[i] > 0x7e)
            return error_set(error, ERROR_INVALID, "a kid is printable ASCII");
    }
    memcpy(key->id, id.data == NULL ? (const uint8_t *)"" : id.data, id.size);
    return true;
}

/* `key_ops`, where it is there, has "verify". */
static bool may_verify(const json_t *jwk)
{
    const json_t *operations = json_object_get(jwk, "key_ops");
    bool may = operations == NULL;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *name = json_string_value(json_array_get(operations, i));
        may = may || (name != NULL && strcmp(name, "verify") == 0);
    }
    return may;
}

/* *is_ours false: a key to pass over. */
static bool key_read(struct jwks_key *key, const json_t *jwk, bool *is_ours, struct error *error)
{
    static const char *const secret[] = { "d", "k", "p", "q", "dp", "dq", "qi", "oth" };
    struct bytes type, curve, algorithm, use, id;
    *key = (struct jwks_key){ 0 };
    if (!json_is_object(jwk) || !text_of(jwk, "kty", &type) || !text_of(jwk, "crv", &curve) ||
        !text_of(jwk, "alg", &algorithm) || !text_of(jwk, "use", &use) || !text_of(jwk, "kid", &id))
        return error_set(error, ERROR_INVALID, "a key is an object whose members are text");
    for (size_t i = 0; i < ARRAY_COUNT(secret); i++) {
        if (json_object_get(jwk, secret[i]) != NULL)
            return error_set(error, ERROR_INVALID, "a published key has a secret part (`%s`)",
                             secret[i]);
    }
    key->algorithm = algorithm_of(type, curve);
    *is_ours = key->algorithm != JWT_ALGORITHM_COUNT &&
               (use.size == 0 || bytes_equal_string(use, "sig")) && may_verify(jwk) &&
               (algorithm.size == 0 || jwt_algorithm_of(algorithm) == key->algorithm);
    if (!*is_ours)
        return true;
    if (!id_read(key, id, error))
        return false;
    if (key->algorithm == JWT_RS256)
        return rsa_read(key, jwk, error);
    return key->algorithm == JWT_ES256 ? point_read(key, jwk, error)
                                       : edwards_read(key, jwk, error);
}

static bool key_add(struct jwks *keys, const struct jwks_key *key, struct error *error)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].algorithm == key->algorithm && strcmp(keys->keys[i].id, key->id) == 0)
            return error_set(error, ERROR_INVALID, "two keys of one algorithm have the same kid");
    }
    if (keys->count == JWKS_KEY_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d keys", JWKS_KEY_COUNT_MAX);
    keys->keys[keys->count++] = *key;
    return true;
}

bool jwks_parse(struct jwks *keys, struct bytes text, struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    json_t *list;
    struct jwks_key key;
    if (text.size > JWKS_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a key set has at most %d bytes", JWKS_SIZE_MAX);
    if (!json_parse(&root, text, error) || !json_get_array(root, "keys", &list, error))
        return error_within(error, "key set");
    if (json_array_size(list) > JWKS_LIST_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "key set: more than %d keys", JWKS_LIST_COUNT_MAX);
    keys->count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        bool is_ours = false;
        if (!key_read(&key, json_array_get(list, i), &is_ours, error) ||
            (is_ours && !key_add(keys, &key, error)))
            return error_within(error, "key set: key %zu", i);
    }
    return keys->count > 0 ||
           error_set(error, ERROR_INVALID, "key set: no key for ES256, RS256 or EdDSA");
}

const struct jwks_key *jwks_find(const struct jwks *keys, enum jwt_algorithm algorithm,
                                 struct bytes id)
{
    const struct jwks_key *found = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct jwks_key *key = &keys->keys[i];
        if (key->algorithm != algorithm)
            continue;
        if (id.size > 0 && bytes_equal_string(id, key->id))
            return key;
        if (id.size == 0 && found != NULL)
            return NULL; /* which? */
        if (id.size == 0)
            found = key;
    }
    return found;
}

static bool verify(const struct jwks_key *key, struct bytes message, struct bytes value,
                   struct error *error)
{
    struct ecdsa_signature signature;
    switch (key->algorithm) {
    case JWT_ES256:
        if (value.size != sizeof(signature.bytes))
            return false;
        memcpy(signature.bytes, value.data, sizeof(signature.bytes));
        struct digest32 digest = sha256_of(message);
        return ecdsa_verify(&key->p256, &digest, &signature, error);
    case JWT_RS256:
        return rs256_verify(bytes_of(key->modulus, key->modulus_size),
                            bytes_of(key->exponent, key->exponent_size), message, value, error);
    case JWT_EDDSA:
        return ed25519_verify(key->ed25519, message, value, error);
    case JWT_ALGORITHM_COUNT:
        break;
    }
    return false;
}

bool jwks_verify(const struct jwks_key *key, struct bytes message, struct bytes signature,
                 struct error *error)
{
    struct error ignored;
    return verify(key, message, signature, &ignored) ||
           error_set(error, ERROR_UNAUTHENTICATED, "the token's signature does not hold");
}

bool discovery_parse(char uri[JWKS_URL_SIZE_MAX + 1], struct bytes text, const char *issuer,
                     struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    const char *stated, *found;
    if (text.size > JWKS_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a configuration has at most %d bytes", JWKS_SIZE_MAX);
    if (!json_parse(&root, text, error) || !json_get_string(root, "issuer", &stated, error) ||
        !json_get_string(root, "jwks_uri", &found, error))
        return error_within(error, "openid-configuration");
    if (strcmp(stated, issuer) != 0)
        return error_set(error, ERROR_UNVERIFIED,
                         "openid-configuration: it is of another issuer than was asked");
    if (strlen(found) > JWKS_URL_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "openid-configuration: jwks_uri is too long");
    memcpy(uri, found, strlen(found) + 1);
    return true;
}
