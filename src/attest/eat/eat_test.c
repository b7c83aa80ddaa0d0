/* SPDX-License-Identifier: Apache-2.0 */
/* Claims-sets and attestation results, read back by other means: jansson for JSON, the strict
 * reader for CBOR, and the drafts' rules as they stand there. */
#include "attest/eat/eat.h"

#include "attest/eat/ear.h"
#include "base/json.h"
#include "core/cbor.h"
#include "crypto/base64.h"
#include "crypto/cose.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/"

enum {
    DSTACK_S = 1766678659,
    TEXT_SIZE_MAX = 16384
};

static struct attest_verdict verdict;
static struct policy policy;
static struct policy_report report;

/* A real document, judged under the default policy; `is_debug`: the one of a debug enclave. */
static void judge_document(bool is_debug)
{
    struct error error;
    struct attest_options options = { .now_s = is_debug ? 1766650846 : DSTACK_S };
    CHECK(attest_verify(&verdict,
                        test_file(is_debug ? DATA "nitro/docs/dstack_attest_debug.cbor"
                                           : DATA "nitro/docs/dstack_attest.cbor"),
                        &options, &error));
    policy_default(&policy);
    CHECK(policy_evaluate(&report, &policy, &verdict, options.now_s, &error) == !is_debug);
}

/* A real quote without collateral. */
static void judge_quote(const char *path, int64_t now_s)
{
    struct error error;
    struct attest_options options = { .now_s = now_s };
    CHECK_NOTE(attest_verify(&verdict, test_file(path), &options, &error), "%s", error.text);
    policy_default(&policy);
    CHECK(!policy_evaluate(&report, &policy, &verdict, now_s, &error)); /* the TCB is unknown */
}

static json_t *parse(const struct writer *writer)
{
    struct error error;
    json_t *json = NULL;
    CHECK_NOTE(json_parse(&json, writer_view(writer), &error), "%s", error.text);
    return json;
}

static json_t *eat_json(const struct eat_claims *claims)
{
    static char text[TEXT_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    eat_write_json(&json, claims);
    json_write_object_end(&json);
    return parse(&writer);
}

static json_t *ear_json(const struct ear *ear)
{
    static char text[TEXT_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    ear_write_json(&json, ear);
    json_write_object_end(&json);
    return parse(&writer);
}

static struct bytes eat_cbor(const struct eat_claims *claims)
{
    static uint8_t space[TEXT_SIZE_MAX];
    struct writer writer = writer_into(space, sizeof(space));
    eat_write_cbor(&writer, claims);
    CHECK(!cbor_reader_of(writer_view(&writer), CBOR_SORTED).failed);
    return writer_view(&writer);
}

/* Finds a claim in a map with unsigned keys; a failed reader when it is not there. */
static struct reader claim_of(struct bytes map, uint64_t key)
{
    struct reader reader = cbor_reader_of(map, CBOR_SORTED);
    size_t count = cbor_read_map(&reader, 64);
    for (size_t i = 0; i < count; i++) {
        if (cbor_read_unsigned(&reader) == key)
            return reader;
        cbor_read_item(&reader);
    }
    reader_fail(&reader);
    return reader;
}

/* A base64url string of the JSON form against a byte string of the CBOR form. */
static void check_same_binary(const json_t *json, const char *name, struct bytes cbor, uint64_t key)
{
    uint8_t decoded[64];
    size_t size = 0;
    struct reader reader = claim_of(cbor, key);
    const char *text = json_string_value(json_object_get(json, name));
    CHECK_NOTE((text != NULL) == !reader.failed, "%s", name);
    if (text == NULL)
        return;
    CHECK(base64url_decode(decoded, sizeof(decoded), &size, bytes_of_string(text)));
    CHECK_BYTES(cbor_read_bytes(&reader), bytes_of(decoded, size));
}

/* Measurements in both forms: the same names, algorithms and values, in the same order. */
static void check_same_measurements(const json_t *json, struct bytes cbor, size_t count)
{
    struct reader reader = claim_of(cbor, 273);
    const json_t *list = json_object_get(json, "measurements");
    CHECK_NUMBER(json_array_size(list), count);
    CHECK_NUMBER(cbor_read_array(&reader, 64), count);
    for (size_t i = 0; i < count; i++) {
        struct error error;
        AUTO_JSON json_t *component = NULL;
        const json_t *pair = json_array_get(list, i);
        CHECK_NUMBER(json_integer_value(json_array_get(pair, 0)), 296);
        CHECK(json_parse(&component, bytes_of_string(json_string_value(json_array_get(pair, 1))),
                         &error));
        CHECK_NUMBER(cbor_read_array(&reader, 2), 2);
        CHECK_NUMBER(cbor_read_unsigned(&reader), 295);
        struct reader inner = cbor_reader_of(cbor_read_bytes(&reader), CBOR_SORTED);
        CHECK_NUMBER(cbor_read_map(&inner, 2), 2);
        CHECK_NUMBER(cbor_read_unsigned(&inner), 1);
        CHECK_NUMBER(cbor_read_array(&inner, 1), 1);
        const char *name = json_string_value(json_array_get(json_object_get(component, "id"), 0));
        CHECK(bytes_equal_string(cbor_read_text(&inner), name));
        CHECK_NUMBER(cbor_read_unsigned(&inner), 2);
        CHECK_NUMBER(cbor_read_array(&inner, 2), 2);
        uint64_t algorithm = cbor_read_unsigned(&inner);
        const json_t *digest = json_object_get(component, "digested-measurement");
        CHECK_STRING(json_string_value(json_array_get(digest, 0)), algorithm == 1   ? "sha-256"
                                                                   : algorithm == 7 ? "sha-384"
                                                                                    : "sha-512");
        uint8_t value[64];
        size_t size = 0;
        CHECK(base64url_decode(value, sizeof(value), &size,
                               bytes_of_string(json_string_value(json_array_get(digest, 1)))));
        CHECK_BYTES(cbor_read_bytes(&inner), bytes_of(value, size));
        CHECK_NUMBER(size, algorithm == 1 ? 32 : algorithm == 7 ? 48 : 64);
        CHECK(read_end(&inner));
    }
}

static void check_claims(size_t measurement_count, const char *debug)
{
    struct eat_claims claims;
    eat_claims_of(&claims, &verdict, &report);
    AUTO_JSON json_t *json = eat_json(&claims);
    struct bytes cbor = eat_cbor(&claims);
    check_same_binary(json, "eat_nonce", cbor, 10);
    check_same_binary(json, "ueid", cbor, 256);
    check_same_binary(json, "hwmodel", cbor, 259);
    check_same_measurements(json, cbor, measurement_count);
    struct reader reader = claim_of(cbor, 258);
    const json_t *oem = json_object_get(json, "oemid");
    CHECK((oem != NULL) == !reader.failed);
    if (oem != NULL)
        CHECK_NUMBER(cbor_read_unsigned(&reader), json_integer_value(oem));
    reader = claim_of(cbor, 263);
    CHECK_STRING(json_string_value(json_object_get(json, "dbgstat")), debug);
    CHECK_NUMBER(cbor_read_unsigned(&reader), strcmp(debug, "enabled") == 0 ? 0 : 2);
    reader = claim_of(cbor, 265);
    CHECK(bytes_equal_string(cbor_read_text(&reader), "urn:s3n:evidence:1"));
    CHECK_STRING(json_string_value(json_object_get(json, "eat_profile")), "urn:s3n:evidence:1");
    reader = claim_of(cbor, 274);
    CHECK_NUMBER(cbor_read_array(&reader, 1), 1);
    CHECK_BYTES(cbor_read_item(&reader),
                BYTES_LITERAL("\x82\x6as3n-policy\x81\x82\x6bmeasurement\x03"));
    CHECK_STRING(json_string_value(json_array_get(
                     json_array_get(
                         json_array_get(json_array_get(json_object_get(json, "measres"), 0), 1), 0),
                     1)),
                 "not-run");
    /* Sizes as RFC 9711 has them. */
    CHECK(claims.nonce_size == 0 || (claims.nonce_size >= 8 && claims.nonce_size <= 64));
    CHECK(claims.ueid_size == 0 || (claims.ueid_size >= 7 && claims.ueid_size <= 33));
    CHECK(claims.ueid_size == 0 || claims.ueid[0] == 1);
}

static void names_claims_of_documents(void)
{
    judge_document(false);
    check_claims(4, "disabled-since-boot"); /* PCR0 to PCR2 and PCR4; the others are zero */
    struct eat_claims claims;
    eat_claims_of(&claims, &verdict, NULL);
    CHECK_BYTES(bytes_of(claims.nonce, claims.nonce_size), verdict.claims.nitro.user_data);
    CHECK_NUMBER(claims.ueid_size, 33);
    CHECK(!claims.has_results && claims.software_name == NULL);
    judge_document(true);
    check_claims(1, "enabled");
}

static void names_claims_of_quotes(void)
{
    judge_quote(DATA "tdx_v4_phala_b0c06f.bin", 1750377600);
    check_claims(6, "disabled-since-boot");
    struct eat_claims claims;
    eat_claims_of(&claims, &verdict, NULL);
    CHECK_NUMBER(claims.oem, 343);
    CHECK_BYTES(bytes_of(claims.ueid + 1, 16), BYTES_OF(verdict.claims.intel.pck.ppid));
    CHECK_NUMBER(claims.ueid_size, 17);
    CHECK_BYTES(bytes_of(claims.hardware_model, claims.hardware_model_size),
                BYTES_LITERAL("\xb0\xc0\x6f\0\0\0"));
    CHECK_STRING(claims.measurements[0].name, "mrtd");
    CHECK_BYTES(bytes_of(claims.measurements[0].value, 48),
                BYTES_OF(verdict.claims.intel.td.mr_td));
    judge_quote(DATA "sgx_v3_occlum_00606a_debug.bin", 1755648000);
    check_claims(2, "enabled");
}

static void names_the_software_that_a_policy_knows(void)
{
    judge_document(false);
    report.measurement = "image 1.4";
    struct eat_claims claims;
    eat_claims_of(&claims, &verdict, &report);
    AUTO_JSON json_t *json = eat_json(&claims);
    struct bytes cbor = eat_cbor(&claims);
    CHECK_STRING(json_string_value(json_object_get(json, "swname")), "image 1.4");
    struct reader reader = claim_of(cbor, 270);
    CHECK_BYTES(cbor_read_text(&reader), BYTES_LITERAL("image 1.4"));
    CHECK_NUMBER(claims.result, EAT_RESULT_SUCCESS);
}

/* A CWT in the sense of RFC 9711: the CBOR claims, signed with COSE_Sign1. */
static void can_be_signed(void)
{
    struct error error;
    enum cose_fault fault;
    struct cose_sign1 message;
    struct eat_claims claims;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO_BUFFER struct buffer token;
    buffer_init(&token, TEXT_SIZE_MAX);
    judge_document(false);
    eat_claims_of(&claims, &verdict, &report);
    struct bytes payload = eat_cbor(&claims);
    REQUIRE(ecdsa_key_generate(&key, &error));
    REQUIRE(cose_sign1_sign(&token, payload, (struct bytes){ 0 }, BYTES_LITERAL("verifier"), key,
                            &error));
    REQUIRE(cose_sign1_parse(&message, buffer_view(&token), CBOR_SORTED, &fault, &error));
    struct public_key public = { .kind = PUBLIC_KEY_P256, .p256 = *ecdsa_key_public(key) };
    CHECK(cose_sign1_verify(&message, &public, (struct bytes){ 0 }, &error));
    CHECK_BYTES(message.payload, payload);
}

static enum ear_tier worst_of(const struct ear *ear)
{
    enum ear_tier worst = EAR_TIER_NONE;
    for (size_t i = 0; i < EAR_CLAIM_COUNT; i++) {
        int value = ear->vector[i];
        /* draft-ietf-rats-ar4si section 2.3.2, written out. */
        enum ear_tier tier = value == 0 || value == 1 || value == -1 ? EAR_TIER_NONE
                             : (value >= 2 && value <= 31) || (value >= -32 && value <= -2)
                                 ? EAR_TIER_AFFIRMING
                             : (value >= 32 && value <= 95) || (value >= -96 && value <= -33)
                                 ? EAR_TIER_WARNING
                                 : EAR_TIER_CONTRAINDICATED;
        CHECK_NUMBER(ear_tier_of(ear->vector[i]), tier);
        worst = MAX(worst, tier);
    }
    return worst;
}

/* The rules of the drafts, and that both forms say the same. */
static void check_ear(const struct ear *ear)
{
    static const char *const tiers[] = {
        [0] = "none", [2] = "affirming", [32] = "warning", [96] = "contraindicated"
    };
    static const char *const names[] = { "instance-identity", "configuration", "executables",
                                         "file-system",       "hardware",      "runtime-opaque",
                                         "storage-opaque",    "sourced-data" };
    uint8_t space[1024];
    CHECK(ear->status >= worst_of(ear)); /* never more trust than the worst claim */
    AUTO_JSON json_t *json = ear_json(ear);
    struct writer writer = writer_into(space, sizeof(space));
    ear_write_cbor(&writer, ear);
    struct bytes cbor = writer_view(&writer);
    CHECK_STRING(json_string_value(json_object_get(json, "eat_profile")), EAR_PROFILE);
    struct reader reader = claim_of(cbor, 265);
    CHECK_BYTES(cbor_read_text(&reader), BYTES_LITERAL(EAR_PROFILE));
    reader = claim_of(cbor, 6);
    CHECK_NUMBER(cbor_read_integer(&reader), json_integer_value(json_object_get(json, "iat")));
    const json_t *verifier = json_object_get(json, "ear.verifier-id");
    reader = claim_of(cbor, 1004);
    CHECK_NUMBER(cbor_read_map(&reader, 2), 2);
    CHECK_NUMBER(cbor_read_unsigned(&reader), 0);
    CHECK(bytes_equal_string(cbor_read_text(&reader),
                             json_string_value(json_object_get(verifier, "developer"))));
    CHECK_NUMBER(cbor_read_unsigned(&reader), 1);
    CHECK(bytes_equal_string(cbor_read_text(&reader),
                             json_string_value(json_object_get(verifier, "build"))));
    const json_t *submods = json_object_get(json, "submods");
    CHECK_NUMBER(json_object_size(submods), 1);
    const json_t *appraisal = json_object_get(submods, ear->label);
    reader = claim_of(cbor, 266);
    CHECK_NUMBER(cbor_read_map(&reader, 1), 1);
    CHECK(bytes_equal_string(cbor_read_text(&reader), ear->label));
    struct bytes inner = cbor_read_item(&reader);
    CHECK_STRING(json_string_value(json_object_get(appraisal, "ear.status")), tiers[ear->status]);
    reader = claim_of(inner, 1000);
    CHECK_NUMBER(cbor_read_unsigned(&reader), ear->status);
    const json_t *vector = json_object_get(appraisal, "ear.trustworthiness-vector");
    reader = claim_of(inner, 1001);
    CHECK_NUMBER(cbor_read_map(&reader, 8), 8);
    for (size_t i = 0; i < 8; i++) {
        CHECK_NUMBER(cbor_read_unsigned(&reader), i);
        CHECK(json_is_integer(json_object_get(vector, names[i])));
        CHECK_NUMBER(cbor_read_integer(&reader),
                     json_integer_value(json_object_get(vector, names[i])));
    }
    reader = claim_of(inner, 1003);
    const json_t *id = json_object_get(appraisal, "ear.appraisal-policy-id");
    CHECK((id != NULL) == !reader.failed && (id != NULL) == (ear->policy_id != NULL));
    CHECK(id == NULL || bytes_equal_string(cbor_read_text(&reader), json_string_value(id)));
}

static void appraises_documents(void)
{
    struct ear ear;
    judge_document(false);
    ear_of(&ear, &verdict, &report, "default", DSTACK_S);
    check_ear(&ear);
    CHECK_STRING(ear.label, "nitro");
    CHECK_NUMBER(ear.status, EAR_TIER_AFFIRMING);
    CHECK_NUMBER(ear.vector[EAR_HARDWARE], 2);
    CHECK_NUMBER(ear.vector[EAR_CONFIGURATION], 2);
    CHECK_NUMBER(ear.vector[EAR_EXECUTABLES], 0);
    CHECK_NUMBER(ear.vector[EAR_RUNTIME_OPAQUE], 0);
    report.measurement = "a";
    report.pin = "b";
    ear_of(&ear, &verdict, &report, "default", DSTACK_S);
    check_ear(&ear);
    CHECK_NUMBER(ear.vector[EAR_EXECUTABLES], 3);
    CHECK_NUMBER(ear.vector[EAR_INSTANCE_IDENTITY], 2);
    ear_of(&ear, &verdict, NULL, NULL, DSTACK_S);
    check_ear(&ear);
    CHECK_NUMBER(ear.status, EAR_TIER_AFFIRMING);
    judge_document(true);
    ear_of(&ear, &verdict, &report, "default", DSTACK_S);
    check_ear(&ear);
    CHECK_NUMBER(ear.status, EAR_TIER_CONTRAINDICATED);
    CHECK_NUMBER(ear.vector[EAR_CONFIGURATION], 96);
    CHECK_NUMBER(ear.vector[EAR_RUNTIME_OPAQUE], 96);
}

static void appraises_quotes_by_their_tcb(void)
{
    static const struct {
        enum intel_tcb_status status;
        int hardware, configuration;
        enum ear_tier tier;
    } cases[] = {
        { INTEL_TCB_UP_TO_DATE, 2, 2, EAR_TIER_AFFIRMING },
        { INTEL_TCB_SW_HARDENING, 2, 2, EAR_TIER_AFFIRMING },
        { INTEL_TCB_CONFIGURATION, 2, 32, EAR_TIER_WARNING },
        { INTEL_TCB_CONFIGURATION_SW_HARDENING, 2, 32, EAR_TIER_WARNING },
        { INTEL_TCB_OUT_OF_DATE, 32, 2, EAR_TIER_WARNING },
        { INTEL_TCB_OUT_OF_DATE_CONFIGURATION, 32, 32, EAR_TIER_WARNING },
        { INTEL_TCB_TD_RELAUNCH, 32, 2, EAR_TIER_WARNING },
        { INTEL_TCB_REVOKED, 96, 2, EAR_TIER_CONTRAINDICATED },
    };
    struct ear ear;
    judge_quote(DATA "tdx_v4_phala_b0c06f.bin", 1750377600);
    ear_of(&ear, &verdict, NULL, NULL, 1750377600);
    check_ear(&ear);
    CHECK_NUMBER(ear.vector[EAR_CONFIGURATION], 36); /* no collateral: the verifier lacks it */
    CHECK_NUMBER(ear.status, EAR_TIER_WARNING);
    ear_of(&ear, &verdict, &report, "default", 1750377600);
    check_ear(&ear);
    CHECK_NUMBER(ear.status, EAR_TIER_CONTRAINDICATED); /* the policy rejects it */
    for (size_t i = 0; i < verdict.step_count; i++)
        verdict.steps[i].state = ATTEST_STEP_PASSED;
    report = (struct policy_report){ .is_accepted = true };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        verdict.claims.intel.tcb_status = cases[i].status;
        ear_of(&ear, &verdict, &report, "lenient", 1750377600);
        check_ear(&ear);
        CHECK_NUMBER(ear.vector[EAR_HARDWARE], cases[i].hardware);
        CHECK_NUMBER(ear.vector[EAR_CONFIGURATION], cases[i].configuration);
        CHECK_NUMBER(ear.vector[EAR_RUNTIME_OPAQUE], 2);
        CHECK_NUMBER(ear.status, cases[i].tier);
    }
    /* A development root is no hardware, whatever a policy accepts. */
    verdict.claims.is_simulated = true;
    ear_of(&ear, &verdict, &report, "lenient", 1750377600);
    CHECK_NUMBER(ear.vector[EAR_HARDWARE], 97);
    CHECK_NUMBER(ear.status, EAR_TIER_CONTRAINDICATED);
}

static void tells_what_a_policy_misses(void)
{
    struct ear ear;
    judge_document(false);
    report =
        (struct policy_report){ .rule_count = 2,
                                .rules = { { .name = "measurement" }, { .name = "platform" } } };
    ear_of(&ear, &verdict, &report, "strict", DSTACK_S);
    check_ear(&ear);
    CHECK_NUMBER(ear.vector[EAR_EXECUTABLES], 33);
    CHECK_NUMBER(ear.vector[EAR_INSTANCE_IDENTITY], 97);
    CHECK_NUMBER(ear.status, EAR_TIER_CONTRAINDICATED);
    struct eat_claims claims;
    eat_claims_of(&claims, &verdict, &report);
    CHECK_NUMBER(claims.result, EAT_RESULT_FAIL);
}

static void contraindicates_all_that_is_invalid(void)
{
    static const struct {
        enum attest_reason reason;
        enum ear_claim claim;
        int value;
    } cases[] = {
        { ATTEST_REASON_FORMAT, EAR_HARDWARE, 1 },
        { ATTEST_REASON_TRAILING_DATA, EAR_HARDWARE, 1 },
        { ATTEST_REASON_SIGNATURE_INVALID, EAR_INSTANCE_IDENTITY, 99 },
        { ATTEST_REASON_QUOTE_SIG_INVALID, EAR_EXECUTABLES, 99 },
        { ATTEST_REASON_CHAIN_INVALID, EAR_HARDWARE, 99 },
        { ATTEST_REASON_CERT_BINDING_INVALID, EAR_HARDWARE, 99 },
        { ATTEST_REASON_ROOT_UNTRUSTED, EAR_HARDWARE, 97 },
        { ATTEST_REASON_SIMULATED, EAR_HARDWARE, 97 },
        { ATTEST_REASON_QE_IDENTITY_MISMATCH, EAR_HARDWARE, 97 },
        { ATTEST_REASON_PCK_REVOKED, EAR_INSTANCE_IDENTITY, 96 },
        { ATTEST_REASON_TCB_REVOKED, EAR_HARDWARE, 96 },
        { ATTEST_REASON_TCB_INFO_EXPIRED, EAR_CONFIGURATION, 36 },
        { ATTEST_REASON_REPORT_DATA_MISMATCH, EAR_INSTANCE_IDENTITY, 97 },
    };
    struct ear ear;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        verdict = (struct attest_verdict){ .tee = ATTEST_TEE_SGX, .reason = cases[i].reason };
        ear_of(&ear, &verdict, NULL, NULL, 0);
        CHECK_NOTE(ear.vector[cases[i].claim] == cases[i].value, "%s",
                   attest_reason_name(cases[i].reason));
    }
    for (enum attest_reason reason = ATTEST_REASON_FORMAT;
         reason <= ATTEST_REASON_CERT_BINDING_INVALID; reason++) {
        bool has_claim = false;
        verdict = (struct attest_verdict){ .reason = reason };
        ear_of(&ear, &verdict, NULL, NULL, 0);
        check_ear(&ear);
        CHECK_STRING(ear.label, "unknown");
        CHECK_NUMBER(ear.status, EAR_TIER_CONTRAINDICATED);
        for (size_t i = 0; i < EAR_CLAIM_COUNT; i++) {
            has_claim = has_claim || ear.vector[i] != 0;
            CHECK(ear_tier_of(ear.vector[i]) != EAR_TIER_AFFIRMING);
        }
        CHECK(has_claim);
    }
}

static const struct test tests[] = {
    TEST(names_claims_of_documents),
    TEST(names_claims_of_quotes),
    TEST(names_the_software_that_a_policy_knows),
    TEST(can_be_signed),
    TEST(appraises_documents),
    TEST(appraises_quotes_by_their_tcb),
    TEST(tells_what_a_policy_misses),
    TEST(contraindicates_all_that_is_invalid),
};
TEST_MAIN(tests)
