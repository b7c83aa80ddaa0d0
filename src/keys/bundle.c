/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/bundle.h"

#include "attest/attest.h"
#include "attest/eat/cmw.h"
#include "base/json.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <string.h>

void attestation_init(struct attestation *attestation)
{
    *attestation = (struct attestation){ 0 };
    buffer_init(&attestation->keyset, KEYSET_SIZE_MAX);
    buffer_init(&attestation->evidence, EVIDENCE_SIZE_MAX);
    buffer_init(&attestation->events, EVENTS_SIZE_MAX);
}

void attestation_done(struct attestation *attestation)
{
    buffer_done(&attestation->keyset);
    buffer_done(&attestation->evidence);
    buffer_done(&attestation->events);
}

void bundle_init(struct bundle *bundle)
{
    attestation_init(&bundle->attestation);
    buffer_init(&bundle->receipt, RECEIPT_SIZE_MAX);
}

void bundle_done(struct bundle *bundle)
{
    attestation_done(&bundle->attestation);
    buffer_done(&bundle->receipt);
}

static bool get_text(struct buffer *text, const json_t *json, const char *key, struct error *error)
{
    const char *value;
    if (!json_get_string(json, key, &value, error))
        return false;
    buffer_append_string(text, value);
    return !text->failed || error_set(error, ERROR_INVALID, "%s is too long", key);
}

static bool get_evidence(struct buffer *evidence, const json_t *json, struct error *error)
{
    const char *value;
    if (!json_get_string(json, "evidence", &value, error))
        return false;
    struct bytes text = bytes_of_string(value);
    size_t capacity = text.size / 4 * 3 + 2;
    if (capacity > EVIDENCE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "evidence is too long");
    uint8_t *target = buffer_reserve(evidence, capacity);
    size_t size;
    if (target == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for evidence");
    if (!base64_decode(target, capacity, &size, text))
        return error_set(error, ERROR_INVALID, "evidence is not base64");
    evidence->size += size;
    return true;
}

static bool get_attestation(struct attestation *attestation, const json_t *json,
                            struct error *error)
{
    const char *platform;
    if (!json_get_string(json, "platform", &platform, error))
        return false;
    if (strlen(platform) > KEYS_PLATFORM_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "platform is too long");
    memcpy(attestation->platform, platform, strlen(platform) + 1);
    const char *nonce;
    /* Written in one way only, so that no byte of a bundle can change unnoticed. */
    if (!json_get_string(json, "nonce", &nonce, error) ||
        !json_get_hex(json, "nonce", attestation->nonce.bytes, sizeof(attestation->nonce.bytes),
                      error))
        return false;
    char digits[65];
    hex_encode(digits, BYTES_OF(attestation->nonce.bytes));
    if (strcmp(digits, nonce) != 0)
        return error_set(error, ERROR_INVALID, "nonce must be in lower case");
    return get_text(&attestation->keyset, json, "keyset", error) &&
           get_evidence(&attestation->evidence, json, error);
}

static bool parse(json_t **json, struct bytes text, const char *const *keys, const char *what,
                  struct error *error)
{
    if (text.size > BUNDLE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "more than %d bytes", BUNDLE_SIZE_MAX);
    return json_parse(json, text, error) && json_check_keys(*json, keys, what, error);
}

static const char *format_of(struct bytes evidence)
{
    static const char *const names[] = { [ATTEST_TEE_ANY] = "unknown",
                                         [ATTEST_TEE_TDX] = "tdx-quote",
                                         [ATTEST_TEE_SGX] = "sgx-quote",
                                         [ATTEST_TEE_SNP] = "snp-report",
                                         [ATTEST_TEE_NITRO] = "nitro-document" };
    return cmw_is_wrapper(evidence) ? "cmw" : names[attest_tee_of(evidence)];
}

bool attestation_parse(struct attestation *attestation, struct bytes text, struct error *error)
{
    static const char *const keys[] = { "platform", "format", "keyset", "nonce", "evidence", NULL };
    AUTO_JSON json_t *json = NULL;
    const char *format;
    if (!parse(&json, text, keys, "attestation", error) ||
        !json_get_string(json, "format", &format, error) ||
        !get_attestation(attestation, json, error))
        return error_within(error, "attestation");
    if (strcmp(format, format_of(buffer_view(&attestation->evidence))) != 0)
        return error_set(error, ERROR_UNSUPPORTED, "attestation: evidence of format \"%s\"",
                         error_quote(bytes_of_string(format)).text);
    return true;
}

bool bundle_parse(struct bundle *bundle, struct bytes text, struct error *error)
{
    static const char *const keys[] = {
        "s3n_receipt_bundle", "receipt", "platform", "keyset", "nonce", "evidence", "events", NULL
    };
    AUTO_JSON json_t *json = NULL;
    int64_t version;
    if (!parse(&json, text, keys, "receipt bundle", error) ||
        !json_get_integer(json, "s3n_receipt_bundle", 1, 1, &version, error) ||
        !get_text(&bundle->receipt, json, "receipt", error) ||
        !get_attestation(&bundle->attestation, json, error) ||
        (json_object_get(json, "events") != NULL &&
         !get_text(&bundle->attestation.events, json, "events", error)))
        return error_within(error, "receipt bundle");
    return true;
}

static bool set_attestation(json_t *json, const struct attestation *attestation)
{
    AUTO_BUFFER struct buffer evidence;
    buffer_init(&evidence, BUNDLE_SIZE_MAX);
    base64_append(&evidence, buffer_view(&attestation->evidence));
    char nonce[65];
    hex_encode(nonce, BYTES_OF(attestation->nonce.bytes));
    const struct buffer *keyset = &attestation->keyset;
    return !evidence.failed &&
           json_object_set_new(json, "platform", json_string(attestation->platform)) == 0 &&
           json_object_set_new(json, "keyset",
                               json_stringn((const char *)keyset->data, keyset->size)) == 0 &&
           json_object_set_new(json, "nonce", json_string(nonce)) == 0 &&
           json_object_set_new(json, "evidence",
                               json_stringn((const char *)evidence.data, evidence.size)) == 0;
}

static bool write(struct buffer *text, json_t *json, bool built, struct error *error)
{
    if (!built)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an attestation");
    return json_canonical(text, json, error);
}

bool attestation_write(struct buffer *text, const struct attestation *attestation,
                       struct error *error)
{
    AUTO_JSON json_t *json = json_object();
    bool built =
        json != NULL && set_attestation(json, attestation) &&
        json_object_set_new(json, "format",
                            json_string(format_of(buffer_view(&attestation->evidence)))) == 0;
    return write(text, json, built, error);
}

bool bundle_write(struct buffer *text, const struct bundle *bundle, struct error *error)
{
    AUTO_JSON json_t *json = json_object();
    const struct buffer *receipt = &bundle->receipt;
    const struct buffer *events = &bundle->attestation.events;
    bool built = json != NULL && set_attestation(json, &bundle->attestation) &&
                 json_object_set_new(json, "s3n_receipt_bundle", json_integer(1)) == 0 &&
                 json_object_set_new(json, "receipt",
                                     json_stringn((const char *)receipt->data, receipt->size)) == 0;
    if (events->size > 0)
        built = built &&
                json_object_set_new(json, "events",
                                    json_stringn((const char *)events->data, events->size)) == 0;
    return write(text, json, built, error);
}
