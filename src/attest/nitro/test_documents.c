/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/nitro/test_documents.h"

#include "core/cbor.h"
#include "tests/harness.h"

#include <string.h>

static struct fixture_key *shared_keys[NITRO_MAKER_CHAIN_COUNT];

void nitro_maker_init(struct nitro_maker *maker)
{
    static const char *const names[] = { "own.root", "own.region", "own.zone", "own.enclave" };
    *maker = (struct nitro_maker){
        .module_id = "i-1-enc2",
        .digest = "SHA384",
        .timestamp_ms = (int64_t)NITRO_MAKER_NOW_S * 1000,
        .pcr_count = 16,
        .pcr_size = NITRO_MAKER_PCR_SIZE,
        .protected_part = BYTES_LITERAL("\xa1\x01\x38\x22"),
        .unprotected = BYTES_LITERAL("\xa0"),
        .bundle_count = NITRO_MAKER_CHAIN_COUNT - 1,
    };
    for (size_t i = 0; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        if (shared_keys[i] == NULL)
            shared_keys[i] = fixture_key_new(PUBLIC_KEY_P384, 0);
        maker->keys[i] = shared_keys[i];
        maker->signers[i] = i == 0 ? 0 : i - 1;
        maker->contents[i] = (struct fixture_certificate){
            .issuer = names[i == 0 ? 0 : i - 1],
            .subject = names[i],
            .not_before_s = NITRO_MAKER_NOW_S - NITRO_MAKER_HOUR_S,
            .not_after_s =
                NITRO_MAKER_NOW_S + (int64_t)(NITRO_MAKER_CHAIN_COUNT - i) * NITRO_MAKER_HOUR_S,
            .constraints = i == NITRO_MAKER_LEAF       ? FIXTURE_NOT_CA
                           : i == NITRO_MAKER_LEAF - 1 ? FIXTURE_CA_OF_LEAVES
                                                       : FIXTURE_CA,
            .key_usage = i == NITRO_MAKER_LEAF ? NITRO_MAKER_SIGN_USAGE : NITRO_MAKER_CA_USAGE
        };
        buffer_init(&maker->certificates[i], 4096);
    }
}

void nitro_maker_done(struct nitro_maker *maker)
{
    for (size_t i = 0; i < NITRO_MAKER_CHAIN_COUNT; i++)
        buffer_done(&maker->certificates[i]);
}

/* Whether a member is written, how often. */
static unsigned times(const struct nitro_maker *maker, const char *name)
{
    if (maker->drops != NULL && strcmp(maker->drops, name) == 0)
        return 0;
    return maker->adds != NULL && strcmp(maker->adds, name) == 0 ? 2 : 1;
}

static void write_value(const struct nitro_maker *maker, struct writer *writer, size_t member)
{
    uint8_t pcr[64];
    switch (member) {
    case 0:
        cbor_write_text(writer, bytes_of_string(maker->module_id));
        break;
    case 1:
        cbor_write_text(writer, bytes_of_string(maker->digest));
        break;
    case 2:
        cbor_write_integer(writer, maker->timestamp_ms);
        break;
    case 3:
        cbor_write_map(writer, maker->pcr_count);
        for (size_t i = 0; i < maker->pcr_count; i++) {
            memset(pcr, (int)i + 1, sizeof(pcr));
            cbor_write_unsigned(writer, maker->pcr_first + i);
            cbor_write_bytes(writer, bytes_of(pcr, maker->pcr_size));
        }
        break;
    case 4:
        cbor_write_bytes(writer, buffer_view(&maker->certificates[NITRO_MAKER_LEAF]));
        break;
    case 5:
        cbor_write_array(writer, maker->bundle_count);
        for (size_t i = 0; i < maker->bundle_count; i++)
            cbor_write_bytes(
                writer,
                buffer_view(&maker->certificates[i < NITRO_MAKER_LEAF ? i : NITRO_MAKER_LEAF - 1]));
        break;
    default:
        if (maker->optional[member - 6].data == NULL)
            cbor_write_null(writer);
        else
            cbor_write_bytes(writer, maker->optional[member - 6]);
    }
}

void nitro_maker_write_payload(struct nitro_maker *maker)
{
    static const char *const members[] = { "module_id",  "digest",      "timestamp",
                                           "pcrs",       "certificate", "cabundle",
                                           "public_key", "user_data",   "nonce" };
    size_t member_count = maker->leaves_options_out ? 6 : ARRAY_COUNT(members);
    size_t count = maker->extra_count;
    for (size_t i = 0; i < member_count; i++)
        count += times(maker, members[i]);
    struct writer writer = writer_into(maker->payload, sizeof(maker->payload));
    if (maker->is_indefinite)
        write_u8(&writer, 0xbf);
    else
        cbor_write_map(&writer, count);
    for (size_t i = 0; i < member_count; i++) {
        for (unsigned j = 0; j < times(maker, members[i]); j++) {
            cbor_write_text(&writer, bytes_of_string(members[i]));
            write_value(maker, &writer, i);
        }
    }
    write_bytes(&writer, maker->extra);
    if (maker->is_indefinite)
        write_u8(&writer, 0xff);
    maker->payload_size = writer_view(&writer).size;
    CHECK(maker->payload_size > 0);
}

void nitro_maker_make_certificates(struct nitro_maker *maker)
{
    struct error error;
    for (size_t i = 0; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        buffer_clear(&maker->certificates[i]);
        fixture_certificate(&maker->certificates[i], &maker->contents[i], maker->keys[i],
                            maker->keys[maker->signers[i]], FIXTURE_ECDSA);
    }
    CHECK(x509_parse(&maker->root, buffer_view(&maker->certificates[0]), &error));
}

/* Signs the payload as it stands. */
void nitro_maker_sign(struct nitro_maker *maker)
{
    static uint8_t structure[NITRO_MAKER_DOCUMENT_SIZE_MAX];
    struct bytes payload = bytes_of(maker->payload, maker->payload_size);
    struct writer writer = writer_into(structure, sizeof(structure));
    cbor_write_array(&writer, 4);
    cbor_write_text(&writer, BYTES_LITERAL("Signature1"));
    cbor_write_bytes(&writer, maker->protected_part);
    cbor_write_bytes(&writer, (struct bytes){ 0 });
    cbor_write_bytes(&writer, payload);
    struct ecdsa384_signature signature = { 0 };
    if (fixture_key_spki(maker->keys[NITRO_MAKER_LEAF]).size == 120)
        signature = fixture_sign384(maker->keys[NITRO_MAKER_LEAF], writer_view(&writer));
    writer = writer_into(maker->document, sizeof(maker->document));
    if (maker->is_tagged)
        cbor_write_tag(&writer, 18);
    cbor_write_array(&writer, 4);
    cbor_write_bytes(&writer, maker->protected_part);
    write_bytes(&writer, maker->unprotected);
    cbor_write_bytes(&writer, payload);
    cbor_write_bytes(&writer, BYTES_OF(signature.bytes));
    maker->size = writer_view(&writer).size;
    CHECK(maker->size > 0);
}

void nitro_maker_make(struct nitro_maker *maker)
{
    nitro_maker_make_certificates(maker);
    nitro_maker_write_payload(maker);
    nitro_maker_sign(maker);
}

void nitro_maker_free_keys(void)
{
    for (size_t i = 0; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        fixture_key_free(shared_keys[i]);
        shared_keys[i] = NULL;
    }
}
