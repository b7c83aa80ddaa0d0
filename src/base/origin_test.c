/* SPDX-License-Identifier: Apache-2.0 */
#include "base/origin.h"
#include "tests/harness.h"

#include <string.h>

static void knows_origins(void)
{
    static const char *const right[] = {
        "https://example.com",     "http://example.com",       "https://a.b.c.example:8443",
        "http://localhost:3000",   "http://127.0.0.1:8080",    "https://[::1]",
        "https://[2001:db8::1]:1", "https://xn--bcher-kva.ch", "https://my_app.example",
        "http://example.com:443",  "https://example.com:80",   "https://example.com:65535",
    };
    for (size_t i = 0; i < ARRAY_COUNT(right); i++)
        CHECK_NOTE(origin_is_valid(bytes_of_string(right[i])), "%s", right[i]);
}

static void refuses_everything_else(void)
{
    static const char *const wrong[] = {
        "",
        "null",
        "*",
        "https://",
        "https://*",
        "https://*.example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?",
        "https://example.com#",
        "https://Example.com",
        "HTTPS://example.com",
        "https://user@example.com",
        "https://example.com:443",
        "http://example.com:80",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:080",
        "https://example.com:65536",
        "https://example.com:8x",
        "https://example..com",
        "https://.example.com",
        "https://example.com.",
        "https://exa mple.com",
        "https://ex\xc3\xa4mple.com",
        " https://example.com",
        "https://example.com ",
        "https://a.com, https://b.com",
        "https://[::1",
        "https://[]",
        "https://[::1]8",
        "https://[::G]",
        "https://::1",
        "ftp://example.com",
        "file://",
        "data:text/html,x",
        "example.com",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!origin_is_valid(bytes_of_string(wrong[i])), "%s", wrong[i]);
    char text[300] = "https://";
    memset(text + 8, 'a', 254);
    CHECK(origin_is_valid(bytes_of(text, 8 + 253)));
    CHECK(!origin_is_valid(bytes_of(text, 8 + 254)));
}

static void survives_flips(void)
{
    char text[] = "https://a-1.example:8443";
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        char kept = text[i];
        for (unsigned byte = 0; byte < 256; byte++) {
            text[i] = (char)byte;
            if (origin_is_valid(bytes_of(text, sizeof(text) - 1)))
                CHECK(byte > ' ' && byte < 0x7f && !(byte >= 'A' && byte <= 'Z'));
        }
        text[i] = kept;
    }
}

static const struct test tests[] = {
    TEST(knows_origins),
    TEST(refuses_everything_else),
    TEST(survives_flips),
};
TEST_MAIN(tests)
