/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/cmw.h"

#include "base/json.h"
#include "core/cbor.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "tests/harness.h"

#include <string.h>

#define DOCUMENT "tests/data/attest/nitro/docs/dstack_attest.cbor"

enum {
    SPACE_SIZE = 65536
};

static uint8_t space[SPACE_SIZE], text[SPACE_SIZE];

static struct bytes hex(const char *digits)
{
    static uint8_t bytes[512];
    size_t size = strlen(digits) / 2;
    CHECK(size <= sizeof(bytes) && hex_decode(bytes, size, bytes_of_string(digits)));
    return bytes_of(bytes, size);
}

static bool reads(struct cmw *cmw, struct bytes source)
{
    struct error error;
    return cmw_read(cmw, source, space, sizeof(space), &error);
}

/* Shapes of the draft's examples. */
static void reads_records(void)
{
    struct cmw cmw;
    REQUIRE(reads(&cmw, BYTES_LITERAL("[\"application/my\", \"e30K\"]")));
    CHECK(!cmw.is_collection && cmw.count == 1);
    CHECK_BYTES(cmw.items[0].type, BYTES_LITERAL("application/my"));
    CHECK_BYTES(cmw.items[0].value, BYTES_LITERAL("{}\n"));
    CHECK_NUMBER(cmw.items[0].messages, 0);
    REQUIRE(reads(&cmw, BYTES_LITERAL("[ \"application/ear+json\" , \"YS5iLmMK\" , 8 ]\n")));
    CHECK_NUMBER(cmw.items[0].messages, CMW_ATTESTATION_RESULTS);
    REQUIRE(reads(&cmw, hex("83197531442347da5504")));
    CHECK_NUMBER(cmw.items[0].format, 30001);
    CHECK_NUMBER(cmw.items[0].messages, CMW_EVIDENCE);
    CHECK_BYTES(cmw.items[0].value, hex("2347da55"));
    /* RFC 9277: 30001 = 117 x 255 + 166, so its tag is 0x63740101 + 117 x 256 + 166. */
    REQUIRE(reads(&cmw, hex("da637476a7442347da55")));
    CHECK_NUMBER(cmw.items[0].format, 30001);
    REQUIRE(reads(&cmw, hex("da637401014100")));
    CHECK_NUMBER(cmw.items[0].format, 0);
    REQUIRE(reads(&cmw, hex("da637401ff4100")));
    CHECK_NUMBER(cmw.items[0].format, 254);
    REQUIRE(reads(&cmw, hex("da637402014100")));
    CHECK_NUMBER(cmw.items[0].format, 255);
    CHECK(!reads(&cmw, hex("da637402004100"))); /* between two formats */
}

static void reads_collections(void)
{
    struct cmw cmw;
    REQUIRE(reads(&cmw, BYTES_LITERAL("{\"a\":[\"application/my\",\"e30K\"],"
                                      "\"__cmwc_t\":\"tag:example\","
                                      "\"b\\u0041\":[\"application/x\",\"\",6]}")));
    CHECK(cmw.is_collection && cmw.count == 2);
    CHECK_BYTES(cmw.items[1].label, BYTES_LITERAL("bA"));
    CHECK(cmw.items[1].value.size == 0 && cmw.items[1].messages == 6);
    REQUIRE(reads(&cmw, hex("a2616183197531442347da5504"
                            "20"
                            "da637476a7442347da55")));
    CHECK(cmw.is_collection && cmw.count == 2);
    CHECK_BYTES(cmw.items[0].label, BYTES_LITERAL("a"));
    CHECK(cmw.items[1].label.size == 0 && cmw.items[1].format == 30001);
}

static void refuses_other_shapes(void)
{
    static const char *const json[] = {
        "",
        "[]",
        "[\"a/b\"]",
        "[\"a/b\",\"e30K\",0]",
        "[\"a/b\",\"e30K\",16]",
        "[\"a/b\",\"e30K\",4,4]",
        "[\"a/b\",\"e30K\",\"4\"]",
        "[\"\",\"e30K\"]",
        "[1,\"e30K\"]",
        "[\"a/b\",\"e30K=\"]",
        "[\"a/b\",\"e3\\u0030K\"]",
        "[\"a/b\",\"e30+\"]",
        "[\"a/b\",\"e30K\"] x",
        "[\"#cmw-c2j-tunnel\",\"e30K\"]",
        "{}",
        "{\"__cmwc_t\":\"tag:x\"}",
        "{\"a\":[\"a/b\",\"e30K\"],\"a\":[\"a/b\",\"e30K\"]}",
        "{\"a\":{\"b\":[\"a/b\",\"e30K\"]}}",
        "{\"a\":1}",
    };
    static const char *const cbor[] = {
        "80",
        "8163612f62",
        "8263612f62",
        "8263612f6260",
        "8363612f62410000",
        "8363612f62410010",
        "8463612f6241000404",
        "82604100",
        "82204100",
        "821a000100004100",
        "82632362634100",
        "a0",
        "a16161a161628263612f624100",
        "a1616100",
        "d2410 0",
        "826361",
        "c04100",
        "a14082004100",
        "da637500004100",
        "9f63612f624100ff",
        "82780361 2f624100",
    };
    struct cmw cmw;
    for (size_t i = 0; i < ARRAY_COUNT(json); i++)
        CHECK_NOTE(!reads(&cmw, bytes_of_string(json[i])), "%s", json[i]);
    for (size_t i = 0; i < ARRAY_COUNT(cbor); i++) {
        char digits[128];
        size_t size = 0;
        for (const char *at = cbor[i]; *at != '\0'; at++) {
            if (*at != ' ')
                digits[size++] = *at;
        }
        digits[size] = '\0';
        CHECK_NOTE(!reads(&cmw, hex(digits)), "%s", digits);
    }
    struct error error; /* no room for the value */
    CHECK(!cmw_read(&cmw, BYTES_LITERAL("[\"a/b\",\"e30K\"]"), space, 4, &error));
}

static void check_same(const struct cmw *a, const struct cmw *b)
{
    CHECK(a->is_collection == b->is_collection);
    CHECK_NUMBER(a->count, b->count);
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        CHECK_BYTES(a->items[i].label, b->items[i].label);
        CHECK_BYTES(a->items[i].type, b->items[i].type);
        CHECK_BYTES(a->items[i].value, b->items[i].value);
        CHECK_NUMBER(a->items[i].messages, b->items[i].messages);
    }
}

static struct bytes json_of(const struct cmw *cmw)
{
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    cmw_write_json(&json, cmw);
    return writer_view(&writer);
}

static void carries_evidence_both_ways(void)
{
    struct error error;
    struct cmw cmw, found;
    struct bytes document = test_file(DOCUMENT);
    const struct attest_collateral given = { .tcb_info = BYTES_LITERAL("{\"tcbInfo\":1}"),
                                             .pck_crl = BYTES_LITERAL("\x30\x00"),
                                             .vek = BYTES_LITERAL("\x30\x01\x00"),
                                             .crl = BYTES_LITERAL("x") };
    cmw_of_evidence(&cmw, ATTEST_TEE_NITRO, document, &given);
    CHECK_NUMBER(cmw.count, 5);
    for (size_t form = 0; form < 2; form++) {
        struct writer writer = writer_into(text, sizeof(text));
        if (form == 1)
            cmw_write_cbor(&writer, &cmw);
        struct bytes wrapped = form == 0 ? json_of(&cmw) : writer_view(&writer);
        CHECK(cmw_is_wrapper(wrapped));
        REQUIRE(reads(&found, wrapped));
        check_same(&cmw, &found);
        struct bytes evidence;
        struct attest_collateral collateral = {
            .vek = BYTES_LITERAL("my own"),
        };
        REQUIRE(cmw_to_evidence(&found, &evidence, &collateral, &error));
        CHECK_BYTES(evidence, document);
        CHECK_BYTES(collateral.tcb_info, given.tcb_info);
        CHECK_BYTES(collateral.pck_crl, given.pck_crl);
        CHECK_BYTES(collateral.crl, given.crl);
        CHECK_BYTES(collateral.vek, BYTES_LITERAL("my own")); /* the caller's counts */
        CHECK(collateral.root_crl.size == 0 && collateral.intermediate.size == 0);
        struct attest_verdict verdict;
        struct attest_options options = { .now_s = 1766678659, .collateral = collateral };
        CHECK(attest_verify(&verdict, evidence, &options, &error));
        for (size_t size = 0; size < wrapped.size; size += 1 + size / 64)
            CHECK(!reads(&found, bytes_part(wrapped, 0, size)));
    }
    /* What others read: jansson for the JSON. */
    AUTO_JSON json_t *json = NULL;
    REQUIRE(json_parse(&json, json_of(&cmw), &error));
    const json_t *record = json_object_get(json, "evidence");
    CHECK_STRING(json_string_value(json_array_get(record, 0)),
                 "application/vnd.s3n.nitro-document");
    CHECK_NUMBER(json_integer_value(json_array_get(record, 2)), 4);
    size_t size = 0;
    REQUIRE(base64url_decode(space, sizeof(space), &size,
                             bytes_of_string(json_string_value(json_array_get(record, 1)))));
    CHECK_BYTES(bytes_of(space, size), document);
    CHECK_STRING(json_string_value(json_object_get(json, "__cmwc_t")), "urn:s3n:evidence:1");
    /* One record alone. */
    struct bytes evidence;
    struct attest_collateral none = { 0 };
    cmw.is_collection = false;
    cmw.items[0].label = (struct bytes){ 0 };
    cmw.count = 1;
    REQUIRE(reads(&found, json_of(&cmw)));
    check_same(&cmw, &found);
    CHECK(cmw_to_evidence(&found, &evidence, &none, &error));
    CHECK_BYTES(evidence, document);
}

static void needs_evidence(void)
{
    struct error error;
    struct cmw cmw;
    struct bytes evidence;
    struct attest_collateral collateral = { 0 };
    REQUIRE(reads(&cmw, BYTES_LITERAL("{\"crl\":[\"application/pkix-crl\",\"e30K\",2]}")));
    CHECK(!cmw_to_evidence(&cmw, &evidence, &collateral, &error));
    REQUIRE(reads(&cmw, BYTES_LITERAL("{\"evidence\":[\"a/b\",\"\",4]}")));
    CHECK(!cmw_to_evidence(&cmw, &evidence, &collateral, &error));
}

static void tells_wrappers_from_evidence(void)
{
    static const char *const evidence[] = { DOCUMENT, "tests/data/attest/tdx_v4_phala_b0c06f.bin",
                                            "tests/data/attest/sgx_v3_phala_00a067.bin",
                                            "tests/data/attest/ratls/gramine-cert.pem" };
    for (size_t i = 0; i < ARRAY_COUNT(evidence); i++)
        CHECK(!cmw_is_wrapper(test_file(evidence[i])));
    CHECK(!cmw_is_wrapper(BYTES_LITERAL("")) && !cmw_is_wrapper(BYTES_LITERAL("\xd2\x84\x43")));
    CHECK(!cmw_is_wrapper(BYTES_LITERAL("HCLA")));
    CHECK(cmw_is_wrapper(hex("da637476a7442347da55")));
}

static const struct test tests[] = {
    TEST(reads_records),        TEST(reads_collections),
    TEST(refuses_other_shapes), TEST(carries_evidence_both_ways),
    TEST(needs_evidence),       TEST(tells_wrappers_from_evidence),
};
TEST_MAIN(tests)
