/* SPDX-License-Identifier: Apache-2.0 */
#include "base/toml.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const char manifest[] = "s3n_manifest_version = 1\n"
                               "compatibility_date = 2026-11-01\n"
                               "\n"
                               "[application]\n"
                               "name = \"price-guard\" # comment with [brackets]\n"
                               "[function.quote]\n"
                               "build.command = 'make quote.wasm'\n"
                               "permissions.http = [\n"
                               "  \"https://api.example.com\",\n"
                               "]\n"
                               "limits = { memory_mib = 64, share = 0.5, on = true }\n"
                               "[[trigger.http]]\n"
                               "route = \"/quote/:pair\"\n"
                               "[[trigger.http]]\n"
                               "route = \"/two\"\n";

static void tables_become_objects(void)
{
    struct error error = { 0 };
    AUTO_TOML struct toml_document document = { 0 };
    REQUIRE(toml_parse(&document, "s3n.toml", bytes_of_string(manifest), &error));
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4096);
    CHECK(json_canonical(&text, document.root, &error));
    static const char expected[] =
        "{\"application\":{\"name\":\"price-guard\"},\"compatibility_date\":\"2026-11-01\","
        "\"function\":{\"quote\":{\"build\":{\"command\":\"make quote.wasm\"},"
        "\"limits\":{\"memory_mib\":64,\"on\":true,\"share\":0.5},"
        "\"permissions\":{\"http\":[\"https://api.example.com\"]}}},"
        "\"s3n_manifest_version\":1,"
        "\"trigger\":{\"http\":[{\"route\":\"/quote/:pair\"},{\"route\":\"/two\"}]}}";
    CHECK_BYTES(buffer_view(&text), bytes_of_string(expected));
}

static void lines_are_known(void)
{
    struct error error = { 0 };
    AUTO_TOML struct toml_document document = { 0 };
    REQUIRE(toml_parse(&document, "s3n.toml", bytes_of_string(manifest), &error));
    CHECK_NUMBER(toml_line(&document, "s3n_manifest_version"), 1);
    CHECK_NUMBER(toml_line(&document, "application.name"), 5);
    CHECK_NUMBER(toml_line(&document, "function.quote"), 6);
    CHECK_NUMBER(toml_line(&document, "function.quote.build.command"), 7);
    CHECK_NUMBER(toml_line(&document, "function.quote.permissions.http[0]"), 9);
    CHECK_NUMBER(toml_line(&document, "function.quote.limits.memory_mib"), 11);
    CHECK_NUMBER(toml_line(&document, "trigger.http[1].route"), 15);
    CHECK_NUMBER(toml_line(&document, "application.missing.deep"), 4);
    CHECK_NUMBER(toml_line(&document, "missing"), 0);
}

static void errors_name_the_place(void)
{
    static const struct {
        const char *text;
        const char *start;
    } rows[] = {
        { "a = 1\nb = \n", "f.toml:2:" },
        { "a = 1\na = 2\n", "f.toml:2:" },
        { "a = inf", "f.toml:1:5: infinity" },
        { "\n\n a = \"x\ny\"", "f.toml:3:" },
        { "a = \"\\u0000\"", "f.toml:1:5: NUL" },
        { "[a]\n[a]\n", "f.toml:2:" },
        { "a = \xff", "f.toml:1:" },
        { "[=]", "f.toml:1:1: not TOML" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error = { 0 };
        struct toml_document document = { 0 };
        CHECK(!toml_parse(&document, "f.toml", bytes_of_string(rows[i].text), &error));
        CHECK(document.root == NULL);
        CHECK(error.code == ERROR_INVALID);
        CHECK_NOTE(strncmp(error.text, rows[i].start, strlen(rows[i].start)) == 0, "%s",
                   error.text);
    }
}

static void check_depth(const char *open, const char *close, size_t count)
{
    static char text[20000];
    size_t used = (size_t)snprintf(text, sizeof(text), "a = ");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", open);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", close);
    struct error error = { 0 };
    AUTO_TOML struct toml_document document = { 0 };
    CHECK(!toml_parse(&document, "f", bytes_of(text, used), &error));
    CHECK(error.code == ERROR_LIMIT);
}

static void depth_is_limited(void)
{
    check_depth("[", "]", 33);
    check_depth("[", "]", 2000);
    struct error error = { 0 };
    AUTO_TOML struct toml_document document = { 0 };
    CHECK(!toml_parse(
        &document, "f",
        BYTES_LITERAL("[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
                      "a.a.a.a.a]"),
        &error));
    CHECK(error.code == ERROR_LIMIT);
    /* Neither strings nor comments count. */
    CHECK(toml_parse(&document, "f",
                     BYTES_LITERAL("a = '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['\n"
                                   "b = \"\"\"\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"\"\"\"\n"
                                   "#[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"
                                   "c = '................................................'\n"),
                     &error));
}

static void characters_above_ascii(void)
{
    struct error error = { 0 };
    AUTO_TOML struct toml_document document = { 0 };
    const char *value = NULL;
    REQUIRE(toml_parse(&document, "f",
                       BYTES_LITERAL("a = \"\"\"x\\\n  \xc3\xa9\"\"\" # \xce\x9d\n"), &error));
    CHECK(json_get_string(document.root, "a", &value, &error));
    CHECK_STRING(value, "x\xc3\xa9");
    struct toml_document other = { 0 };
    CHECK(!toml_parse(&other, "f", BYTES_LITERAL("a = 1\xce\x9d"), &error));
    CHECK(!toml_parse(&other, "f", BYTES_LITERAL("\xc3\xa9 = 1"), &error));
}

static void size_is_limited(void)
{
    static uint8_t large[TOML_SIZE_MAX + 1];
    struct error error = { 0 };
    struct toml_document document = { 0 };
    CHECK(!toml_parse(&document, "f", BYTES_OF(large), &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK(toml_parse(&document, "f", (struct bytes){ 0 }, &error));
    CHECK(json_object_size(document.root) == 0);
    toml_done(&document);
}

static const struct test tests[] = { TEST(tables_become_objects),  TEST(lines_are_known),
                                     TEST(errors_name_the_place),  TEST(depth_is_limited),
                                     TEST(characters_above_ascii), TEST(size_is_limited) };
TEST_MAIN(tests)
