/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/nitro/nitro.h"

#include <string.h>

enum {
    SIGNATURE_SIZE = 96
};

static bool refuse(enum attest_reason *reason, enum attest_reason what, struct error *error,
                   const char *text)
{
    *reason = what;
    return error_set(error, ERROR_INVALID, "%s", text);
}

/* The members of the payload that must be there. */
enum required {
    HAS_MODULE_ID = 1 << 0,
    HAS_DIGEST = 1 << 1,
    HAS_TIMESTAMP = 1 << 2,
    HAS_PCRS = 1 << 3,
    HAS_CERTIFICATE = 1 << 4,
    HAS_CABUNDLE = 1 << 5,
    HAS_ALL = (1 << 6) - 1
};

/* A byte string of these sizes; fails the reader otherwise. */
static struct bytes read_sized(struct reader *reader, size_t min, size_t max)
{
    struct bytes content = cbor_read_bytes(reader);
    if (content.size < min || content.size > max)
        reader_fail(reader);
    return content;
}

/* The same, or null. */
static struct bytes read_optional(struct reader *reader, size_t min)
{
    if (cbor_peek(reader) != CBOR_NULL)
        return read_sized(reader, min, NITRO_DATA_SIZE_MAX);
    cbor_read_null(reader);
    return (struct bytes){ 0 };
}

static void read_module_id(struct nitro_claims *claims, struct reader *reader)
{
    struct bytes text = cbor_read_text(reader);
    bool has_nul = bytes_find(text, 0) < text.size;
    if (text.size == 0 || text.size > NITRO_MODULE_ID_SIZE_MAX || has_nul) {
        reader_fail(reader);
        return;
    }
    memcpy(claims->module_id, text.data, text.size);
}

static void read_pcrs(struct nitro_claims *claims, struct reader *reader)
{
    size_t count = 0;
    struct cbor_items items = cbor_enter_map(reader, NITRO_PCR_COUNT);
    for (; cbor_next(&items, reader); count++) {
        uint64_t index = cbor_read_unsigned(reader);
        struct bytes value = cbor_read_bytes(reader);
        /* The width of a hash; SHA-384 is the only one in use. */
        if (index >= NITRO_PCR_COUNT ||
            (value.size != 32 && value.size != 48 && value.size != 64)) {
            reader_fail(reader);
            return;
        }
        memcpy(claims->pcrs[index], value.data, value.size);
        claims->pcr_sizes[index] = value.size;
    }
    if (count == 0)
        reader_fail(reader);
}

static void read_bundle(struct nitro_document *document, struct reader *reader)
{
    struct cbor_items items = cbor_enter_array(reader, NITRO_BUNDLE_COUNT_MAX);
    while (cbor_next(&items, reader))
        document->bundle[document->bundle_count++] =
            read_sized(reader, 1, NITRO_CERTIFICATE_SIZE_MAX);
    if (document->bundle_count == 0)
        reader_fail(reader);
}

/* One member; returns which of the required ones it is. */
static unsigned read_member(struct nitro_document *document, struct reader *reader)
{
    struct nitro_claims *claims = &document->claims;
    struct bytes name = cbor_read_text(reader);
    if (bytes_equal_string(name, "module_id")) {
        read_module_id(claims, reader);
        return HAS_MODULE_ID;
    }
    if (bytes_equal_string(name, "digest")) {
        if (!bytes_equal_string(cbor_read_text(reader), "SHA384"))
            reader_fail(reader);
        return HAS_DIGEST;
    }
    if (bytes_equal_string(name, "timestamp")) {
        claims->timestamp_ms = cbor_read_unsigned(reader);
        if (claims->timestamp_ms == 0)
            reader_fail(reader);
        return HAS_TIMESTAMP;
    }
    if (bytes_equal_string(name, "pcrs")) {
        read_pcrs(claims, reader);
        return HAS_PCRS;
    }
    if (bytes_equal_string(name, "certificate")) {
        document->certificate = read_sized(reader, 1, NITRO_CERTIFICATE_SIZE_MAX);
        return HAS_CERTIFICATE;
    }
    if (bytes_equal_string(name, "cabundle")) {
        read_bundle(document, reader);
        return HAS_CABUNDLE;
    }
    if (bytes_equal_string(name, "public_key"))
        claims->public_key = read_optional(reader, 1);
    else if (bytes_equal_string(name, "user_data"))
        claims->user_data = read_optional(reader, 0);
    else if (bytes_equal_string(name, "nonce"))
        claims->nonce = read_optional(reader, 0);
    else
        cbor_read_item(reader); /* what newer modules may add is signed, and says nothing here */
    return 0;
}

static bool read_payload(struct nitro_document *document)
{
    unsigned seen = 0;
    struct reader reader = cbor_reader_of(document->message.payload, CBOR_AS_EMITTED);
    struct cbor_items items = cbor_enter_map(&reader, NITRO_FIELD_COUNT_MAX);
    while (cbor_next(&items, &reader))
        seen |= read_member(document, &reader);
    return read_end(&reader) && seen == HAS_ALL;
}

bool nitro_document_parse(struct nitro_document *document, struct bytes evidence,
                          enum attest_reason *reason, struct error *error)
{
    if (evidence.size > NITRO_DOCUMENT_SIZE_MAX)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "document is too large");
    struct nitro_document parsed = { .bundle_count = 0 };
    const struct cose_sign1 *message = &parsed.message;
    enum cose_fault fault;
    if (!cose_sign1_parse(&parsed.message, evidence, CBOR_UNSORTED, &fault, error)) {
        *reason =
            fault == COSE_FAULT_TRAILING_DATA ? ATTEST_REASON_TRAILING_DATA : ATTEST_REASON_FORMAT;
        return false;
    }
    if (!message->has_algorithm || message->algorithm != COSE_ES384)
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_ALG, error,
                      "signature algorithm is not ES384");
    if (message->protected_count != 1 || message->unprotected_count != 0)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "headers besides the algorithm");
    if (message->signature.size != SIGNATURE_SIZE)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "signature is not 96 bytes");
    if (!read_payload(&parsed))
        return refuse(reason, ATTEST_REASON_FORMAT, error,
                      "payload is not that of an attestation document");
    *document = parsed;
    return true;
}

bool nitro_is_debug(const struct nitro_claims *claims)
{
    uint8_t any = 0;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < claims->pcr_sizes[i]; j++)
            any |= claims->pcrs[i][j];
    }
    return any == 0;
}
