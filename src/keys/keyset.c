/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keyset.h"

#include "core/hex.h"
#include "core/json_reader.h"
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

/* "none" is no register; whatever else there is, evidence shows under this name. */
static bool is_register(const char *name)
{
    size_t size = strnlen(name, KEYS_REGISTER_SIZE_MAX + 1);
    return size > 0 && size <= KEYS_REGISTER_SIZE_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == size;
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
    if (keyset->events.count > (uint64_t)KEYS_NUMBER_MAX ||
        (keyset->events.count > 0 && !is_register(keyset->events.event_register)))
        return error_set(error, ERROR_INVALID, "keyset: not the state of an event log");
    if (!ecdsa_public_check(&keyset->receipt_key, error) ||
        !ecdsa_public_check(&keyset->tls_key, error))
        return error_within(error, "keyset");
    return true;
}

static void append_events(struct buffer *text, const struct keyset_events *events)
{
    char head[2 * sizeof(events->head.bytes) + 1];
    if (events->count == 0)
        return;
    hex_encode(head, BYTES_OF(events->head.bytes));
    buffer_format(text, ",\"events\":{\"count\":%llu,\"head\":\"%s\",\"register\":\"%s\"}",
                  (unsigned long long)events->count, head, events->event_register);
}

bool keyset_write(struct buffer *text, const struct keyset *keyset, struct error *error)
{
    if (!keyset_check(keyset, error))
        return false;
    struct digest32 spki = ecdsa_public_id(&keyset->tls_key);
    buffer_append_string(text, "{\"encryption_key\":{\"crv\":\"X25519\",\"kty\":\"OKP\",\"x\":\"");
    base64url_append(text, BYTES_OF(keyset->encryption_key.bytes));
    buffer_append_string(text, "\"}");
    append_events(text, &keyset->events);
    buffer_format(text,
                  ",\"node\":\"%s\",\"not_after\":%lld,\"not_before\":%lld,\"platform\":\"%s\","
                  "\"receipt_key\":",
                  keyset->node, (long long)keyset->validity.not_after_s,
                  (long long)keyset->validity.not_before_s, keyset->platform);
    append_jwk(text, &keyset->receipt_key);
    buffer_append_string(text, ",\"s3n_keyset\":1,\"tls_key\":");
    append_jwk(text, &keyset->tls_key);
    buffer_format(text, ",\"tls_spki\":\"%s\"}", hex_of_digest(&spki).text);
    return !text->failed || error_set(error, ERROR_NO_MEMORY, "no room for a keyset");
}

/* Text that is longer than there is room for, or no text, fails the reader. */
static void read_text(struct json_reader *json, char *target, size_t size)
{
    size_t used = 0;
    if (!json_text_decode(json_read_string(json), target, size - 1, &used))
        json_reader_fail(json);
    target[used] = '\0';
}

static void read_number(struct json_reader *json, uint8_t *target, size_t size)
{
    char text[64];
    size_t used = 0;
    read_text(json, text, sizeof(text));
    if (!base64url_decode(target, size, &used, bytes_of_string(text)) || used != size)
        json_reader_fail(json);
}

/* A key's coordinates; what else a JWK says is settled by the canonical form. */
static void read_key(struct json_reader *json, uint8_t *x, uint8_t *y)
{
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "x"))
            read_number(json, x, 32);
        else if (y != NULL && json_text_equal(name, "y"))
            read_number(json, y, 32);
        else
            json_skip(json);
    }
}

static void read_events(struct json_reader *json, struct keyset_events *events)
{
    char head[2 * sizeof(events->head.bytes) + 1] = "";
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "count"))
            events->count = (uint64_t)json_read_integer(json, 1, KEYS_NUMBER_MAX);
        else if (json_text_equal(name, "head"))
            read_text(json, head, sizeof(head));
        else if (json_text_equal(name, "register"))
            read_text(json, events->event_register, sizeof(events->event_register));
        else
            json_skip(json);
    }
    if (!hex_decode(events->head.bytes, sizeof(events->head.bytes), bytes_of_string(head)))
        json_reader_fail(json);
}

static void read_member(struct keyset *keyset, struct json_reader *json, struct json_text name)
{
    if (json_text_equal(name, "node"))
        read_text(json, keyset->node, sizeof(keyset->node));
    else if (json_text_equal(name, "platform"))
        read_text(json, keyset->platform, sizeof(keyset->platform));
    else if (json_text_equal(name, "not_before"))
        keyset->validity.not_before_s = json_read_integer(json, 0, KEYS_NUMBER_MAX);
    else if (json_text_equal(name, "not_after"))
        keyset->validity.not_after_s = json_read_integer(json, 0, KEYS_NUMBER_MAX);
    else if (json_text_equal(name, "encryption_key"))
        read_key(json, keyset->encryption_key.bytes, NULL);
    else if (json_text_equal(name, "events"))
        read_events(json, &keyset->events);
    else if (json_text_equal(name, "receipt_key"))
        read_key(json, keyset->receipt_key.bytes, keyset->receipt_key.bytes + 32);
    else if (json_text_equal(name, "tls_key"))
        read_key(json, keyset->tls_key.bytes, keyset->tls_key.bytes + 32);
    else
        json_skip(json);
}

bool keyset_parse(struct keyset *keyset, struct bytes text, struct error *error)
{
    if (text.size > KEYSET_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "keyset: more than %d bytes", KEYSET_SIZE_MAX);
    struct keyset parsed = { 0 };
    struct json_reader json;
    struct json_text name;
    json_reader_init(&json, text);
    json_enter_object(&json);
    while (json_next_member(&json, &name))
        read_member(&parsed, &json, name);
    if (!json_read_end(&json))
        return error_set(error, ERROR_INVALID, "keyset: not the JSON of a keyset");
    /* What was missing breaks a rule or the canonical form. */
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
