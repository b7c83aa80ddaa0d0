/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"
#include "tests/harness.h"

#include <string.h>

/* RFC 4648 section 10. */
static const struct {
    const char *plain;
    const char *text;
    const char *url;
} vectors[] = {
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xbf", "+/+/", "-_-_" },
};

static void encodes_and_decodes_the_vectors(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        struct bytes plain = bytes_of_string(vectors[i].plain);
        char text[16];
        base64_encode(text, plain);
        CHECK_STRING(text, vectors[i].text);
        CHECK_NUMBER(strlen(text), base64_text_size(plain.size));
        base64url_encode(text, plain);
        CHECK_STRING(text, vectors[i].url);
        CHECK_NUMBER(strlen(text), base64url_text_size(plain.size));
        uint8_t back[8];
        size_t size = 99;
        CHECK(base64_decode(back, sizeof(back), &size, bytes_of_string(vectors[i].text)));
        CHECK_BYTES(bytes_of(back, size), plain);
        CHECK(base64url_decode(back, sizeof(back), &size, bytes_of_string(vectors[i].url)));
        CHECK_BYTES(bytes_of(back, size), plain);
    }
}

static void appends_to_buffers(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 12);
    base64_append(&text, BYTES_LITERAL("foob"));
    base64url_append(&text, BYTES_LITERAL("fo"));
    CHECK_BYTES(buffer_view(&text), BYTES_LITERAL("Zm9vYg==Zm8"));
    base64_append(&text, BYTES_LITERAL("f"));
    CHECK(text.failed);
}

static void refuses_what_encoding_does_not_make(void)
{
    static const char *const wrong[] = {
        "Z",        "Zg",     "Zg=",   "Zg===", "Zh==", "Zm9=", "Zm9v=", "====",     "=",
        "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm-v",  "Zm9_", "Z=9v", "Zm=v",  "Zm9vYg=a", "Zm9v===="
    };
    static const char *const wrong_url[] = { "Z",    "Zg==", "Zh",     "Zm9",
                                             "Zm+v", "Zm/v", "Zm9v\n", "Zm8=" };
    uint8_t target[16] = { 0x55 };
    size_t size = 99;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!base64_decode(target, sizeof(target), &size, bytes_of_string(wrong[i])), "%s",
                   wrong[i]);
    for (size_t i = 0; i < ARRAY_COUNT(wrong_url); i++)
        CHECK_NOTE(!base64url_decode(target, sizeof(target), &size, bytes_of_string(wrong_url[i])),
                   "%s", wrong_url[i]);
    CHECK(!base64_decode(target, 2, &size, BYTES_LITERAL("Zm9v")));
    CHECK_NUMBER(size, 99);
    CHECK_NUMBER(target[0], 0x55);
}

/* Every text of up to four characters that decodes is the encoding of what it decodes to. */
static void is_one_to_one(void)
{
    uint64_t state = 7;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t text[8];
        size_t length = 4 + 4 * (test_random(&state) & 1);
        for (size_t i = 0; i < length; i++)
            text[i] = (uint8_t) "AQgwZ=/+a"[test_random(&state) % 9];
        uint8_t plain[6];
        size_t size = 0;
        if (!base64_decode(plain, sizeof(plain), &size, bytes_of(text, length)))
            continue;
        char again[12];
        base64_encode(again, bytes_of(plain, size));
        CHECK_BYTES(bytes_of_string(again), bytes_of(text, length));
    }
}

static const struct test tests[] = {
    TEST(encodes_and_decodes_the_vectors),
    TEST(appends_to_buffers),
    TEST(refuses_what_encoding_does_not_make),
    TEST(is_one_to_one),
};
TEST_MAIN(tests)
