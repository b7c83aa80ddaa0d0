/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/cmw.h"

#include "core/cbor.h"
#include "core/json_reader.h"
#include "crypto/base64.h"

#include <string.h>

enum {
    MESSAGES_MAX = 15,
    CHUNK_SIZE = 48, /* bytes of a value in base64url at a time: a multiple of three */
    LABEL_SIZE_MAX = 64,
    TYPE_SIZE_MAX = 128
};

/* RFC 9277 appendix B: tags of content formats. */
static const uint64_t tag_first = 1668546817, tag_last = 1668612095;
static const char type_label[] = "__cmwc_t";
static const char collection_type[] = "urn:s3n:evidence:1";

/* The parts of evidence by their labels. */
static const struct part {
    const char *label;
    const char *type;
    size_t offset; /* in struct attest_collateral */
} parts[] = {
#define PART(label, type, member)                                                                  \
    {                                                                                              \
        label, type, offsetof(struct attest_collateral, member)                                    \
    }
    PART("tcb-info", "application/json", tcb_info),
    PART("qe-identity", "application/json", qe_identity),
    PART("tcb-chain", "application/pem-certificate-chain", tcb_chain),
    PART("pck-chain", "application/pem-certificate-chain", pck_chain),
    PART("pck-crl", "application/pkix-crl", pck_crl),
    PART("root-crl", "application/pkix-crl", root_crl),
    PART("vek", "application/pkix-cert", vek),
    PART("intermediate", "application/pkix-cert", intermediate),
    PART("crl", "application/pkix-crl", crl),
#undef PART
};

static const char *const evidence_types[] = {
    [ATTEST_TEE_ANY] = "application/octet-stream",
    [ATTEST_TEE_TDX] = "application/vnd.s3n.tdx-quote",
    [ATTEST_TEE_SGX] = "application/vnd.s3n.sgx-quote",
    [ATTEST_TEE_SNP] = "application/vnd.s3n.snp-report",
    [ATTEST_TEE_NITRO] = "application/vnd.s3n.nitro-document",
};

static bool is_malformed(struct error *error)
{
    return error_set(error, ERROR_INVALID, "conceptual message is malformed");
}

bool cmw_is_wrapper(struct bytes source)
{
    if (source.size < 2)
        return false;
    uint8_t first = source.data[0];
    if (first == '{' || first == '[' || first == 0x82 || first == 0x83)
        return true;
    if (first > 0xa0 && first < 0xb8)
        return true;
    struct reader reader = reader_of(source);
    uint64_t tag = cbor_read_tag(&reader);
    return !reader.failed && tag >= tag_first && tag <= tag_last;
}

/* --- CBOR --- */

/* The content format of a tag; each 256 tags name 255 formats. */
static bool read_tag(struct cmw_item *item, struct reader *reader)
{
    uint64_t tag = cbor_read_tag(reader);
    uint64_t index = tag - tag_first;
    item->value = cbor_read_bytes(reader);
    if (reader->failed || tag < tag_first || tag > tag_last || index % 256 == 255)
        return false;
    item->format = (uint16_t)(index / 256 * 255 + index % 256);
    return true;
}

static bool read_cbor_record(struct cmw_item *item, struct reader *reader, struct error *error)
{
    enum cbor_kind kind = cbor_peek(reader);
    if (kind == CBOR_MAP)
        return error_set(error, ERROR_UNSUPPORTED, "collection inside a collection");
    if (kind == CBOR_TAG)
        return read_tag(item, reader) || is_malformed(error);
    size_t count = cbor_read_array(reader, 3);
    if (cbor_peek(reader) == CBOR_UNSIGNED) {
        uint64_t format = cbor_read_unsigned(reader);
        if (format > UINT16_MAX)
            reader_fail(reader);
        item->format = (uint16_t)format;
    } else {
        item->type = cbor_read_text(reader);
        if (!reader->failed && item->type.size > 0 && item->type.data[0] == '#')
            return error_set(error, ERROR_UNSUPPORTED, "tunnelled conceptual message");
        if (item->type.size == 0 || item->type.size > TYPE_SIZE_MAX)
            reader_fail(reader);
    }
    item->value = cbor_read_bytes(reader);
    if (count == 3) {
        item->messages = (unsigned)cbor_read_unsigned(reader);
        if (item->messages == 0 || item->messages > MESSAGES_MAX)
            reader_fail(reader);
    }
    return (count >= 2 && !reader->failed) || is_malformed(error);
}

static bool read_cbor(struct cmw *cmw, struct bytes source, struct error *error)
{
    struct reader reader = cbor_reader_of(source, CBOR_UNSORTED);
    cmw->is_collection = cbor_peek(&reader) == CBOR_MAP;
    if (!cmw->is_collection) {
        cmw->count = 1;
        return read_cbor_record(&cmw->items[0], &reader, error) &&
               (read_end(&reader) || is_malformed(error));
    }
    size_t count = cbor_read_map(&reader, CMW_ITEM_COUNT_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        struct bytes label = { 0 };
        if (cbor_peek(&reader) == CBOR_TEXT)
            label = cbor_read_text(&reader);
        else
            cbor_read_integer(&reader);
        if (bytes_equal_string(label, type_label)) {
            cbor_read_text(&reader);
            continue;
        }
        if (cmw->count == CMW_ITEM_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "too many conceptual messages");
        cmw->items[cmw->count].label = label;
        if (!read_cbor_record(&cmw->items[cmw->count++], &reader, error))
            return false;
    }
    return (read_end(&reader) && cmw->count > 0) || is_malformed(error);
}

/* --- JSON --- */

struct json_source {
    struct json_reader json;
    uint8_t *space;
    size_t left;
};

/* Moves text whose escapes are resolved into the space. */
static struct bytes keep_text(struct json_source *source, struct json_text text, size_t max)
{
    size_t size;
    uint8_t *start = source->space;
    if (!json_text_decode(text, start, MIN(source->left, max), &size)) {
        json_reader_fail(&source->json);
        return (struct bytes){ 0 };
    }
    source->space += size;
    source->left -= size;
    return bytes_of(start, size);
}

static struct bytes keep_value(struct json_source *source, struct json_text text)
{
    size_t size;
    uint8_t *start = source->space;
    if (text.has_escapes || !base64url_decode(start, source->left, &size, text.raw)) {
        json_reader_fail(&source->json);
        return (struct bytes){ 0 };
    }
    source->space += size;
    source->left -= size;
    return bytes_of(start, size);
}

static bool read_json_record(struct cmw_item *item, struct json_source *source, struct error *error)
{
    struct json_reader *json = &source->json;
    size_t count = 0;
    if (json_peek(json) == JSON_KIND_OBJECT)
        return error_set(error, ERROR_UNSUPPORTED, "collection inside a collection");
    json_enter_array(json);
    for (; json_next_item(json); count++) {
        if (count == 0) {
            item->type = keep_text(source, json_read_string(json), TYPE_SIZE_MAX);
            if (!json->failed && item->type.size > 0 && item->type.data[0] == '#')
                return error_set(error, ERROR_UNSUPPORTED, "tunnelled conceptual message");
        } else if (count == 1) {
            item->value = keep_value(source, json_read_string(json));
        } else if (count == 2) {
            item->messages = (unsigned)json_read_unsigned(json, MESSAGES_MAX);
            if (item->messages == 0)
                json_reader_fail(json);
        } else {
            json_reader_fail(json);
        }
    }
    return (!json->failed && count >= 2 && item->type.size > 0) || is_malformed(error);
}

static bool read_json(struct cmw *cmw, struct json_source *source, struct error *error)
{
    struct json_text name;
    cmw->is_collection = json_peek(&source->json) == JSON_KIND_OBJECT;
    if (!cmw->is_collection) {
        cmw->count = 1;
        return read_json_record(&cmw->items[0], source, error) &&
               (json_read_end(&source->json) || is_malformed(error));
    }
    json_enter_object(&source->json);
    while (json_next_member(&source->json, &name)) {
        if (json_text_equal(name, type_label)) {
            json_read_string(&source->json);
            continue;
        }
        if (cmw->count == CMW_ITEM_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "too many conceptual messages");
        struct cmw_item *item = &cmw->items[cmw->count++];
        item->label = keep_text(source, name, LABEL_SIZE_MAX);
        if (!read_json_record(item, source, error))
            return false;
    }
    return (json_read_end(&source->json) && cmw->count > 0) || is_malformed(error);
}

bool cmw_read(struct cmw *cmw, struct bytes source, void *space, size_t capacity,
              struct error *error)
{
    struct cmw parsed = { .count = 0 };
    if (source.size == 0)
        return is_malformed(error);
    if (source.data[0] != '{' && source.data[0] != '[') {
        if (!read_cbor(&parsed, source, error))
            return false;
    } else {
        struct json_source json = { .space = space, .left = capacity };
        json_reader_init(&json.json, source);
        if (!read_json(&parsed, &json, error))
            return false;
    }
    *cmw = parsed;
    return true;
}

/* --- writing --- */

static void write_value_json(struct json_writer *json, struct bytes value)
{
    json_write_raw(json, BYTES_LITERAL("\""));
    for (size_t at = 0; at < value.size; at += CHUNK_SIZE) {
        char text[2 * CHUNK_SIZE];
        base64url_encode(text, bytes_part(value, at, CHUNK_SIZE));
        write_bytes(json->target, bytes_of_string(text));
    }
    write_u8(json->target, '"');
}

/* JSON has no content formats: a record with one alone is left to the CBOR form. */
static void write_record_json(struct json_writer *json, const struct cmw_item *item)
{
    json_write_array_begin(json);
    json_write_text(json, item->type);
    write_value_json(json, item->value);
    if (item->messages != 0)
        json_write_unsigned(json, item->messages);
    json_write_array_end(json);
}

void cmw_write_json(struct json_writer *json, const struct cmw *cmw)
{
    if (!cmw->is_collection) {
        write_record_json(json, &cmw->items[0]);
        return;
    }
    json_write_object_begin(json);
    json_write_name(json, type_label);
    json_write_string(json, collection_type);
    for (size_t i = 0; i < cmw->count; i++) {
        char label[LABEL_SIZE_MAX + 1] = { 0 };
        memcpy(label, cmw->items[i].label.data, MIN(cmw->items[i].label.size, sizeof(label) - 1));
        json_write_name(json, label);
        write_record_json(json, &cmw->items[i]);
    }
    json_write_object_end(json);
}

static void write_record_cbor(struct writer *writer, const struct cmw_item *item)
{
    if (item->type.size == 0 && item->messages == 0) {
        cbor_write_tag(writer, tag_first + item->format / 255U * 256U + item->format % 255U);
        cbor_write_bytes(writer, item->value);
        return;
    }
    cbor_write_array(writer, item->messages == 0 ? 2 : 3);
    if (item->type.size == 0)
        cbor_write_unsigned(writer, item->format);
    else
        cbor_write_text(writer, item->type);
    cbor_write_bytes(writer, item->value);
    if (item->messages != 0)
        cbor_write_unsigned(writer, item->messages);
}

void cmw_write_cbor(struct writer *writer, const struct cmw *cmw)
{
    if (!cmw->is_collection) {
        write_record_cbor(writer, &cmw->items[0]);
        return;
    }
    cbor_write_map(writer, cmw->count + 1);
    cbor_write_text(writer, bytes_of_string(type_label));
    cbor_write_text(writer, bytes_of_string(collection_type));
    for (size_t i = 0; i < cmw->count; i++) {
        cbor_write_text(writer, cmw->items[i].label);
        write_record_cbor(writer, &cmw->items[i]);
    }
}

/* --- evidence --- */

static void add(struct cmw *cmw, const char *label, const char *type, struct bytes value,
                enum cmw_message message)
{
    if (value.size > 0)
        cmw->items[cmw->count++] = (struct cmw_item){ .label = bytes_of_string(label),
                                                      .type = bytes_of_string(type),
                                                      .value = value,
                                                      .messages = message };
}

static struct bytes *part_in(struct attest_collateral *collateral, const struct part *part)
{
    return (struct bytes *)(void *)((uint8_t *)collateral + part->offset);
}

void cmw_of_evidence(struct cmw *cmw, enum attest_tee tee, struct bytes evidence,
                     const struct attest_collateral *collateral)
{
    struct attest_collateral copy = *collateral;
    *cmw = (struct cmw){ .is_collection = true };
    add(cmw, "evidence", evidence_types[tee], evidence, CMW_EVIDENCE);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        add(cmw, parts[i].label, parts[i].type, *part_in(&copy, &parts[i]), CMW_ENDORSEMENTS);
}

bool cmw_to_evidence(const struct cmw *cmw, struct bytes *evidence,
                     struct attest_collateral *collateral, struct error *error)
{
    struct bytes found = cmw->is_collection ? (struct bytes){ 0 } : cmw->items[0].value;
    for (size_t i = 0; cmw->is_collection && i < cmw->count; i++) {
        const struct cmw_item *item = &cmw->items[i];
        if (bytes_equal_string(item->label, "evidence"))
            found = item->value;
        for (size_t j = 0; j < ARRAY_COUNT(parts); j++) {
            struct bytes *part = part_in(collateral, &parts[j]);
            if (part->size == 0 && bytes_equal_string(item->label, parts[j].label))
                *part = item->value;
        }
    }
    if (found.size == 0)
        return error_set(error, ERROR_INVALID, "no evidence among the conceptual messages");
    *evidence = found;
    return true;
}
