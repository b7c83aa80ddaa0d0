/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const char head[] = "s3n_manifest_version = 1\n"
                           "compatibility_date = \"2026-11-01\"\n"
                           "[application]\n"
                           "name = \"price-guard\"\n"
                           "version = \"1.2.0\"\n";

static bool parse(struct manifest **manifest, const char *rest, struct error *error)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s%s", head, rest);
    *manifest = NULL;
    return manifest_parse_toml(manifest, "s3n.toml", bytes_of_string(text), error);
}

static void check_refused(const char *rest, enum error_code code, const char *text)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    CHECK_NOTE(!parse(&manifest, rest, &error), "%s", rest);
    CHECK_NOTE(error.code == code, "%s: %s", error_name(error.code), error.text);
    CHECK_NOTE(strstr(error.text, text) != NULL, "«%s» is not in: %s", text, error.text);
}

static void reads_the_source_form(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    bool parsed = parse(&manifest,
                        "[function.quote]\n"
                        "source = \"target/quote.wasm\"\n"
                        "build.command = \"make quote.wasm\"\n"
                        "limits = { memory_mib = 32, timeout_ms = 2000 }\n"
                        "environment = { ZONE = \"eu\", AREA = \"b\" }\n"
                        "[function.audit]\n"
                        "source = \"audit.wasm\"\n"
                        "[[trigger.http]]\n"
                        "route = \"/quote/:pair\"\n"
                        "function = \"quote\"\n"
                        "methods = [\"POST\", \"GET\"]\n",
                        &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed);
    CHECK_STRING(manifest->application, "price-guard");
    CHECK_STRING(manifest->version, "1.2.0");
    CHECK_STRING(manifest->compatibility_date, "2026-11-01");
    REQUIRE(manifest->function_count == 2);
    CHECK_STRING(manifest->functions[0].name, "audit");
    const struct manifest_function *quote = manifest_function_find(manifest, "quote");
    REQUIRE(quote != NULL);
    CHECK_STRING(quote->source, "target/quote.wasm");
    CHECK_STRING(quote->build_command, "make quote.wasm");
    CHECK_NUMBER(quote->limits.memory_mib, 32);
    CHECK_NUMBER(quote->limits.timeout_ms, 2000);
    CHECK_NUMBER(quote->limits.concurrency, CONCURRENCY_DEFAULT);
    REQUIRE(quote->environment_count == 2);
    CHECK_STRING(quote->environment[0].name, "AREA");
    CHECK_STRING(quote->environment[1].value, "eu");
    REQUIRE(manifest->route_count == 1);
    CHECK_NUMBER(manifest->routes[0].methods, (1u << METHOD_GET) | (1u << METHOD_POST));
    CHECK_NUMBER(manifest->routes[0].function_index, 1);
}

static void routes_may_demand_sealing(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    REQUIRE(parse(&manifest,
                  "[function.a]\nsource = \"a\"\n"
                  "[[trigger.http]]\nroute = \"/x\"\nfunction = \"a\"\nsealed = \"required\"\n"
                  "[[trigger.http]]\nroute = \"/y\"\nfunction = \"a\"\nsealed = \"optional\"\n",
                  &error));
    CHECK(manifest->routes[0].is_sealed_only && !manifest->routes[1].is_sealed_only);
    check_refused(
        "[function.a]\nsource = \"a\"\n[[trigger.http]]\nroute = \"/\"\nfunction = \"a\"\n"
        "sealed = \"always\"\n",
        ERROR_INVALID, "must be \"optional\" or \"required\"");
    check_refused(
        "[function.a]\nsource = \"a\"\n[[trigger.http]]\nroute = \"/\"\nfunction = \"a\"\n"
        "sealed = true\n",
        ERROR_INVALID, "sealed");
}

static void names_line_key_and_nearest_key(void)
{
    check_refused("[function.a]\nsource = \"a.wasm\"\nlimitz = { memory_mib = 1 }\n", ERROR_INVALID,
                  "s3n.toml:8: function.a.limitz: unknown key; did you mean `limits`?");
    check_refused("[function.a]\nsource = \"a.wasm\"\n[functoin.b]\nsource = \"b\"\n",
                  ERROR_INVALID, "functoin: unknown key; did you mean `function`?");
    check_refused("[function.a]\nsource = \"a.wasm\"\nlimits = { memory_mb = 1 }\n", ERROR_INVALID,
                  "s3n.toml:8: function.a.limits.memory_mb: unknown key; did you mean "
                  "`memory_mib`?");
    check_refused("[function.a]\nsource = \"a.wasm\"\nzzzzzzzzzzz = 1\n", ERROR_INVALID,
                  "zzzzzzzzzzz: unknown key");
    check_refused("[function.a]\nsource = \"a\"\n[[trigger.http]]\nrute = \"/\"\n", ERROR_INVALID,
                  "rute: unknown key; did you mean `route`?");
}

static void refuses_what_comes_later(void)
{
    check_refused("[function.a]\nsource = \"a\"\nrequire = { tee = [\"tdx\"] }\n",
                  ERROR_UNSUPPORTED, "require: is not supported yet");
    check_refused("[function.a]\nsource = \"a\"\n[[trigger.cron]]\nschedule = \"* * * * *\"\n",
                  ERROR_UNSUPPORTED, "trigger.cron: is not supported yet");
}

static void refuses_bad_values(void)
{
    check_refused("", ERROR_INVALID, "at least one table [function.NAME]");
    check_refused("[function.a]\n", ERROR_INVALID, "function.a: a function needs `source`");
    check_refused("[function.A]\nsource = \"a\"\n", ERROR_INVALID, "1 to 63 of a-z");
    check_refused("[function.-a]\nsource = \"a\"\n", ERROR_INVALID, "no hyphen first");
    check_refused("[function.a]\nsource = 3\n", ERROR_INVALID, "source: must be a string");
    check_refused("[function.a]\nsource = \"a\"\nlimits = { timeout_ms = 0 }\n", ERROR_INVALID,
                  "must be a whole number from 1 to 300000");
    check_refused("[function.a]\nsource = \"a\"\nlimits = { timeout_ms = 1.5 }\n", ERROR_INVALID,
                  "whole number");
    check_refused("[function.a]\nsource = \"a\"\nlimits = 3\n", ERROR_INVALID, "must be a table");
    check_refused("[function.a]\nsource = \"a\"\nenvironment = { S3N_X = \"1\" }\n", ERROR_INVALID,
                  "the node sets this variable itself");
    check_refused("[function.a]\nsource = \"a\"\nenvironment = { \"A B\" = \"1\" }\n",
                  ERROR_INVALID, "letters, digits and underscores");
    check_refused("[function.a]\nsource = \"a\"\nenvironment = { A = \"1\\u0000\" }\n",
                  ERROR_INVALID, "NUL");
    check_refused("[function.abc]\nsource = \"a\"\n[[trigger.http]]\nroute = \"/\"\n"
                  "function = \"abd\"\n",
                  ERROR_INVALID, "there is no function abd; did you mean `abc`?");
    check_refused("[function.a]\nsource = \"a\"\n[[trigger.http]]\nroute = \"x\"\n"
                  "function = \"a\"\n",
                  ERROR_INVALID, "a route begins with `/`");
    check_refused("[function.a]\nsource = \"a\"\n[[trigger.http]]\nroute = \"/\"\n"
                  "function = \"a\"\nmethods = [\"FETCH\"]\n",
                  ERROR_INVALID, "must list some of GET");
    check_refused("[function.a]\nsource = \"a\"\n"
                  "[[trigger.http]]\nroute = \"/:x\"\nfunction = \"a\"\n"
                  "[[trigger.http]]\nroute = \"/:y\"\nfunction = \"a\"\n",
                  ERROR_INVALID, "was given before");
}

static void reads_middleware(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO(manifest) struct manifest *same = NULL;
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    bool parsed = parse(&manifest,
                        "[function.a]\nsource = \"a\"\n"
                        "[middleware.limits]\nbody_kib = 64\nconcurrency = 3\nqueue = 9\n"
                        "rate_per_address = { per_minute = 60 }\n"
                        "rate_per_key = { per_minute = 5, burst = 2 }\n"
                        "[middleware.cors]\norigins = [\"https://b.example\", "
                        "\"http://a.example:81\"]\nheaders = [\"x-a\"]\nexpose = [\"x-b\"]\n",
                        &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed);
    const struct manifest_middleware_limits *limits = &manifest->middleware.limits;
    CHECK_NUMBER(limits->body_kib, 64);
    CHECK_NUMBER(limits->per_address.per_minute, 60);
    CHECK_NUMBER(limits->per_address.burst, 10);
    CHECK_NUMBER(limits->per_key.burst, 2);
    CHECK_NUMBER(limits->queue_ms, MIDDLEWARE_QUEUE_MS_DEFAULT);
    CHECK_STRING(manifest->middleware.cors.origins.items[1], "http://a.example:81");
    manifest->functions[0].has_code = true;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    REQUIRE(manifest_canonical(&text, manifest, &error));
    CHECK(strstr((const char *)text.data,
                 "\"middleware\":{\"cors\":{\"credentials\":false,\"expose\":[\"x-b\"],"
                 "\"headers\":[\"x-a\"],\"max_age_s\":600,\"origins\":[\"https://b.example\","
                 "\"http://a.example:81\"]},\"limits\":{\"body_kib\":64,\"concurrency\":3,"
                 "\"queue\":9,\"queue_ms\":5000,\"rate_per_address\":{\"burst\":10,"
                 "\"per_minute\":60},\"rate_per_key\":{\"burst\":2,\"per_minute\":5}}}") != NULL);
    CHECK(manifest_parse(&same, buffer_view(&text), &error));
}

static void refuses_bad_middleware(void)
{
#define ONE "[function.a]\nsource = \"a\"\n"
    check_refused(ONE "[middleware.caching]\n", ERROR_INVALID, "unknown key");
    check_refused(ONE "[middleware.cros]\n", ERROR_INVALID, "did you mean `cors`?");
    check_refused(ONE "[middleware.limits]\nbody = 1\n", ERROR_INVALID, "unknown key");
    check_refused(ONE "[middleware.limits]\nbody_kib = 0\n", ERROR_INVALID, "whole number");
    check_refused(ONE "[middleware.limits]\nrate_per_key = { burst = 1 }\n", ERROR_INVALID,
                  "is written { per_minute");
    check_refused(ONE "[middleware.limits]\nrate_per_key = { per_minute = 1, second = 2 }\n",
                  ERROR_INVALID, "unknown key");
    check_refused(ONE "[middleware.limits]\nqueue = 4\n", ERROR_INVALID, "`concurrency`");
    check_refused(ONE "[middleware.limits]\nconcurrency = 4\nqueue_ms = 5\n", ERROR_INVALID,
                  "`queue`");
    check_refused(ONE "[middleware.cors]\n", ERROR_INVALID, "origins");
    check_refused(ONE "[middleware.cors]\norigins = \"*\"\n", ERROR_INVALID, "must be a list");
    check_refused(ONE "[middleware.cors]\norigins = [\"null\"]\n", ERROR_INVALID, "origins like");
    check_refused(ONE "[middleware.cors]\norigins = [\"https://a.b/\"]\n", ERROR_INVALID,
                  "origins like");
    check_refused(ONE "[middleware.cors]\norigins = [\"https://a.b\", \"https://a.b\"]\n",
                  ERROR_INVALID, "each once");
    check_refused(ONE "[middleware.cors]\norigins = [\"*\", \"https://a.b\"]\n", ERROR_INVALID,
                  "alone");
    check_refused(ONE "[middleware.cors]\norigins = [\"*\"]\ncredentials = true\n", ERROR_INVALID,
                  "list the origins");
    check_refused(ONE "[middleware.cors]\norigins = [\"*\"]\nheaders = [\"X-A\"]\n", ERROR_INVALID,
                  "lower case");
#undef ONE
}

static void reads_permissions(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO_BUFFER struct buffer text, again;
    struct error error = { 0 };
    bool parsed = parse(&manifest,
                        "[function.a]\nsource = \"a\"\non_conflict = \"retry\"\n"
                        "permissions.kv = [\"rates\", \"prices\"]\n"
                        "permissions.http = [\"https://api.example.com/v1\"]\n"
                        "permissions.attest = true\npermissions.log = false\n"
                        "[function.b]\nsource = \"b\"\npermissions = { kv = [], log = true }\n",
                        &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed);
    const struct permissions *a = &manifest->functions[0].permissions;
    CHECK_NUMBER(a->lists[CALL_PERMISSION_KV].count, 2);
    CHECK_STRING(a->lists[CALL_PERMISSION_KV].names[0], "prices");
    CHECK_STRING(a->lists[CALL_PERMISSION_HTTP].names[0], "https://api.example.com/v1");
    CHECK(a->is_granted[CALL_PERMISSION_ATTEST] && !a->is_granted[CALL_PERMISSION_LOG]);
    CHECK(manifest->functions[0].is_retried && !manifest->functions[1].is_retried);
    CHECK(!permissions_have(&manifest->functions[1].permissions, CALL_PERMISSION_KV));
    CHECK(manifest->functions[1].permissions.is_granted[CALL_PERMISSION_LOG]);
    for (size_t i = 0; i < 2; i++)
        manifest->functions[i].has_code = true;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    buffer_init(&again, MANIFEST_SIZE_MAX);
    REQUIRE(manifest_canonical(&text, manifest, &error));
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((const char *)text.data,
                 "\"permissions\":{\"attest\":true,\"http\":[\"https://api.example.com/v1\"],"
                 "\"kv\":[\"prices\",\"rates\"],\"log\":false}") != NULL);
    AUTO(manifest) struct manifest *resolved = NULL;
    bool is_read =
        manifest_parse(&resolved, bytes_part(buffer_view(&text), 0, text.size - 1), &error);
    CHECK_NOTE(is_read, "%s", error.text);
    REQUIRE(is_read && manifest_canonical(&again, resolved, &error));
    CHECK_BYTES(buffer_view(&again), bytes_part(buffer_view(&text), 0, text.size - 1));
}

static void reads_how_much_state_there_may_be(void)
{
    static const char *const wrong[] = { "mib = 0", "mib = 65", "entries = 100001", "mib = \"1\"",
                                         "bytes = 1" };
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO(manifest) struct manifest *same = NULL;
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    char table[256];
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        snprintf(table, sizeof(table), "[function.a]\nsource = \"a\"\n[state]\n%s\n", wrong[i]);
        check_refused(table, ERROR_INVALID, i == 4 ? "unknown key" : "whole number");
    }
    REQUIRE(
        parse(&manifest, "[function.a]\nsource = \"a\"\n[state]\nmib = 2\nentries = 30\n", &error));
    CHECK(manifest->state.mib == 2 && manifest->state.entries == 30);
    manifest->functions[0].has_code = true;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    REQUIRE(manifest_canonical(&text, manifest, &error));
    CHECK(manifest_parse(&same, buffer_view(&text), &error));
    CHECK(same->state.mib == 2 && same->state.entries == 30);
}

static void refuses_bad_permissions(void)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        { "permissions.kvs = [\"a\"]", "kvs" },
        { "permissions = 3", "must be a table" },
        { "permissions.kv = \"a\"", "must be a list" },
        { "permissions.kv = true", "must be a list" },
        { "permissions.kv = [1]", "must be a list of names" },
        { "permissions.kv = [\"\"]", "the name of a kv namespace has 1 to 63" },
        { "permissions.kv = [\"Prices\"]",
          "the name of a kv namespace has 1 to 63 of a-z 0-9 - _ ." },
        { "permissions.kv = [\"s3n.results\"]", "the node's" },
        { "permissions.kv = [\"a\", \"b\", \"a\"]", "`a` is there twice" },
        { "permissions.secrets = [\"a\\u00e4\"]", "the name of a secret" },
        { "permissions.http = [\"https://a b\"]", "is no method of HTTP" },
        { "permissions.http = [\"a.example\"]", "is no URL" },
        { "permissions.http = [\"https://*.com\"]", "two labels" },
        { "permissions.http = [\"https://a.example/v1/../v2\"]", "segments of dots" },
        { "permissions.log = [\"a\"]", "true or false" },
        { "permissions.attest = 1", "true or false" },
        { "conflict_retries = 3", "needs `on_conflict" },
        { "on_conflict = \"retry\"\nconflict_retries = 65", "conflict_retries" },
        { "on_conflict = \"retry\"\nconflict_retries = 0", "conflict_retries" },
        { "on_conflict = \"maybe\"", "retry" },
    };
    char table[4096];
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        snprintf(table, sizeof(table), "[function.a]\nsource = \"a\"\n%s\n", rows[i].line);
        check_refused(table, ERROR_INVALID, rows[i].text);
    }
    int size = snprintf(table, sizeof(table), "[function.a]\nsource = \"a\"\npermissions.kv = [");
    for (unsigned i = 0; i <= MANIFEST_PERMISSION_COUNT_MAX; i++)
        size += snprintf(table + size, sizeof(table) - (size_t)size, "\"n%u\",", i);
    snprintf(table + size, sizeof(table) - (size_t)size, "]\n");
    check_refused(table, ERROR_INVALID, "at most 64 names");
}

static void reads_how_a_function_runs(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    bool parsed = parse(&manifest,
                        "[function.a]\nsource = \"a\"\nkind = \"native\"\nabi = \"reactor\"\n"
                        "metering = \"fuel\"\nisolation = \"invocation\"\n"
                        "reuse = \"instance\"\ndeterministic = true\n"
                        "clock_resolution = \"250us\"\npad_time = \"2s\"\npad_output = 4096\n"
                        "files = [\"assets/**\", \"b\"]\n"
                        "limits = { fuel = 5000000000, stack_kib = 64, scratch_kib = 1, log_kib = "
                        "2, host_calls = 3 }\n"
                        "[function.b]\nsource = \"b\"\npad_output = \"power-of-two\"\n"
                        "clock_resolution = \"0\"\n",
                        &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed);
    const struct manifest_function *a = &manifest->functions[0], *b = &manifest->functions[1];
    CHECK_NUMBER(a->kind, FUNCTION_NATIVE);
    CHECK_NUMBER(a->abi, FUNCTION_ABI_REACTOR);
    CHECK(a->has_abi && a->is_metered && a->is_isolated && a->is_reused && a->is_deterministic);
    CHECK_NUMBER(a->clock_resolution_ns, 250000);
    CHECK_NUMBER(a->pad_time_ns, 2000000000);
    CHECK_NUMBER(a->pad_output, PADDING_MULTIPLE);
    CHECK_NUMBER(a->pad_output_size, 4096);
    REQUIRE(a->files_count == 2);
    CHECK_STRING(a->files[0], "assets/**");
    CHECK_NUMBER(a->limits.fuel, 5000000000);
    CHECK_NUMBER(a->limits.stack_kib, 64);
    CHECK_NUMBER(a->limits.scratch_kib, 1);
    CHECK_NUMBER(a->limits.log_kib, 2);
    CHECK_NUMBER(a->limits.host_calls, 3);
    CHECK_NUMBER(b->pad_output, PADDING_POWER_OF_TWO);
    CHECK_NUMBER(b->clock_resolution_ns, 0);
    CHECK(!b->has_abi && !b->is_metered && !b->is_isolated && !b->is_reused);
    CHECK_NUMBER(b->limits.log_kib, LOG_KIB_DEFAULT);
}

static void refuses_bad_manners(void)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        { "kind = \"elf\"", "kind: must be one of \"wasm\", \"native\"" },
        { "abi = 3", "abi: must be one of \"command\", \"cgi\", \"reactor\"" },
        { "metering = \"gas\"", "must be one of \"none\", \"fuel\"" },
        { "limits = { fuel = 9 }", "a limit of fuel needs `metering = \"fuel\"`" },
        { "metering = \"fuel\"\nlimits = { fuel = 0 }", "must be a whole number from 1" },
        { "deterministic = 1", "must be true or false" },
        { "clock_resolution = \"1\"", "must be a time like" },
        { "clock_resolution = \"us\"", "must be a time like" },
        { "clock_resolution = 5", "must be a time like" },
        { "clock_resolution = \"61s\"", "at most 60000 ms" },
        { "pad_time = \"9999999999999ns\"", "must be a time like" },
        { "pad_output = 0", "must be a whole number from 1" },
        { "pad_output = \"square\"", "must be one of \"none\", \"power-of-two\"" },
        { "files = \"assets\"", "must be a list" },
        { "files = [\"\"]", "must be a list" },
        { "files = [3]", "must be a list" },
        { "limits = { stack_kib = 8193 }", "from 1 to 8192" },
        { "isolation = \"none\"", "must be one of \"batch\", \"invocation\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[256];
        snprintf(text, sizeof(text), "[function.a]\nsource = \"a\"\n%s\n", rows[i].line);
        check_refused(text, ERROR_INVALID, rows[i].text);
    }
}

static struct digest32 digest_of_byte(uint8_t byte)
{
    struct digest32 digest;
    memset(digest.bytes, byte, sizeof(digest.bytes));
    return digest;
}

/* The canonical form of a small manifest; the harness's storage, so cases can cut and flip it. */
static bool canonical_sample(struct buffer *text)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    bool parsed = parse(&manifest,
                        "[function.b]\nsource = \"b\"\nenvironment = { K = \"v\" }\n"
                        "[function.a]\nsource = \"a\"\n"
                        "[[trigger.http]]\nroute = \"/\"\nfunction = \"a\"\n",
                        &error);
    CHECK_NOTE(parsed, "%s", error.text);
    if (!parsed)
        return false;
    for (size_t i = 0; i < manifest->function_count; i++) {
        manifest->functions[i].code = digest_of_byte((uint8_t)(0xa0 + i));
        manifest->functions[i].has_code = true;
    }
    buffer_init(text, MANIFEST_SIZE_MAX);
    bool written = manifest_canonical(text, manifest, &error);
    CHECK_NOTE(written, "%s", error.text);
    return written;
}

static void canonical_form_is_a_fixed_point(void)
{
    AUTO_BUFFER struct buffer text;
    REQUIRE(canonical_sample(&text));
    static const char start[] =
        "{\"application\":{\"name\":\"price-guard\",\"version\":\"1.2.0\"},"
        "\"compatibility_date\":\"2026-11-01\",\"function\":{\"a\":{\"abi\":\"command\","
        "\"clock_resolution\":1000000,\"code\":\"a0a0";
    CHECK(bytes_starts_with(buffer_view(&text), bytes_of_string(start)));
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    bool parsed = manifest_parse(&manifest, buffer_view(&text), &error);
    CHECK_NOTE(parsed, "%s", error.text);
    REQUIRE(parsed);
    CHECK_NUMBER(manifest->function_count, 2);
    CHECK_NUMBER(manifest->functions[1].code.bytes[31], 0xa1);
    CHECK_STRING(manifest->functions[1].environment[0].value, "v");
    CHECK_STRING(manifest->routes[0].function, "a");
    CHECK_NUMBER(manifest->routes[0].methods, (1u << METHOD_COUNT) - 1);
}

static void resolved_form_must_be_canonical(void)
{
    AUTO_BUFFER struct buffer text;
    REQUIRE(canonical_sample(&text));
    AUTO_BUFFER struct buffer spaced;
    buffer_init(&spaced, MANIFEST_SIZE_MAX);
    buffer_append_string(&spaced, "{ ");
    buffer_append(&spaced, bytes_part(buffer_view(&text), 1, SIZE_MAX));
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    CHECK(!manifest_parse(&manifest, buffer_view(&spaced), &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(strstr(error.text, "canonical form") != NULL);
}

static void every_truncation_is_refused(void)
{
    AUTO_BUFFER struct buffer text;
    REQUIRE(canonical_sample(&text));
    for (size_t size = 0; size < text.size; size++) {
        AUTO(manifest) struct manifest *manifest = NULL;
        struct error error = { 0 };
        CHECK_NOTE(!manifest_parse(&manifest, bytes_of(text.data, size), &error), "size %zu", size);
    }
}

/* A flip either is refused or gives another valid manifest whose canonical form is itself. */
static void every_flip_is_refused_or_canonical(void)
{
    AUTO_BUFFER struct buffer text;
    REQUIRE(canonical_sample(&text));
    for (size_t at = 0; at < text.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[at] ^= (uint8_t)(1u << bit);
            AUTO(manifest) struct manifest *manifest = NULL;
            struct error error = { 0 };
            if (manifest_parse(&manifest, buffer_view(&text), &error))
                CHECK(manifest->function_count == 2);
            else
                CHECK(error.text[0] != '\0');
            text.data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void needs_code_for_the_canonical_form(void)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    REQUIRE(parse(&manifest, "[function.a]\nsource = \"a\"\n", &error));
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    CHECK(!manifest_canonical(&text, manifest, &error));
    CHECK_STRING(error.text, "function a has no code yet");
}

static const struct test tests[] = {
    TEST(reads_the_source_form),
    TEST(routes_may_demand_sealing),
    TEST(names_line_key_and_nearest_key),
    TEST(refuses_what_comes_later),
    TEST(refuses_bad_values),
    TEST(reads_middleware),
    TEST(refuses_bad_middleware),
    TEST(reads_permissions),
    TEST(reads_how_much_state_there_may_be),
    TEST(refuses_bad_permissions),
    TEST(reads_how_a_function_runs),
    TEST(refuses_bad_manners),
    TEST(canonical_form_is_a_fixed_point),
    TEST(resolved_form_must_be_canonical),
    TEST(every_truncation_is_refused),
    TEST(every_flip_is_refused_or_canonical),
    TEST(needs_code_for_the_canonical_form),
};

TEST_MAIN(tests)
