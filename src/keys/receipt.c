/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/receipt.h"

#include "base/json.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "keys/receipt_uses.h"

#include <stdio.h>
#include <string.h>

/* The header never varies, so it is compared and never parsed:
 * {"alg":"ES256","typ":"s3n-receipt+jwt"} in base64url, with the dot behind it. */
#define HEADER_TEXT "{\"alg\":\"ES256\",\"typ\":\"s3n-receipt+jwt\"}"

static const char *const backend_names[] = {
    [RECEIPT_BACKEND_KVM] = "kvm", [RECEIPT_BACKEND_PROCESS] = "process"
};
static const char *const trigger_names[] = {
    [RECEIPT_TRIGGER_CALL] = "call", [RECEIPT_TRIGGER_HTTP] = "http"
};
static const char *const status_names[] = {
    [RECEIPT_STATUS_DONE] = "done",   [RECEIPT_STATUS_EXIT] = "exit",
    [RECEIPT_STATUS_TRAP] = "trap",   [RECEIPT_STATUS_TIMEOUT] = "timeout",
    [RECEIPT_STATUS_LIMIT] = "limit", [RECEIPT_STATUS_CRASHED] = "crashed",
};

const char *receipt_backend_name(enum receipt_backend backend)
{
    return backend_names[backend];
}

bool receipt_backend_of_name(enum receipt_backend *backend, const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(backend_names); i++) {
        if (strcmp(backend_names[i], name) != 0)
            continue;
        *backend = (enum receipt_backend)i;
        return true;
    }
    return false;
}

const char *receipt_trigger_name(enum receipt_trigger kind)
{
    return trigger_names[kind];
}

const char *receipt_status_name(enum receipt_status status)
{
    return status_names[status];
}

#define IS_NAME(array) is_name((array), sizeof(array))
static bool is_name(const char *name, size_t capacity)
{
    size_t size = strnlen(name, capacity);
    return size > 0 && size < capacity &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+") ==
               size;
}

/* A reason for people: lower-case words. */
static bool is_phrase(const char *text)
{
    size_t size = strnlen(text, KEYS_NAME_SIZE_MAX + 1);
    return size > 0 && size <= KEYS_NAME_SIZE_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789- ") == size;
}

/* What stands in a request line unescaped, less the two characters that JSON escapes. */
static bool is_route(const char *route)
{
    size_t size = strnlen(route, KEYS_ROUTE_SIZE_MAX + 1);
    if (size == 0 || size > KEYS_ROUTE_SIZE_MAX || route[0] != '/')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (route[i] <= 0x20 || route[i] >= 0x7f || route[i] == '"' || route[i] == '\\')
            return false;
    }
    return true;
}

/* Signers once each, ascending: one text for one set. */
static bool release_is_valid(const struct receipt *receipt)
{
    const struct digest32 *signers = receipt->release.signers;
    size_t count = receipt->release.signer_count;
    if (!receipt->release.is_known)
        return true;
    if (count > RELEASE_SIGNER_COUNT_MAX || receipt->release.number > KEYS_NUMBER_MAX)
        return false;
    for (size_t i = 1; i < count; i++) {
        if (memcmp(signers[i - 1].bytes, signers[i].bytes, sizeof(signers[i].bytes)) >= 0)
            return false;
    }
    return true;
}

static bool receipt_check(const struct receipt *receipt, struct error *error)
{
    const char *wrong = NULL;
    if (!IS_NAME(receipt->node) || !IS_NAME(receipt->platform))
        wrong = "node or platform";
    else if (!IS_NAME(receipt->id) || !IS_NAME(receipt->trigger.request_id))
        wrong = "invocation or request id";
    else if (!IS_NAME(receipt->application) || !IS_NAME(receipt->application_version) ||
             !IS_NAME(receipt->function))
        wrong = "application, version or function";
    else if (receipt->trigger.kind == RECEIPT_TRIGGER_HTTP && !is_route(receipt->trigger.route))
        wrong = "route";
    else if (receipt->outcome.status == RECEIPT_STATUS_TRAP && !is_phrase(receipt->outcome.trap))
        wrong = "trap's reason";
    else if (receipt->issued_at_s < 0 || receipt->issued_at_s > KEYS_NUMBER_MAX)
        wrong = "time";
    else if (receipt->sequence > KEYS_NUMBER_MAX || receipt->usage.duration_us > KEYS_NUMBER_MAX ||
             receipt->usage.memory_bytes > KEYS_NUMBER_MAX || receipt->usage.fuel > KEYS_NUMBER_MAX)
        wrong = "number";
    else if (!release_is_valid(receipt))
        wrong = "release";
    else if (receipt->outcome.status == RECEIPT_STATUS_EXIT &&
             (receipt->outcome.exit_code == 0 || receipt->outcome.exit_code > KEYS_NUMBER_MAX ||
              receipt->outcome.exit_code < -KEYS_NUMBER_MAX))
        wrong = "exit code";
    else if (!receipt_uses_are_good(receipt))
        wrong = "use";
    if (wrong != NULL)
        return error_set(error, ERROR_INVALID, "receipt: %s out of bounds", wrong);
    return true;
}

struct digest32 receipt_version(const struct receipt *receipt)
{
    char text[512];
    int size = snprintf(text, sizeof(text),
                        "{\"application\":\"%s\",\"code\":\"%s\",\"function\":\"%s\","
                        "\"manifest\":\"%s\",\"purpose\":\"s3n/function-version/1\"}",
                        receipt->application, hex_of_digest(&receipt->code).text, receipt->function,
                        hex_of_digest(&receipt->manifest).text);
    ASSERT(size > 0 && (size_t)size < sizeof(text));
    return sha256_of(bytes_of(text, (size_t)size));
}

static void append_digest(struct buffer *text, const char *name, const struct digest32 *digest)
{
    buffer_format(text, ",\"%s\":\"%s\"", name, hex_of_digest(digest).text);
}

static void append_release(struct buffer *text, const struct receipt *receipt)
{
    if (!receipt->release.is_known)
        return;
    buffer_format(text, ",\"release\":{\"number\":%llu,\"signers\":[",
                  (unsigned long long)receipt->release.number);
    for (size_t i = 0; i < receipt->release.signer_count; i++)
        buffer_format(text, "%s\"%s\"", i == 0 ? "" : ",",
                      hex_of_digest(&receipt->release.signers[i]).text);
    buffer_format(text, "],\"version\":\"%s\"}", hex_of_digest(&receipt->release.version).text);
}

static void append_outcome(struct buffer *text, const struct receipt *receipt)
{
    buffer_append_string(text, ",\"outcome\":{");
    if (receipt->outcome.status == RECEIPT_STATUS_EXIT)
        buffer_format(text, "\"exit_code\":%lld,", (long long)receipt->outcome.exit_code);
    if (receipt->outcome.status == RECEIPT_STATUS_TRAP && receipt->outcome.has_function_index)
        buffer_format(text, "\"function_index\":%u,", receipt->outcome.function_index);
    buffer_format(text, "\"status\":\"%s\"", receipt_status_name(receipt->outcome.status));
    if (receipt->outcome.status == RECEIPT_STATUS_TRAP)
        buffer_format(text, ",\"trap\":\"%s\"", receipt->outcome.trap);
    buffer_append_string(text, "}");
}

static void append_trigger(struct buffer *text, const struct receipt *receipt)
{
    buffer_format(text, ",\"trigger\":{\"kind\":\"%s\",\"request_id\":\"%s\"",
                  receipt_trigger_name(receipt->trigger.kind), receipt->trigger.request_id);
    if (receipt->trigger.kind == RECEIPT_TRIGGER_HTTP)
        buffer_format(text, ",\"route\":\"%s\"", receipt->trigger.route);
    buffer_append_string(text, receipt->trigger.is_sealed ? ",\"sealed\":true}" : "}");
}

/* In the order of RFC 8785; no value needs an escape, receipt_check saw to that. */
bool receipt_claims(struct buffer *text, const struct receipt *receipt, struct error *error)
{
    if (!receipt_check(receipt, error))
        return false;
    buffer_format(text, "{\"application\":\"%s\",\"application_version\":\"%s\"",
                  receipt->application, receipt->application_version);
    buffer_format(text, ",\"backend\":\"%s\"", receipt_backend_name(receipt->backend));
    append_digest(text, "code_digest", &receipt->code);
    if (receipt->is_native)
        buffer_append_string(text, ",\"code_kind\":\"native\"");
    if (receipt->has_nonce) {
        char digits[65];
        hex_encode(digits, BYTES_OF(receipt->nonce.bytes));
        buffer_format(text, ",\"eat_nonce\":\"%s\"", digits);
    }
    buffer_format(text, ",\"eat_profile\":\"%s\",\"function\":\"%s\",\"iat\":%lld", RECEIPT_PROFILE,
                  receipt->function, (long long)receipt->issued_at_s);
    append_digest(text, "image_digest", &receipt->image);
    buffer_format(text, ",\"iss\":\"%s\",\"jti\":\"%s\"", receipt->node, receipt->id);
    append_digest(text, "keyset_digest", &receipt->keyset);
    append_digest(text, "manifest_digest", &receipt->manifest);
    append_outcome(text, receipt);
    buffer_format(text, ",\"platform\":\"%s\"", receipt->platform);
    append_release(text, receipt);
    append_digest(text, "request_digest", &receipt->request);
    append_digest(text, "response_digest", &receipt->response);
    buffer_format(text, ",\"sequence\":%llu", (unsigned long long)receipt->sequence);
    append_trigger(text, receipt);
    buffer_format(text, ",\"usage\":{\"duration_us\":%llu",
                  (unsigned long long)receipt->usage.duration_us);
    if (receipt->usage.has_fuel)
        buffer_format(text, ",\"fuel\":%llu", (unsigned long long)receipt->usage.fuel);
    buffer_format(text, ",\"memory_bytes\":%llu}", (unsigned long long)receipt->usage.memory_bytes);
    receipt_uses_append(text, receipt);
    struct digest32 version = receipt_version(receipt);
    append_digest(text, "version_digest", &version);
    buffer_append_string(text, "}");
    return !text->failed || error_set(error, ERROR_NO_MEMORY, "no room for a receipt");
}

bool receipt_issue(struct buffer *text, const struct receipt *receipt, const struct ecdsa_key *key,
                   struct error *error)
{
    AUTO_BUFFER struct buffer claims;
    AUTO_BUFFER struct buffer signed_text;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    buffer_init(&signed_text, RECEIPT_SIZE_MAX);
    if (!receipt_claims(&claims, receipt, error))
        return false;
    base64url_append(&signed_text, BYTES_LITERAL(HEADER_TEXT));
    buffer_append_string(&signed_text, ".");
    base64url_append(&signed_text, buffer_view(&claims));
    struct digest32 digest = sha256_of(buffer_view(&signed_text));
    struct ecdsa_signature signature;
    if (!ecdsa_sign(&signature, key, &digest, error))
        return error_within(error, "sign a receipt");
    buffer_append_string(&signed_text, ".");
    base64url_append(&signed_text, BYTES_OF(signature.bytes));
    buffer_append(text, buffer_view(&signed_text));
    if (signed_text.failed || text->failed)
        return error_set(error, ERROR_NO_MEMORY, "no room for a receipt");
    return true;
}

static bool get_name(char *name, size_t size, const json_t *json, const char *key,
                     struct error *error)
{
    const char *value;
    if (!json_get_string(json, key, &value, error))
        return false;
    if (strlen(value) >= size)
        return error_set(error, ERROR_INVALID, "%s is too long", key);
    memcpy(name, value, strlen(value) + 1);
    return true;
}

static bool get_digest(struct digest32 *digest, const json_t *json, const char *key,
                       struct error *error)
{
    return json_get_hex(json, key, digest->bytes, sizeof(digest->bytes), error);
}

static bool get_count(uint64_t *count, const json_t *json, const char *key, struct error *error)
{
    int64_t value;
    if (!json_get_integer(json, key, 0, KEYS_NUMBER_MAX, &value, error))
        return false;
    *count = (uint64_t)value;
    return true;
}

static bool get_choice(unsigned *choice, const json_t *json, const char *key,
                       const char *const *names, size_t count, struct error *error)
{
    const char *value;
    if (!json_get_string(json, key, &value, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], value) == 0) {
            *choice = (unsigned)i;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "%s is none of those known", key);
}

static bool get_outcome(struct receipt *receipt, const json_t *claims, struct error *error)
{
    json_t *json;
    unsigned status = 0;
    if (!json_get_object(claims, "outcome", &json, error) ||
        !get_choice(&status, json, "status", status_names, ARRAY_COUNT(status_names), error))
        return false;
    receipt->outcome.status = (enum receipt_status)status;
    if (receipt->outcome.status == RECEIPT_STATUS_EXIT)
        return json_get_integer(json, "exit_code", -KEYS_NUMBER_MAX, KEYS_NUMBER_MAX,
                                &receipt->outcome.exit_code, error);
    if (receipt->outcome.status != RECEIPT_STATUS_TRAP)
        return true;
    receipt->outcome.has_function_index = json_object_get(json, "function_index") != NULL;
    int64_t index = 0;
    if (receipt->outcome.has_function_index &&
        !json_get_integer(json, "function_index", 0, UINT32_MAX, &index, error))
        return false;
    receipt->outcome.function_index = (uint32_t)index;
    return get_name(receipt->outcome.trap, sizeof(receipt->outcome.trap), json, "trap", error);
}

static bool get_trigger_and_usage(struct receipt *receipt, const json_t *claims,
                                  struct error *error)
{
    json_t *trigger, *usage;
    unsigned kind = 0;
    if (!json_get_object(claims, "trigger", &trigger, error) ||
        !get_choice(&kind, trigger, "kind", trigger_names, ARRAY_COUNT(trigger_names), error) ||
        !get_name(receipt->trigger.request_id, sizeof(receipt->trigger.request_id), trigger,
                  "request_id", error) ||
        !json_get_object(claims, "usage", &usage, error) ||
        !get_count(&receipt->usage.duration_us, usage, "duration_us", error) ||
        !get_count(&receipt->usage.memory_bytes, usage, "memory_bytes", error))
        return false;
    receipt->usage.has_fuel = json_object_get(usage, "fuel") != NULL;
    if (receipt->usage.has_fuel && !get_count(&receipt->usage.fuel, usage, "fuel", error))
        return false;
    receipt->trigger.kind = (enum receipt_trigger)kind;
    /* a plain one has no such member, so false is not canonical */
    receipt->trigger.is_sealed = json_is_true(json_object_get(trigger, "sealed"));
    return receipt->trigger.kind != RECEIPT_TRIGGER_HTTP ||
           get_name(receipt->trigger.route, sizeof(receipt->trigger.route), trigger, "route",
                    error);
}

static bool get_backend(struct receipt *receipt, const json_t *claims, struct error *error)
{
    unsigned backend = 0;
    if (!get_choice(&backend, claims, "backend", backend_names, ARRAY_COUNT(backend_names), error))
        return false;
    receipt->backend = (enum receipt_backend)backend;
    return true;
}

static bool get_release(struct receipt *receipt, const json_t *claims, struct error *error)
{
    json_t *json, *signers;
    receipt->release.is_known = json_object_get(claims, "release") != NULL;
    if (!receipt->release.is_known)
        return true;
    if (!json_get_object(claims, "release", &json, error) ||
        !get_count(&receipt->release.number, json, "number", error) ||
        !get_digest(&receipt->release.version, json, "version", error) ||
        !json_get_array(json, "signers", &signers, error))
        return false;
    if (json_array_size(signers) > RELEASE_SIGNER_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "too many signers");
    for (size_t i = 0; i < json_array_size(signers); i++) {
        const char *hex = json_string_value(json_array_get(signers, i));
        struct digest32 *signer = &receipt->release.signers[receipt->release.signer_count++];
        if (hex == NULL || !hex_decode(signer->bytes, sizeof(signer->bytes), bytes_of_string(hex)))
            return error_set(error, ERROR_INVALID, "signers: not digests");
    }
    return true;
}

static bool get_claims(struct receipt *receipt, const json_t *json, struct error *error)
{
    receipt->has_nonce = json_object_get(json, "eat_nonce") != NULL;
    if (receipt->has_nonce &&
        !json_get_hex(json, "eat_nonce", receipt->nonce.bytes, sizeof(receipt->nonce.bytes), error))
        return false;
    /* The canonical form below admits no other value. */
    receipt->is_native = json_object_get(json, "code_kind") != NULL;
    return get_name(receipt->application, sizeof(receipt->application), json, "application",
                    error) &&
           get_name(receipt->application_version, sizeof(receipt->application_version), json,
                    "application_version", error) &&
           get_name(receipt->function, sizeof(receipt->function), json, "function", error) &&
           get_name(receipt->node, sizeof(receipt->node), json, "iss", error) &&
           get_name(receipt->platform, sizeof(receipt->platform), json, "platform", error) &&
           get_name(receipt->id, sizeof(receipt->id), json, "jti", error) &&
           get_digest(&receipt->code, json, "code_digest", error) &&
           get_digest(&receipt->image, json, "image_digest", error) &&
           get_digest(&receipt->keyset, json, "keyset_digest", error) &&
           get_digest(&receipt->manifest, json, "manifest_digest", error) &&
           get_digest(&receipt->request, json, "request_digest", error) &&
           get_digest(&receipt->response, json, "response_digest", error) &&
           json_get_integer(json, "iat", 0, KEYS_NUMBER_MAX, &receipt->issued_at_s, error) &&
           get_count(&receipt->sequence, json, "sequence", error) &&
           get_backend(receipt, json, error) && get_release(receipt, json, error) &&
           get_outcome(receipt, json, error) && get_trigger_and_usage(receipt, json, error) &&
           receipt_uses_get(receipt, json, error);
}

/* A JWS but for its claims. */
struct receipt_parts {
    struct bytes signed_part;
    struct ecdsa_signature signature;
};

static bool parts_split(struct receipt_parts *parts, struct buffer *claims, struct bytes text,
                        struct error *error)
{
    char header[128];
    ASSERT(base64url_text_size(sizeof(HEADER_TEXT)) < sizeof(header) - 1);
    base64url_encode(header, BYTES_LITERAL(HEADER_TEXT));
    memcpy(header + strlen(header), ".", 2);
    struct bytes start = bytes_of_string(header);
    if (text.size > RECEIPT_SIZE_MAX || !bytes_starts_with(text, start))
        return error_set(error, ERROR_INVALID, "not a receipt of S3N");
    struct bytes rest = bytes_part(text, start.size, text.size);
    size_t dot = bytes_find(rest, '.');
    size_t size;
    struct bytes signature = bytes_part(rest, dot + 1, rest.size);
    if (dot == rest.size ||
        !base64url_decode(parts->signature.bytes, sizeof(parts->signature.bytes), &size,
                          signature) ||
        size != sizeof(parts->signature.bytes))
        return error_set(error, ERROR_INVALID, "receipt: not a signature of 64 bytes");
    uint8_t *target = buffer_reserve(claims, RECEIPT_CLAIMS_SIZE_MAX);
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a receipt");
    if (!base64url_decode(target, RECEIPT_CLAIMS_SIZE_MAX, &size, bytes_part(rest, 0, dot)))
        return error_set(error, ERROR_INVALID, "receipt: claims are not base64url");
    claims->size = size;
    parts->signed_part = bytes_part(text, 0, start.size + dot);
    return true;
}

static bool claims_parse(struct receipt *receipt, struct bytes claims, struct error *error)
{
    AUTO_JSON json_t *json = NULL;
    if (!json_parse(&json, claims, error) || !get_claims(receipt, json, error)) {
        error->code = ERROR_INVALID;
        return error_within(error, "receipt");
    }
    AUTO_BUFFER struct buffer written;
    buffer_init(&written, RECEIPT_CLAIMS_SIZE_MAX);
    if (!receipt_claims(&written, receipt, error))
        return false;
    if (!bytes_equal(buffer_view(&written), claims))
        return error_set(error, ERROR_INVALID, "receipt: claims are not in their canonical form");
    return true;
}

static bool receipt_read(struct receipt *receipt, struct bytes text, const struct ecdsa_public *key,
                         struct error *error)
{
    struct receipt_parts parts;
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    struct receipt parsed = { 0 };
    if (!parts_split(&parts, &claims, text, error))
        return false;
    struct digest32 digest = sha256_of(parts.signed_part);
    if (key != NULL && !ecdsa_verify(key, &digest, &parts.signature, error))
        return error_set(error, ERROR_UNVERIFIED, "receipt: wrong signature");
    if (!claims_parse(&parsed, buffer_view(&claims), error))
        return false;
    *receipt = parsed;
    return true;
}

bool receipt_parse(struct receipt *receipt, struct bytes text, struct error *error)
{
    return receipt_read(receipt, text, NULL, error);
}

bool receipt_verify(struct receipt *receipt, struct bytes text, const struct ecdsa_public *key,
                    struct error *error)
{
    return receipt_read(receipt, text, key, error);
}
