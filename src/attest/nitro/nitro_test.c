/* SPDX-License-Identifier: Apache-2.0 */
/* Real documents and their changes, as the manifest in tests/data/attest/nitro has them. */
#include "attest/attest.h"

#include "attest/policy/policy_file.h"
#include "base/json.h"
#include "core/time.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define DATA "tests/data/attest/nitro/"

enum {
    DSTACK_S = 1766678659, /* 2025-12-25T16:04:19Z */
    CLAIMS_SIZE_MAX = 16384
};

static struct bytes data_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), DATA "%s", name);
    return test_file(path);
}

/* The real documents, each with the time it was made. */
static const struct {
    const char *file;
    int64_t now_s;
} real[] = {
    { "docs/dstack_attest.cbor", DSTACK_S },    { "docs/dstack_attest_debug.cbor", 1766650846 },
    { "docs/dstack_nsm_qvl.cbor", 1766668537 }, { "docs/evervault_debug.cbor", 1665582606 },
    { "docs/qos_production.cbor", 1721159587 },
};

static enum attest_reason judge(struct attest_verdict *verdict, struct bytes document,
                                const struct attest_options *options)
{
    struct error error;
    bool is_valid = attest_verify(verdict, document, options, &error);
    CHECK(is_valid == verdict->is_valid && is_valid == (verdict->reason == ATTEST_REASON_NONE));
    CHECK(is_valid || error.code == ERROR_UNVERIFIED);
    return verdict->reason;
}

/* The claims as `s3n verify evidence --json` prints them. */
static json_t *claims_of(const struct attest_verdict *verdict)
{
    static char text[CLAIMS_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    attest_verdict_write(&json, verdict);
    json_write_object_end(&json);
    struct error error;
    json_t *object = NULL;
    CHECK_NOTE(json_parse(&object, writer_view(&writer), &error), "%s", error.text);
    return object;
}

static void check_claims(const char *name, json_t *expected, const struct attest_verdict *verdict)
{
    AUTO_JSON json_t *found = claims_of(verdict);
    const json_t *claims = json_object_get(found, "claims");
    const char *key;
    json_t *value;
    CHECK_STRING(json_string_value(json_object_get(found, "result")),
                 json_string_value(json_object_get(expected, "result")));
    json_object_foreach(expected, key, value)
        CHECK_NOTE(strcmp(key, "result") == 0 || strcmp(key, "policy") == 0 ||
                       json_equal(json_object_get(claims, key), value) == 1,
                   "%s: %s differs", name, key);
}

static void agrees_with_all_cases(void)
{
    struct error error;
    AUTO_JSON json_t *manifest = NULL;
    REQUIRE(json_parse(&manifest, data_file("manifest.json"), &error));
    json_t *cases = json_object_get(manifest, "cases");
    CHECK(json_array_size(cases) >= 20);
    size_t index;
    json_t *item;
    json_array_foreach(cases, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *document = json_string_value(json_object_get(item, "document"));
        const char *at = json_string_value(json_object_get(item, "at"));
        json_t *expected = json_object_get(item, "expect");
        const char *reason = json_string_value(json_object_get(expected, "reason"));
        struct attest_options options = { .tee = ATTEST_TEE_NITRO };
        REQUIRE(name != NULL && document != NULL && at != NULL && expected != NULL);
        REQUIRE(time_parse(&options.now_s, bytes_of_string(at)));
        struct attest_verdict verdict;
        const char *found = attest_reason_name(judge(&verdict, data_file(document), &options));
        CHECK_NOTE(strcmp(found, reason == NULL ? "NONE" : reason) == 0, "%s: %s", name, found);
        if (reason == NULL && verdict.is_valid)
            check_claims(name, expected, &verdict);
    }
}

static void tells_what_the_document_says(void)
{
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = real[3].now_s };
    REQUIRE(judge(&verdict, data_file(real[3].file), &options) == ATTEST_REASON_NONE);
    CHECK_NUMBER(verdict.tee, ATTEST_TEE_NITRO);
    const struct nitro_claims *claims = &verdict.claims.nitro;
    CHECK_STRING(claims->module_id, "i-03ad7cdb817437eeb-enc0183cc7569b3f6e1");
    CHECK_BYTES(claims->public_key, BYTES_LITERAL("my super secret key"));
    CHECK_BYTES(claims->user_data, BYTES_LITERAL("hello, world!"));
    CHECK(claims->nonce.size == 0);
    CHECK_NUMBER(claims->timestamp_ms, 1665582606081);
    CHECK(verdict.claims.is_debug && !verdict.claims.is_simulated);
    for (size_t i = 0; i < NITRO_PCR_COUNT; i++)
        CHECK_NUMBER(claims->pcr_sizes[i], i < 16 ? 48 : 0);
    AUTO_JSON json_t *found = claims_of(&verdict);
    json_t *members = json_object_get(found, "claims");
    CHECK_STRING(json_string_value(json_object_get(members, "digest")), "SHA384");
    CHECK_NUMBER(json_integer_value(json_object_get(members, "timestamp")), 1665582606081);
    CHECK_STRING(json_string_value(json_object_get(members, "user_data")),
                 "68656c6c6f2c20776f726c6421");
    CHECK(json_is_null(json_object_get(members, "nonce")));
    CHECK(json_object_get(members, "pcr15") != NULL && json_object_get(members, "pcr16") == NULL);
    /* PCR4 names the instance. */
    uint8_t extended[48 + 19] = { 0 };
    memcpy(extended + 48, "i-03ad7cdb817437eeb", 19);
    CHECK_BYTES(bytes_of(claims->pcrs[4], 48), BYTES_OF(sha384_of(BYTES_OF(extended)).bytes));
}

static void trusts_the_built_in_root_or_the_one_given(void)
{
    struct error error;
    struct x509_certificate root, other;
    struct attest_verdict verdict;
    struct bytes der = data_file("aws_nitro_root_g1.der");
    CHECK_BYTES(attest_nitro_root(), der);
    REQUIRE(x509_parse(&root, der, &error) && x509_parse(&other, attest_intel_root(), &error));
    struct attest_options options = { .now_s = DSTACK_S, .root = &root };
    CHECK(judge(&verdict, data_file(real[0].file), &options) == ATTEST_REASON_NONE);
    options.root = &other;
    CHECK(judge(&verdict, data_file(real[0].file), &options) == ATTEST_REASON_ROOT_UNTRUSTED);
}

static void compares_report_data_with_user_data_only(void)
{
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = real[3].now_s };
    struct bytes document = data_file(real[3].file);
    options.report_data = BYTES_LITERAL("hello, world!");
    CHECK(judge(&verdict, document, &options) == ATTEST_REASON_NONE);
    options.report_data = BYTES_LITERAL("hello, world");
    CHECK(judge(&verdict, document, &options) == ATTEST_REASON_REPORT_DATA_MISMATCH);
    options.report_data = BYTES_LITERAL("my super secret key");
    CHECK(judge(&verdict, document, &options) == ATTEST_REASON_REPORT_DATA_MISMATCH);
    options.now_s = DSTACK_S;
    document = data_file(real[0].file);
    options.report_data = (struct bytes){ 0 };
    REQUIRE(judge(&verdict, document, &options) == ATTEST_REASON_NONE);
    CHECK_BYTES(BYTES_OF(verdict.claims.report_data), verdict.claims.nitro.user_data);
}

/* Whether the default policy with these lines accepts the document. */
static bool is_accepted_by(const struct attest_verdict *verdict, const char *lines, int64_t now_s)
{
    struct error error;
    static struct policy policy;
    static struct policy_report report;
    char text[512];
    snprintf(text, sizeof(text), "s3n_policy_version = 1\n%s\n", lines);
    bool is_read = policy_parse(&policy, "policy.toml", bytes_of_string(text), &error);
    CHECK_NOTE(is_read, "%s", error.text);
    return is_read && policy_evaluate(&report, &policy, verdict, now_s, &error);
}

static void is_judged_by_policies(void)
{
    struct attest_verdict verdict;
    struct attest_options options = { .now_s = DSTACK_S };
    REQUIRE(judge(&verdict, data_file(real[0].file), &options) == ATTEST_REASON_NONE);
#define PCR0                                                                                       \
    "[[measurement]]\nname = \"a\"\npcr0 = "                                                       \
    "\"eb7d0dab08ff41546d7e5659aee883af7b32bb2e58e46815b719f9"                                     \
    "f7bfae7b880188a10d86317e6509923740526cf74%c\"\n"
    char lines[512];
    snprintf(lines, sizeof(lines), PCR0, 'a');
    CHECK(is_accepted_by(&verdict, lines, DSTACK_S));
    snprintf(lines, sizeof(lines), PCR0, 'b');
    CHECK(!is_accepted_by(&verdict, lines, DSTACK_S));
    CHECK(!is_accepted_by(&verdict, "tee = [\"tdx\", \"snp\"]", DSTACK_S));
    static const char pin[] = "[[platform]]\nname = \"b\"\nmodule_id = "
                              "\"i-0827e799ec9232d44-enc019b5640fdf630d%d\"";
    snprintf(lines, sizeof(lines), pin, 6);
    CHECK(is_accepted_by(&verdict, lines, DSTACK_S));
    snprintf(lines, sizeof(lines), pin, 7);
    CHECK(!is_accepted_by(&verdict, lines, DSTACK_S));
    CHECK(is_accepted_by(&verdict, "require_platform_id = true", DSTACK_S));
    CHECK(is_accepted_by(&verdict, "[evidence]\nage_max_s = 60", DSTACK_S + 60));
    CHECK(!is_accepted_by(&verdict, "[evidence]\nage_max_s = 60", DSTACK_S + 61));
    /* Debug is genuine, and refused unless said. */
    options.now_s = real[1].now_s;
    REQUIRE(judge(&verdict, data_file(real[1].file), &options) == ATTEST_REASON_NONE);
    CHECK(!is_accepted_by(&verdict, "", real[1].now_s));
    CHECK(is_accepted_by(&verdict, "debug = true", real[1].now_s));
}

static const struct test tests[] = {
    TEST(agrees_with_all_cases),
    TEST(tells_what_the_document_says),
    TEST(trusts_the_built_in_root_or_the_one_given),
    TEST(compares_report_data_with_user_data_only),
    TEST(is_judged_by_policies),
};
TEST_MAIN(tests)
