/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keyset.h"

#include "base/json.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <stdio.h>
#include <string.h>

static bool is_node(const char *node)
{
    size_t size = strnlen(node, KEYS_NODE_SIZE + 1);
    return size == KEYS_NODE_SIZE && strspn(node, "0123456789abcdef") == size;
}

static bool is_platform(const char *platform)
{
    size_t size = strnlen(platform, KEYS_PLATFORM_SIZE_MAX + 1);
    return size > 0 && size <= KEYS_PLATFORM_SIZE_MAX &&
           strspn(platform, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static void append_jwk(struct buffer *text, const struct ecdsa_public *key)
{
    buffer_append_string(text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    base64url_append(text, bytes_of(key->bytes, 32));
    buffer_append_string(text, "\",\"y\":\"");
    base64url_append(text, bytes_of(key->bytes + 32, 32));
    buffer_append_string(text, "\"}");
}

static bool keyset_check(const struct keyset *keyset, struct error *error)
{
    if (!is_node(keyset->node) || !is_platform(keyset->platform))
        return error_set(error, ERROR_INVALID, "keyset: not a node's id or a platform's name");
    if (keyset->validity.not_before_s < 0 ||
        keyset->validity.not_after_s <= keyset->validity.not_before_s ||
        keyset->validity.not_after_s > KEYS_NUMBER_MAX ||
        keyset->validity.not_after_s - keyset->validity.not_before_s > KEYSET_VALIDITY_MAX_S)
        return error_set(error, ERROR_INVALID, "keyset: valid for at most %d seconds",
                         KEYSET_VALIDITY_MAX_S);
    if (!ecdsa_public_check(&keyset->receipt_key, error) ||
        !ecdsa_public_check(&keyset->tls_key, error))
        return error_within(error, "keyset");
    return true;
}

bool keyset_write(struct buffer *text, const struct keyset *keyset, struct error *error)
{
    if (!keyset_check(keyset, error))
        return false;
    struct digest32 spki = ecdsa_public_id(&keyset->tls_key);
    buffer_append_string(text, "{\"encryption_key\":{\"crv\":\"X25519\",\"kty\":\"OKP\",\"x\":\"");
    base64url_append(text, BYTES_OF(keyset->encryption_key.bytes));
    buffer_format(text,
                  "\"},\"node\":\"%s\",\"not_after\":%lld,\"not_before\":%lld,\"platform\":\"%s\","
                  "\"receipt_key\":",
                  keyset->node, (long long)keyset->validity.not_after_s,
                  (long long)keyset->validity.not_before_s, keyset->platform);
    append_jwk(text, &keyset->receipt_key);
    buffer_append_string(text, ",\"s3n_keyset\":1,\"tls_key\":");
    append_jwk(text, &keyset->tls_key);
    buffer_format(text, ",\"tls_spki\":\"%s\"}", hex_of_digest(&spki).text);
    return !text->failed || error_set(error, ERROR_NO_MEMORY, "no room for a keyset");
}

static bool get_encryption_key(struct keyset *keyset, const json_t *json, struct error *error)
{
    json_t *key;
    const char *x;
    size_t size;
    if (!json_get_object(json, "encryption_key", &key, error) ||
        !json_get_string(key, "x", &x, error))
        return false;
    if (!base64url_decode(keyset->encryption_key.bytes, sizeof(keyset->encryption_key.bytes), &size,
                          bytes_of_string(x)) ||
        size != sizeof(keyset->encryption_key.bytes))
        return error_set(error, ERROR_INVALID, "not an X25519 key");
    return true;
}

static bool get_key(struct ecdsa_public *key, const json_t *json, const char *name,
                    struct error *error)
{
    json_t *jwk;
    return json_get_object(json, name, &jwk, error) && ecdsa_public_from_jwk(key, jwk, error);
}

static bool get_text(char *text, size_t size, const json_t *json, const char *name,
                     struct error *error)
{
    const char *value;
    if (!json_get_string(json, name, &value, error))
        return false;
    if (strlen(value) >= size)
        return error_set(error, ERROR_INVALID, "%s is too long", name);
    memcpy(text, value, strlen(value) + 1);
    return true;
}

bool keyset_parse(struct keyset *keyset, struct bytes text, struct error *error)
{
    if (text.size > KEYSET_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "keyset: more than %d bytes", KEYSET_SIZE_MAX);
    struct keyset parsed = { 0 };
    AUTO_JSON json_t *json = NULL;
    if (!json_parse(&json, text, error) ||
        !get_text(parsed.node, sizeof(parsed.node), json, "node", error) ||
        !get_text(parsed.platform, sizeof(parsed.platform), json, "platform", error) ||
        !json_get_integer(json, "not_before", 0, KEYS_NUMBER_MAX, &parsed.validity.not_before_s,
                          error) ||
        !json_get_integer(json, "not_after", 0, KEYS_NUMBER_MAX, &parsed.validity.not_after_s,
                          error) ||
        !get_encryption_key(&parsed, json, error) ||
        !get_key(&parsed.receipt_key, json, "receipt_key", error) ||
        !get_key(&parsed.tls_key, json, "tls_key", error)) {
        error->code = ERROR_INVALID;
        return error_within(error, "keyset");
    }
    AUTO_BUFFER struct buffer written;
    buffer_init(&written, KEYSET_SIZE_MAX);
    if (!keyset_write(&written, &parsed, error))
        return false;
    if (!bytes_equal(buffer_view(&written), text))
        return error_set(error, ERROR_INVALID, "keyset: not in its canonical form");
    *keyset = parsed;
    return true;
}

struct digest32 keyset_digest(struct bytes text)
{
    return sha256_of(text);
}

struct digest64 report_data_of(const struct digest32 *keyset, const struct nonce32 *nonce)
{
    char digits[65];
    char statement[256];
    hex_encode(digits, BYTES_OF(nonce->bytes));
    int size = snprintf(statement, sizeof(statement),
                        "{\"keyset\":\"%s\",\"nonce\":\"%s\",\"purpose\":\"s3n/keyset/1\"}",
                        hex_of_digest(keyset).text, digits);
    ASSERT(size > 0 && (size_t)size < sizeof(statement));
    return sha512_of(bytes_of(statement, (size_t)size));
}
