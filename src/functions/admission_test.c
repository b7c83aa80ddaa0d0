/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/admission.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static json_t *json_of(const char *text)
{
    json_t *tree = NULL;
    struct error error;
    CHECK_NOTE(json_parse(&tree, bytes_of_string(text), &error), "%s", error.text);
    return tree;
}

/* "ok", or the rule that refuses. */
static const char *verdict(const char *policy_text, enum function_kind kind,
                           const char *report_text)
{
    static char rule[64];
    AUTO_JSON json_t *table = json_of(policy_text);
    AUTO_JSON json_t *report = report_text == NULL ? NULL : json_of(report_text);
    struct admission policy = { 0 };
    struct manifest_function function = { .name = "f", .kind = kind };
    function.limits.memory_mib = 64;
    struct function_image image = { .code_size = 2049, .image_size = 4096 };
    struct error error;
    if (!admission_parse(&policy, table, &error)) {
        CHECK_NOTE(false, "%s", error.text);
        return "?";
    }
    bool is_allowed = admission_check(&policy, &function, &image, report, &error);
    admission_done(&policy);
    if (is_allowed)
        return "ok";
    CHECK(error.code == ERROR_DENIED);
    CHECK_NOTE(strstr(error.text, "function f ") != NULL, "%s", error.text);
    snprintf(rule, sizeof(rule), "%.*s", (int)strcspn(error.text, ":"), error.text);
    return rule;
}

#define REPORT                                                                                     \
    "{\"imports\":[\"env.log\",\"wasi.read\"],\"imports_count\":2,\"features\":[\"simd\"],"        \
    "\"deterministic\":false}"

static void judges_each_rule(void)
{
    static const struct {
        const char *policy, *verdict;
    } rows[] = {
        { "{}", "ok" },
        { "{\"kinds\":[\"wasm\"]}", "ok" },
        { "{\"kinds\":[\"native\"]}", "policy.kinds" },
        { "{\"kinds\":[]}", "policy.kinds" },
        { "{\"imports\":[\"env.*\",\"wasi.read\"]}", "ok" },
        { "{\"imports\":[\"*\"]}", "ok" },
        { "{\"imports\":[\"env.lo\",\"wasi.*\"]}", "policy.imports" },
        { "{\"imports\":[\"env.*\"]}", "policy.imports" },
        { "{\"imports\":[]}", "policy.imports" },
        { "{\"no_imports\":[\"wasi.write\"]}", "ok" },
        { "{\"no_imports\":[\"wasi.r*\"]}", "policy.no_imports" },
        { "{\"imports\":[\"*\"],\"no_imports\":[\"env.log\"]}", "policy.no_imports" },
        { "{\"features\":[\"simd\",\"tail-call\"]}", "ok" },
        { "{\"features\":[\"tail-call\"]}", "policy.features" },
        { "{\"deterministic\":false}", "ok" },
        { "{\"deterministic\":true}", "policy.deterministic" },
        { "{\"module_kib\":3}", "ok" }, /* 2049 bytes are begun KiB */
        { "{\"module_kib\":2}", "policy.module_kib" },
        { "{\"image_kib\":4}", "ok" },
        { "{\"image_kib\":3}", "policy.image_kib" },
        { "{\"memory_mib\":64}", "ok" },
        { "{\"memory_mib\":63}", "policy.memory_mib" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *found = verdict(rows[i].policy, FUNCTION_WASM, REPORT);
        CHECK_NOTE(strcmp(found, rows[i].verdict) == 0, "%s: %s", rows[i].policy, found);
    }
}

static void knows_nothing_of_native_code(void)
{
    CHECK_STRING(verdict("{}", FUNCTION_NATIVE, NULL), "ok");
    CHECK_STRING(verdict("{\"kinds\":[\"native\"]}", FUNCTION_NATIVE, NULL), "ok");
    CHECK_STRING(verdict("{\"kinds\":[\"wasm\"]}", FUNCTION_NATIVE, NULL), "policy.kinds");
    CHECK_STRING(verdict("{\"imports\":[\"*\"]}", FUNCTION_NATIVE, NULL), "policy.imports");
    CHECK_STRING(verdict("{\"deterministic\":true}", FUNCTION_NATIVE, NULL),
                 "policy.deterministic");
}

/* A module without a report, or with more imports than one lists, meets no rule about modules. */
static void trusts_no_report_that_is_missing_or_cut(void)
{
    CHECK_STRING(verdict("{}", FUNCTION_WASM, NULL), "ok");
    CHECK_STRING(verdict("{\"memory_mib\":64}", FUNCTION_WASM, NULL), "ok");
    CHECK_STRING(verdict("{\"features\":[\"simd\"]}", FUNCTION_WASM, NULL), "policy.imports");
    static const char cut[] = "{\"imports\":[\"env.log\"],\"imports_count\":2}";
    CHECK_STRING(verdict("{\"imports\":[\"*\"]}", FUNCTION_WASM, cut), "policy.imports");
    CHECK_STRING(verdict("{\"no_imports\":[\"x.*\"]}", FUNCTION_WASM, cut), "policy.no_imports");
    CHECK_STRING(verdict("{\"deterministic\":true}", FUNCTION_WASM, cut), "policy.deterministic");
}

static void refuses_policies_that_are_none(void)
{
    static const char *const rows[] = {
        "{\"kind\":[\"wasm\"]}", "{\"kinds\":\"wasm\"}",      "{\"kinds\":[\"jvm\"]}",
        "{\"kinds\":[1]}",       "{\"imports\":{}}",          "{\"no_imports\":[null]}",
        "{\"features\":true}",   "{\"deterministic\":\"1\"}", "{\"module_kib\":0}",
        "{\"image_kib\":-1}",    "{\"memory_mib\":\"64\"}",   "{\"memory_mib\":1.5}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_JSON json_t *table = json_of(rows[i]);
        struct admission policy = { 0 };
        struct error error;
        CHECK_NOTE(!admission_parse(&policy, table, &error), "%s", rows[i]);
        CHECK(error.code == ERROR_INVALID && policy.tree == NULL);
    }
}

static const struct test tests[] = {
    TEST(judges_each_rule),
    TEST(knows_nothing_of_native_code),
    TEST(trusts_no_report_that_is_missing_or_cut),
    TEST(refuses_policies_that_are_none),
};
TEST_MAIN(tests)
