/* SPDX-License-Identifier: Apache-2.0 */
/* Real reports and their changes, as the manifest in tests/data/attest/snp has them. */
#include "attest/amd/test_reports.h"
#include "base/json.h"
#include "core/time.h"
#include "tests/harness.h"

#include <string.h>

enum {
    CLAIMS_SIZE_MAX = 16384,
    NOW_S = 1751328000 /* 2025-07-01 */
};

static struct bytes file_of(const json_t *item, const char *key)
{
    const char *name = json_string_value(json_object_get(item, key));
    return name == NULL ? (struct bytes){ 0 } : snp_file(name);
}

/* The verdict as `s3n verify evidence --json` prints it. */
static json_t *json_of(const struct attest_verdict *verdict)
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
    AUTO_JSON json_t *found = json_of(verdict);
    const json_t *claims = json_object_get(found, "claims");
    const char *key;
    json_t *value;
    CHECK_STRING(json_string_value(json_object_get(found, "result")), "valid");
    json_object_foreach(expected, key, value)
        CHECK_NOTE(strcmp(key, "result") == 0 || strcmp(key, "policy_note") == 0 ||
                       json_equal(json_object_get(claims, key), value) == 1,
                   "%s: %s differs", name, key);
}

static void check_case(const json_t *item)
{
    struct error error;
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *at = json_string_value(json_object_get(item, "at"));
    json_t *expected = json_object_get(item, "expect");
    const char *reason = json_string_value(json_object_get(expected, "reason"));
    struct bytes ark = file_of(item, "ark");
    struct x509_certificate root;
    struct attest_options options = { .tee = ATTEST_TEE_SNP, .now_s = NOW_S };
    REQUIRE(at == NULL || time_parse(&options.now_s, bytes_of_string(at)));
    REQUIRE(ark.size == 0 || x509_parse(&root, ark, &error));
    options.collateral.vek = file_of(item, "vek");
    options.collateral.intermediate = file_of(item, "intermediate");
    options.collateral.crl = file_of(item, "crl");
    /* With the root given, and with those built in where that is what was given. */
    for (unsigned built_in = 0; built_in < 2; built_in++) {
        struct attest_verdict verdict;
        options.root = built_in == 1 || ark.size == 0 ? NULL : &root;
        const char *found =
            attest_reason_name(snp_judge(&verdict, file_of(item, "report"), &options));
        CHECK_NOTE(strstr(reason == NULL ? "NONE" : reason, found) != NULL, "%s: %s", name, found);
        if (reason == NULL && verdict.is_valid)
            check_claims(name, expected, &verdict);
    }
}

static void agrees_with_all_cases(void)
{
    struct error error;
    size_t count = 0;
    size_t index;
    json_t *item;
    AUTO_JSON json_t *manifest = NULL;
    REQUIRE(json_parse(&manifest, snp_file("manifest.json"), &error));
    json_array_foreach(json_object_get(manifest, "cases"), index, item)
    {
        if (json_object_get(item, "report") == NULL)
            continue; /* of the list alone: crypto's tests */
        check_case(item);
        count++;
    }
    CHECK(count >= 40);
}

/* What the manifest says of each report's fields is among the claims, in the same words. */
static void tells_every_field(void)
{
    struct error error;
    size_t index;
    json_t *item;
    size_t count = 0;
    AUTO_JSON json_t *manifest = NULL;
    REQUIRE(json_parse(&manifest, snp_file("manifest.json"), &error));
    json_array_foreach(json_object_get(manifest, "files"), index, item)
    {
        const char *file = json_string_value(json_object_get(item, "file"));
        for (size_t i = 0; i < SNP_REAL_COUNT; i++) {
            if (strcmp(file, snp_real[i].report) != 0)
                continue;
            struct attest_verdict verdict;
            struct attest_options options = snp_options(i);
            REQUIRE(snp_judge(&verdict, snp_file(file), &options) == ATTEST_REASON_NONE);
            AUTO_JSON json_t *found = json_of(&verdict);
            const json_t *claims = json_object_get(found, "claims");
            const char *key;
            json_t *value;
            json_object_foreach(json_object_get(item, "fields"), key, value)
            {
                json_t *claim = json_object_get(claims, key);
                bool is_same = json_equal(claim, value) == 1 ||
                               (json_is_boolean(claim) && json_is_integer(value) &&
                                json_boolean_value(claim) == json_integer_value(value));
                CHECK_NOTE(is_same || strcmp(key, "rest_zero") == 0, "%s: %s differs", file, key);
            }
            count++;
        }
    }
    CHECK_NUMBER(count, SNP_REAL_COUNT);
}

static void roots_are_amds(void)
{
    static const struct {
        enum snp_product product;
        const char *file;
    } roots[] = {
        { SNP_PRODUCT_MILAN, "certs/milan_ark.der" },
        { SNP_PRODUCT_GENOA, "certs/genoa_ark.der" },
        { SNP_PRODUCT_TURIN, "certs/turin_ark.der" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++) {
        struct error error;
        struct x509_certificate root;
        CHECK_BYTES(snp_built_in_root(roots[i].product), snp_file(roots[i].file));
        REQUIRE(x509_parse(&root, snp_built_in_root(roots[i].product), &error));
        CHECK(x509_is_self_issued(&root) && x509_signature_verify(&root, &root.key, &error));
    }
}

static const struct test tests[] = {
    TEST(agrees_with_all_cases),
    TEST(tells_every_field),
    TEST(roots_are_amds),
};
TEST_MAIN(tests)
