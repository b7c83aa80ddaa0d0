/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool accepts(const char *text)
{
    struct error error = { 0 };
    AUTO_JSON json_t *json = NULL;
    return json_parse(&json, bytes_of_string(text), &error);
}

static void accepts_json(void)
{
    static const char *const good[] = { "null",
                                        " {} ",
                                        "[1,-2.5e3,true,false]",
                                        "\"\\u20ac\"",
                                        "0",
                                        "{\"a\":{\"a\":1}}",
                                        "[\"\\ud83d\\ude00\"]" };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK_NOTE(accepts(good[i]), "%s", good[i]);
}

static void refuses_what_is_not(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "{} x",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "{a:1}",
        "'x'",
        "01",
        "+1",
        "1.",
        ".5",
        "NaN",
        "\"\xff\"",
        "\"\\ud800\"",
        "\"\n\"",
        "\"\\u0000\"",
        "nul",
        "[1 2]",
        "{\"a\"}",
        "\"abc",
        "1e999",
        "99999999999999999999",
        "\"\\x41\"",
        "/**/1",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!accepts(bad[i]), "%s", bad[i]);
    struct error error = { 0 };
    json_t *json = NULL;
    CHECK(!json_parse(&json, BYTES_LITERAL("{\n \"a\": 1,\n \"a\": 2}"), &error));
    CHECK(error.code == ERROR_INVALID);
    CHECK_NOTE(strncmp(error.text, "JSON line 3 column ", 19) == 0, "%s", error.text);
    CHECK(json == NULL);
    CHECK(!json_parse(&json, (struct bytes){ 0 }, &error));
    CHECK(!json_parse(&json, BYTES_LITERAL("9\0"), &error));
    CHECK(!json_parse(&json, BYTES_LITERAL("[1\0,2]"), &error));
}

static void limits_hold(void)
{
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        CHECK(accepts(text) == (depth <= JSON_DEPTH_MAX));
    }
    CHECK(accepts(
        "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\""));
    struct error error = { 0 };
    AUTO_JSON json_t *json = NULL;
    uint8_t *large = calloc(1, JSON_SIZE_MAX + 1);
    REQUIRE(large != NULL);
    memset(large, ' ', JSON_SIZE_MAX + 1);
    CHECK(!json_parse(&json, bytes_of(large, JSON_SIZE_MAX + 1), &error));
    CHECK(error.code == ERROR_LIMIT);
    large[0] = '1';
    CHECK(json_parse(&json, bytes_of(large, JSON_SIZE_MAX), &error));
    free(large);
}

static void check_canonical(const char *text, const char *expected)
{
    struct error error = { 0 };
    AUTO_JSON json_t *json = NULL;
    AUTO_BUFFER struct buffer canonical;
    buffer_init(&canonical, 4096);
    CHECK(json_parse(&json, bytes_of_string(text), &error));
    CHECK(json != NULL && json_canonical(&canonical, json, &error));
    CHECK_BYTES(buffer_view(&canonical), bytes_of_string(expected));
}

static void canonical_form(void)
{
    check_canonical(" { \"b\" : [ 1 , null , true , false ] , \"a\" : \"x\" } ",
                    "{\"a\":\"x\",\"b\":[1,null,true,false]}");
    check_canonical("{\"\\u20ac\":\"E\",\"\\r\":\"C\",\"\\ufb33\":\"D\",\"1\":\"1\","
                    "\"\\ud83d\\ude00\":\"S\",\"\\u0080\":\"c\",\"\\u00f6\":\"o\"}",
                    "{\"\\r\":\"C\",\"1\":\"1\",\"\xc2\x80\":\"c\",\"\xc3\xb6\":\"o\","
                    "\"\xe2\x82\xac\":\"E\",\"\xf0\x9f\x98\x80\":\"S\",\"\xef\xac\xb3\":\"D\"}");
    check_canonical("\"\\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\u0008\\t\\f\\u007f\"",
                    "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\x7f\"");
    check_canonical("[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]",
                    "[333333333.3333333,1e+30,4.5,0.002,1e-27]");
    check_canonical("[-0,-0.0,1.0,9007199254740992,-9007199254740992,9223372036854774784]",
                    "[0,0,1,9007199254740992,-9007199254740992,9223372036854775000]");
    check_canonical("90071599209481984", "90071599209481980");
    check_canonical("90071599209481980", "90071599209481980");
    check_canonical("{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}");
}

static void canonical_form_refuses(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer canonical;
    buffer_init(&canonical, 4);
    AUTO_JSON json_t *inexact = json_integer((1ll << 53) + 1);
    CHECK(!json_canonical(&canonical, inexact, &error));
    CHECK(error.code == ERROR_INVALID);
    AUTO_JSON json_t *largest = json_integer(INT64_MAX);
    CHECK(!json_canonical(&canonical, largest, &error));
    AUTO_JSON json_t *text = json_string("long text");
    CHECK(!json_canonical(&canonical, text, &error));
    CHECK(error.code == ERROR_LIMIT);
}

struct number_row {
    uint64_t bits;
    const char *text;
};

/* Powers of two (where the nearest decimal may miss) and random doubles, printed by another
 * implementation of the shortest form; then the examples of RFC 8785, appendix B. */
static const struct number_row numbers[] = {
    { 0x3d30000000000000, "5.684341886080802e-14" },
    { 0x3d20000000000000, "2.842170943040401e-14" },
    { 0x0010000000000000, "2.2250738585072014e-308" },
    { 0x0000000000000001, "5e-324" },
    { 0x0008000000000000, "1.1125369292536007e-308" },
    { 0x7fe0000000000000, "8.98846567431158e+307" },
    { 0x43b0000000000000, "1152921504606847000" },
    { 0x4450000000000000, "1.1805916207174113e+21" },
    { 0x4c70000000000000, "1.6069380442589903e+60" },
    { 0x2d30000000000000, "4.909093465297727e-91" },
    { 0x4580000000000000, "6.189700196426902e+26" },
    { 0x3bc0000000000000, "6.776263578034403e-21" },
    { 0xf2a74de452e6b438, "-1.989032661366619e+244" },
    { 0x6513270e269e0d37, "7.761117632285041e+178" },
    { 0x0c5c7fd0a6a3a450, "3.980498358697587e-249" },
    { 0xd23f0824128b2f33, "-1.5432835417340557e+88" },
    { 0x1818e811892f902b, "1.3647584518757569e-192" },
    { 0x9531985d5d9dc9f8, "-1.3701135617873088e-206" },
    { 0xe8e25d940ed90475, "-1.7160537630466207e+197" },
    { 0x36f675cc81e74ef5, "6.294675241195386e-44" },
    { 0x1600a35a099950d8, "1.0613447212142254e-202" },
    { 0x6b0d549b6f03675a, "4.708325160387546e+207" },
    { 0x3d9c172411e20b8f, "6.387016158513563e-12" },
    { 0x8d116ece1738f7d9, "-9.973130378568733e-246" },
    { 0x0f21ddb66cad4a26, "8.779753225680271e-236" },
    { 0x90c192cfd3ac94af, "-5.795503248498993e-228" },
    { 0xf28c105d1fb17c23, "-5.988180159386011e+243" },
    { 0xa170b33839263059, "-1.306052388527796e-147" },
    { 0x953f48f1a09f76b5, "-2.436117699484841e-206" },
    { 0x0fd630f1f29d0da9, "2.233386999150174e-232" },
    { 0x95e60af593bd04cf, "-3.51527970626667e-203" },
    { 0x0cb1e29c658cda14, "1.5987381841032883e-247" },
    { 0x3898d190f9ebdacc, "4.6678633181812096e-36" },
    { 0x8e81973e0becd7b0, "-8.441872792105456e-239" },
    { 0x2217beaddbc496cb, "1.9015657400796622e-144" },
    { 0x6b4cb2424a23d596, "7.370437700706684e+208" },
    { 0x8a6a63ec24ede6a4, "-1.7163996725272777e-258" },
    { 0x922766581e27a1c0, "-3.2367190832119987e-221" },
    { 0x8f6d05584ef8aa38, "-2.2818334634712625e-234" },
    { 0xae97ba94d0eda82f, "-3.0536383926309363e-84" },
    { 0x1a61dbe22e44158b, "1.3449551894627777e-181" },
    { 0x923a736994e3bf91, "-7.317495976062606e-221" },
    { 0x301850c5a38fd547, "5.249822308814304e-77" },
    { 0x18f135d25f557203, "1.5450754142984396e-188" },
    { 0x0000000000000000, "0" },
    { 0x8000000000000000, "0" },
    { 0x0000000000000001, "5e-324" },
    { 0x8000000000000001, "-5e-324" },
    { 0x7fefffffffffffff, "1.7976931348623157e+308" },
    { 0xffefffffffffffff, "-1.7976931348623157e+308" },
    { 0x4340000000000000, "9007199254740992" },
    { 0xc340000000000000, "-9007199254740992" },
    { 0x4430000000000000, "295147905179352830000" },
    { 0x44b52d02c7e14af5, "9.999999999999997e+22" },
    { 0x44b52d02c7e14af6, "1e+23" },
    { 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
    { 0x444b1ae4d6e2ef4e, "999999999999999700000" },
    { 0x444b1ae4d6e2ef4f, "999999999999999900000" },
    { 0x444b1ae4d6e2ef50, "1e+21" },
    { 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
    { 0x3eb0c6f7a0b5ed8d, "0.000001" },
    { 0x41b3de4355555553, "333333333.3333332" },
    { 0x41b3de4355555554, "333333333.33333325" },
    { 0x41b3de4355555555, "333333333.3333333" },
    { 0x41b3de4355555556, "333333333.3333334" },
    { 0x41b3de4355555557, "333333333.33333343" },
    { 0xbecbf647612f3696, "-0.0000033333333333333333" },
    { 0x43143ff3c1cb0959, "1424953923781206.2" },
};

static void numbers_print_shortest(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        double number;
        memcpy(&number, &numbers[i].bits, sizeof(number));
        char text[JSON_NUMBER_SIZE];
        json_format_number(text, number);
        CHECK_STRING(text, numbers[i].text);
    }
    uint64_t state = 1;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t bits = test_random(&state);
        double number;
        memcpy(&number, &bits, sizeof(number));
        char text[JSON_NUMBER_SIZE];
        if (!__builtin_isfinite(number))
            continue;
        json_format_number(text, number);
        CHECK_NOTE(strtod(text, NULL) == number, "%s", text);
    }
}

static void getters_tell_what_is_wrong(void)
{
    struct error error = { 0 };
    AUTO_JSON json_t *json = NULL;
    REQUIRE(json_parse(
        &json, BYTES_LITERAL("{\"s\":\"t\",\"i\":7,\"o\":{},\"a\":[],\"h\":\"00ff\"}"), &error));
    const char *text = NULL;
    int64_t number = 0;
    json_t *inner = NULL;
    uint8_t hex[2];
    CHECK(json_get_string(json, "s", &text, &error));
    CHECK_STRING(text, "t");
    CHECK(json_get_integer(json, "i", 0, 10, &number, &error) && number == 7);
    CHECK(json_get_object(json, "o", &inner, &error) && json_is_object(inner));
    CHECK(json_get_array(json, "a", &inner, &error) && json_is_array(inner));
    CHECK(json_get_hex(json, "h", hex, 2, &error) && hex[1] == 0xff);
    CHECK(!json_get_hex(json, "h", hex, 1, &error));
    CHECK(!json_get_integer(json, "i", 0, 6, &number, &error));
    CHECK_STRING(error.text, "i: 7 is not within 0 to 6");
    CHECK(!json_get_string(json, "i", &text, &error));
    CHECK_STRING(error.text, "i: expected a string, found an integer");
    CHECK(!json_get_object(json, "none", &inner, &error));
    CHECK_STRING(error.text, "none: expected an object, found nothing");
    CHECK(!json_get_array(NULL, "none", &inner, &error));
}

static void unknown_keys_get_a_proposal(void)
{
    static const char *const keys[] = { "timeout_ms", "memory_mib", "name", NULL };
    struct error error = { 0 };
    AUTO_JSON json_t *json = json_pack("{s:i,s:i}", "name", 1, "timeuot_ms", 2);
    CHECK(!json_check_keys(json, keys, "function.quote", &error));
    CHECK_STRING(error.text,
                 "function.quote: unknown key \"timeuot_ms\", did you mean \"timeout_ms\"?");
    json_object_del(json, "timeuot_ms");
    CHECK(json_check_keys(json, keys, "function.quote", &error));
    json_object_set_new(json, "completely different", json_null());
    CHECK(!json_check_keys(json, keys, "function.quote", &error));
    CHECK_STRING(error.text, "function.quote: unknown key \"completely different\"");
    AUTO_JSON json_t *array = json_array();
    CHECK(!json_check_keys(array, keys, "limits", &error));
    CHECK_STRING(error.text, "limits: expected an object, found an array");
    CHECK(nearest_name("nmae", keys) == keys[2]);
    CHECK(nearest_name("xyzw", keys) == NULL);
    CHECK(nearest_name("", keys) == NULL);
}

static const struct test tests[] = {
    TEST(accepts_json),
    TEST(refuses_what_is_not),
    TEST(limits_hold),
    TEST(canonical_form),
    TEST(canonical_form_refuses),
    TEST(numbers_print_shortest),
    TEST(getters_tell_what_is_wrong),
    TEST(unknown_keys_get_a_proposal),
};
TEST_MAIN(tests)
