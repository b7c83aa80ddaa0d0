/* SPDX-License-Identifier: Apache-2.0 */
/* What reports travel in: the host's certificate table, Azure's wrapper. */
#include "attest/amd/certificate_table.h"
#include "attest/amd/hcl.h"
#include "attest/amd/test_pki.h"
#include "attest/amd/test_reports.h"
#include "core/writer.h"
#include "crypto/base64.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define GUID_ARK  "\xc0\xb4\x06\xa4\xa8\x03\x49\x52\x97\x43\x3f\xb6\x01\x4c\xd0\xae"
#define GUID_ASK  "\x4a\xb7\xb3\x79\xbb\xac\x4f\xe4\xa0\x2f\x05\xae\xf3\x27\xc7\x82"
#define GUID_VCEK "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd"
#define GUID_VLEK "\xa8\x07\x4b\xc2\xa2\x5a\x48\x3e\xaa\xe6\x39\xc0\x45\xa0\xb8\xa1"
#define GUID_CRL  "\x92\xf8\x1b\xc3\x58\x11\x4d\x3d\x97\xff\xd1\x9f\x88\xdc\x67\xea"
#define GUID_NEW  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"

enum {
    ENTRY_COUNT_MAX = 6,
    ENTRY_SIZE = 24,
    EVIDENCE_SIZE_MAX = 32768
};

struct entry {
    const char *guid;
    struct bytes content;
};

static struct bytes table_of(struct buffer *target, const struct entry *entries, size_t count)
{
    uint8_t head[(ENTRY_COUNT_MAX + 1) * ENTRY_SIZE];
    struct writer writer = writer_into(head, sizeof(head));
    size_t offset = (count + 1) * ENTRY_SIZE;
    size_t start = target->size;
    for (size_t i = 0; i < count; i++) {
        write_bytes(&writer, bytes_of(entries[i].guid, 16));
        write_u32_le(&writer, (uint32_t)offset);
        write_u32_le(&writer, (uint32_t)entries[i].content.size);
        offset += entries[i].content.size;
    }
    write_zeros(&writer, ENTRY_SIZE);
    buffer_append(target, writer_view(&writer));
    for (size_t i = 0; i < count; i++)
        buffer_append(target, entries[i].content);
    return bytes_part(buffer_view(target), start, target->size);
}

static void takes_certificates_from_the_table(void)
{
    struct snp_plan plan = snp_plan_of("Genoa", 5);
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer evidence;
    AUTO_BUFFER struct buffer pem;
    struct attest_verdict verdict;
    buffer_init(&evidence, EVIDENCE_SIZE_MAX);
    buffer_init(&pem, EVIDENCE_SIZE_MAX);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    struct attest_collateral own = options.collateral;
    options.collateral = (struct attest_collateral){ 0 };
    pem_append(&pem, "CERTIFICATE", own.intermediate);
    const struct entry entries[] = { { GUID_VCEK, own.vek },
                                     { GUID_NEW, BYTES_LITERAL("something new") },
                                     { GUID_ASK, buffer_view(&pem) },
                                     { GUID_ARK, BYTES_LITERAL("never looked at") } };
    buffer_append(&evidence, BYTES_OF(made.report));
    CHECK(snp_judge(&verdict, buffer_view(&evidence), &options) == ATTEST_REASON_NO_VEK_CERT);
    struct bytes table = table_of(&evidence, entries, ARRAY_COUNT(entries));
    CHECK(snp_judge(&verdict, buffer_view(&evidence), &options) == ATTEST_REASON_NONE);
    /* Apart from the report, as configfs gives it. */
    options.collateral.certificate_table = table;
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_NONE);
    CHECK(snp_judge(&verdict, buffer_view(&evidence), &options) == ATTEST_REASON_FORMAT);
    /* What the caller gives counts more. */
    options.collateral.vek = BYTES_LITERAL("garbage");
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_VEK_CHAIN_INVALID);
    options.collateral = own;
    options.collateral.certificate_table = BYTES_LITERAL("garbage");
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_FORMAT);
    /* A list in the table counts, too. */
    const struct entry with_list[] = { { GUID_CRL, BYTES_LITERAL("garbage") } };
    AUTO_BUFFER struct buffer list;
    buffer_init(&list, EVIDENCE_SIZE_MAX);
    options.collateral.certificate_table = table_of(&list, with_list, 1);
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_CRL_SIG_INVALID);
}

static void takes_a_vlek_for_a_vlek(void)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    plan.is_vlek = true;
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer space;
    struct attest_verdict verdict;
    buffer_init(&space, EVIDENCE_SIZE_MAX);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    struct entry entries[] = { { GUID_VLEK, options.collateral.vek },
                               { GUID_ASK, options.collateral.intermediate } };
    options.collateral = (struct attest_collateral){ 0 };
    options.collateral.certificate_table = table_of(&space, entries, 2);
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_NONE);
    entries[0].guid = GUID_VCEK;
    buffer_clear(&space);
    options.collateral.certificate_table = table_of(&space, entries, 2);
    CHECK(snp_judge(&verdict, BYTES_OF(made.report), &options) == ATTEST_REASON_NO_VEK_CERT);
}

/* Certificates and nothing else: whatever changes is noticed. */
static void notices_every_cut_and_change_of_a_table(void)
{
    struct snp_plan plan = snp_plan_of("Turin", 5);
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer evidence;
    struct attest_verdict verdict;
    struct signature_memo memo = { 0 };
    buffer_init(&evidence, EVIDENCE_SIZE_MAX);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    const struct entry entries[] = { { GUID_VCEK, options.collateral.vek },
                                     { GUID_ASK, options.collateral.intermediate } };
    options.collateral = (struct attest_collateral){ 0 };
    options.memo = &memo;
    buffer_append(&evidence, BYTES_OF(made.report));
    table_of(&evidence, entries, ARRAY_COUNT(entries));
    struct bytes whole = buffer_view(&evidence);
    REQUIRE(snp_judge(&verdict, whole, &options) == ATTEST_REASON_NONE);
    for (size_t size = 0; size < whole.size; size++)
        CHECK(snp_judge(&verdict, bytes_of(evidence.data, size), &options) != ATTEST_REASON_NONE);
    for (size_t bit = 8 * SNP_REPORT_SIZE; bit < 8 * whole.size; bit++) {
        evidence.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(snp_judge(&verdict, whole, &options) != ATTEST_REASON_NONE, "bit %zu", bit);
        evidence.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static bool is_read(const uint8_t *table, size_t size)
{
    struct error error;
    struct certificate_table read;
    return certificate_table_read(&read, bytes_of(table, size), &error);
}

static void put_entry(uint8_t *entry, const char *guid, uint32_t offset, uint32_t size)
{
    struct writer writer = writer_into(entry, ENTRY_SIZE);
    write_bytes(&writer, bytes_of(guid, 16));
    write_u32_le(&writer, offset);
    write_u32_le(&writer, size);
}

static void refuses_tables_that_do_not_add_up(void)
{
    enum {
        SIZE = 3 * ENTRY_SIZE + 8
    };
    uint8_t table[SIZE] = { 0 };
    CHECK(is_read(table, ENTRY_SIZE)); /* empty */
    CHECK(!is_read(table, ENTRY_SIZE - 1));
    CHECK(!is_read(table, 0));
    put_entry(table, GUID_ASK, 3 * ENTRY_SIZE, 8);
    put_entry(table + ENTRY_SIZE, GUID_VCEK, 3 * ENTRY_SIZE, 4);
    CHECK(is_read(table, SIZE));
    static const struct {
        uint32_t offset;
        uint32_t size;
    } wrong[] = {
        { 3 * ENTRY_SIZE - 1, 4 },
        { 0, 4 },
        { 3 * ENTRY_SIZE, 9 },
        { SIZE, 1 },
        { SIZE + 1, 1 },
        { 3 * ENTRY_SIZE, 0 },
        { 0xffffffff, 2 },
        { 3 * ENTRY_SIZE, 0xffffffff },
        { 0x80000000, 0x80000000 + SIZE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        put_entry(table + ENTRY_SIZE, GUID_VCEK, wrong[i].offset, wrong[i].size);
        CHECK_NOTE(!is_read(table, SIZE), "case %zu", i);
    }
    put_entry(table + ENTRY_SIZE, GUID_ASK, 3 * ENTRY_SIZE, 4); /* twice */
    CHECK(!is_read(table, SIZE));
    put_entry(table + ENTRY_SIZE, GUID_NEW, 3 * ENTRY_SIZE, 4);
    CHECK(is_read(table, SIZE));
    static uint8_t many[64 * ENTRY_SIZE + 8];
    for (size_t i = 0; i < 63; i++)
        put_entry(many + i * ENTRY_SIZE, GUID_NEW, 64 * ENTRY_SIZE, 8);
    CHECK(!is_read(many, sizeof(many)));
    static uint8_t huge[(64 << 10) + 1];
    CHECK(!is_read(huge, sizeof(huge)));
}

#define AK_SIZE 256

/* A wrapper around a report about `json`. */
static void wrap(struct buffer *wrapped, struct snp_made *made, const char *json, uint32_t type)
{
    struct digest32 digest = sha256_of(bytes_of_string(json));
    memset(made->report + 0x50, 0, 64);
    memcpy(made->report + 0x50, digest.bytes, 32);
    snp_made_sign(made);
    uint8_t head[32] = { 'H', 'C', 'L', 'A', 2 };
    uint8_t middle[20];
    struct writer writer = writer_into(middle, sizeof(middle));
    write_u32_le(&writer, (uint32_t)(20 + strlen(json)));
    write_u32_le(&writer, 1);
    write_u32_le(&writer, type);
    write_u32_le(&writer, 1);
    write_u32_le(&writer, (uint32_t)strlen(json));
    buffer_clear(wrapped);
    buffer_append(wrapped, BYTES_OF(head));
    buffer_append(wrapped, BYTES_OF(made->report));
    buffer_append(wrapped, writer_view(&writer));
    buffer_append_string(wrapped, json);
    uint8_t padding[16] = { 0 };
    buffer_append(wrapped, BYTES_OF(padding));
}

static const char *json_with_key(void)
{
    static char json[1024];
    char modulus[400];
    uint8_t number[AK_SIZE];
    for (size_t i = 0; i < sizeof(number); i++)
        number[i] = (uint8_t)(0x81 + i);
    base64url_encode(modulus, BYTES_OF(number));
    struct writer writer = writer_into(json, sizeof(json));
    write_bytes(&writer,
                bytes_of_string("{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":"
                                "\"RSA\",\"e\":\"AQAB\",\"n\":\""));
    write_bytes(&writer, bytes_of_string(modulus));
    write_bytes(&writer, bytes_of_string("\"},{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\","
                                         "\"n\":\"AQ\"}],\"vm-configuration\":{\"secure-boot\":"
                                         "true},\"user-data\":\"00\"}"));
    write_u8(&writer, 0);
    return json;
}

static void opens_azures_wrapper(void)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer wrapped;
    struct attest_verdict verdict;
    buffer_init(&wrapped, EVIDENCE_SIZE_MAX);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    const char *json = json_with_key();
    wrap(&wrapped, &made, json, HCL_REPORT_SNP);
    options.tee = ATTEST_TEE_ANY;
    CHECK(snp_judge(&verdict, buffer_view(&wrapped), &options) == ATTEST_REASON_NONE);
    CHECK_NUMBER(verdict.tee, ATTEST_TEE_SNP);
    const struct snp_claims *claims = &verdict.claims.snp;
    struct digest32 digest = sha256_of(bytes_of_string(json));
    CHECK(claims->has_runtime_data);
    CHECK(digest32_equal(&claims->runtime_data_digest, &digest));
    CHECK_NUMBER(claims->vtpm_ak_size, AK_SIZE);
    CHECK_NUMBER(claims->vtpm_ak[0], 0x81);
    CHECK_NUMBER(claims->vtpm_ak_exponent, 65537);
    /* A TDREPORT inside, another type, a certificate table behind. */
    wrap(&wrapped, &made, json, HCL_REPORT_TDX);
    CHECK(snp_judge(&verdict, buffer_view(&wrapped), &options) == ATTEST_REASON_UNSUPPORTED_TEE);
    CHECK(strstr(verdict.steps[0].detail, "TDREPORT") != NULL);
    wrap(&wrapped, &made, json, 3);
    CHECK(snp_judge(&verdict, buffer_view(&wrapped), &options) == ATTEST_REASON_UNSUPPORTED_TEE);
    wrap(&wrapped, &made, json, HCL_REPORT_SNP);
    buffer_append(&wrapped, BYTES_LITERAL("\x01"));
    CHECK(snp_judge(&verdict, buffer_view(&wrapped), &options) == ATTEST_REASON_FORMAT);
    /* Zeros behind it, up to the limit and beyond. */
    static uint8_t large[SNP_EVIDENCE_SIZE_MAX + 1];
    wrap(&wrapped, &made, json, HCL_REPORT_SNP);
    memcpy(large, wrapped.data, wrapped.size);
    CHECK(snp_judge(&verdict, bytes_of(large, SNP_EVIDENCE_SIZE_MAX), &options) ==
          ATTEST_REASON_NONE);
    CHECK(snp_judge(&verdict, BYTES_OF(large), &options) == ATTEST_REASON_FORMAT);
}

/* A report of Milan's, and room for a wrapper of it. */
struct scene {
    struct snp_made made;
    struct buffer wrapped;
    struct attest_options options;
};

static bool scene_init(struct scene *scene)
{
    struct snp_plan plan = snp_plan_of("Milan", 3);
    buffer_init(&scene->wrapped, EVIDENCE_SIZE_MAX);
    bool is_made = snp_made_init(&scene->made, &plan);
    scene->options = snp_made_options(&scene->made);
    return is_made;
}

static void scene_done(struct scene *scene)
{
    buffer_done(&scene->wrapped);
    snp_made_done(&scene->made);
}
#define AUTO_SCENE __attribute__((cleanup(scene_done)))

/* What is found of the report in a wrapper with this runtime data. */
static enum attest_reason judge_with(struct scene *scene, const char *json)
{
    struct attest_verdict verdict;
    wrap(&scene->wrapped, &scene->made, json, HCL_REPORT_SNP);
    return snp_judge(&verdict, buffer_view(&scene->wrapped), &scene->options);
}

static void judges_runtime_data(void)
{
    static const struct {
        const char *json;
        enum attest_reason reason;
        bool has_key;
    } cases[] = {
        { "{}", ATTEST_REASON_NONE, false },
        { "{\"keys\":[]}", ATTEST_REASON_NONE, false },
        { "{\"keys\":[{\"kid\":\"other\",\"n\":\"AQ\"}]}", ATTEST_REASON_NONE, false },
        { "not json", ATTEST_REASON_FORMAT, false },
        { "{}{}", ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[],\"keys\":[]}", ATTEST_REASON_FORMAT, false },
        { "{\"keys\":{}}", ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":5}]}",
          ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[{\"kid\":\"other\",\"n\":\"A\\u0051\"}]}", ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\"}]}", ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQ\"}]}",
          ATTEST_REASON_FORMAT, false },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"A+\"}]}",
          ATTEST_REASON_FORMAT, false },
    };
    AUTO_SCENE struct scene scene;
    struct attest_verdict verdict;
    REQUIRE(scene_init(&scene));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        enum attest_reason reason = judge_with(&scene, cases[i].json);
        CHECK_NOTE(reason == cases[i].reason, "%s: %s", cases[i].json, attest_reason_name(reason));
    }
    /* About something else: another JSON, or not only its digest. */
    CHECK(judge_with(&scene, "{}") == ATTEST_REASON_NONE);
    struct bytes wrapped = buffer_view(&scene.wrapped);
    scene.wrapped.data[32 + SNP_REPORT_SIZE + 20] = '[';
    CHECK(snp_judge(&verdict, wrapped, &scene.options) == ATTEST_REASON_RUNTIME_DATA_MISMATCH);
    CHECK(judge_with(&scene, "{}") == ATTEST_REASON_NONE);
    scene.made.report[0x8f] = 1;
    snp_made_sign(&scene.made);
    memcpy(scene.wrapped.data + 32, scene.made.report, SNP_REPORT_SIZE);
    CHECK(snp_judge(&verdict, wrapped, &scene.options) == ATTEST_REASON_RUNTIME_DATA_MISMATCH);
}

/* A key with one thing in it that is not as it should be. */
static void wants_one_sound_key(void)
{
    static const struct {
        const char *old;
        const char *new; /* of the same length */
        bool is_taken;
    } changes[] = {
        { "HCLAkPub", "HCLAkPub", true },
        { "\"kty\":\"RSA\",\"e\"", "\"kty\":\"XSA\",\"e\"", false },
        { "\"e\":\"AQAB\"", "\"e\":  \"Ag\"", false }, /* 2 */
        { "\"e\":\"AQAB\"", "\"e\":  \"Aw\"", true },  /* 3 */
        { "HCLEkPub", "HCLAkPub", false },             /* two of the name, one too short */
    };
    AUTO_SCENE struct scene scene;
    struct attest_verdict verdict;
    REQUIRE(scene_init(&scene));
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        char json[1024];
        snprintf(json, sizeof(json), "%s", json_with_key());
        char *place = strstr(json, changes[i].old);
        REQUIRE(place != NULL && strlen(changes[i].old) == strlen(changes[i].new));
        memcpy(place, changes[i].new, strlen(changes[i].new));
        enum attest_reason reason = judge_with(&scene, json);
        CHECK_NOTE(reason == (changes[i].is_taken ? ATTEST_REASON_NONE : ATTEST_REASON_FORMAT),
                   "%s: %s", changes[i].new, attest_reason_name(reason));
    }
    /* The same key twice. */
    static char twice[2048];
    const char *one = json_with_key();
    const char *end = strstr(one, "},{\"kid\":\"HCLEk");
    REQUIRE(end != NULL);
    int size = (int)(end - one) - 9;
    snprintf(twice, sizeof(twice), "{\"keys\":[%.*s},%.*s}]}", size, one + 9, size, one + 9);
    CHECK(judge_with(&scene, twice) == ATTEST_REASON_FORMAT);
    /* No runtime data; bound by another hash. */
    CHECK(judge_with(&scene, "") == ATTEST_REASON_FORMAT);
    CHECK(judge_with(&scene, "{}") == ATTEST_REASON_NONE);
    scene.wrapped.data[32 + SNP_REPORT_SIZE + 12] = 2;
    CHECK(snp_judge(&verdict, buffer_view(&scene.wrapped), &scene.options) == ATTEST_REASON_FORMAT);
}

/* All but the wrapper's head, which says nothing, is bound by the report. */
static void notices_every_cut_and_change_of_a_wrapper(void)
{
    struct snp_plan plan = snp_plan_of("Genoa", 3);
    AUTO_MADE struct snp_made made;
    AUTO_BUFFER struct buffer wrapped;
    struct attest_verdict verdict;
    struct attest_verdict original;
    struct signature_memo memo = { 0 };
    buffer_init(&wrapped, EVIDENCE_SIZE_MAX);
    REQUIRE(snp_made_init(&made, &plan));
    struct attest_options options = snp_made_options(&made);
    options.memo = &memo;
    wrap(&wrapped, &made, json_with_key(), HCL_REPORT_SNP);
    struct bytes whole = buffer_view(&wrapped);
    REQUIRE(snp_judge(&original, whole, &options) == ATTEST_REASON_NONE);
    size_t padding = 16;
    for (size_t size = 0; size < whole.size - padding; size++)
        CHECK(snp_judge(&verdict, bytes_of(whole.data, size), &options) != ATTEST_REASON_NONE);
    for (size_t bit = 0; bit < 8 * whole.size; bit++) {
        size_t byte = bit / 8;
        size_t middle = 32 + SNP_REPORT_SIZE;
        bool is_free = (byte >= 4 && byte < 32) || (byte >= middle && byte < middle + 8);
        wrapped.data[byte] ^= (uint8_t)(1 << bit % 8);
        bool is_valid = snp_judge(&verdict, whole, &options) == ATTEST_REASON_NONE;
        CHECK_NOTE(is_valid == is_free, "bit %zu", bit);
        CHECK(!is_valid || memcmp(verdict.claims.snp.vtpm_ak, original.claims.snp.vtpm_ak,
                                  sizeof(verdict.claims.snp.vtpm_ak)) == 0);
        wrapped.data[byte] ^= (uint8_t)(1 << bit % 8);
    }
}

static const struct test tests[] = {
    TEST(takes_certificates_from_the_table),
    TEST(takes_a_vlek_for_a_vlek),
    TEST(notices_every_cut_and_change_of_a_table),
    TEST(refuses_tables_that_do_not_add_up),
    TEST(opens_azures_wrapper),
    TEST(judges_runtime_data),
    TEST(wants_one_sound_key),
    TEST(notices_every_cut_and_change_of_a_wrapper),
};

int main(int argc, char **argv)
{
    snp_pki_init();
    int code = test_main(tests, ARRAY_COUNT(tests), argc, argv);
    snp_pki_done();
    return code;
}
