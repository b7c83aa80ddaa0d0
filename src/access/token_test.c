/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <string.h>

static const struct token_tag tag = { { 1, 2, 3, 4 } };

static void makes_what_it_reads(void)
{
    char text[TOKEN_TEXT_SIZE + 1], other[TOKEN_TEXT_SIZE + 1];
    struct token_name made, read, second;
    struct error error = { 0 };
    token_make(text, &made, &tag);
    token_make(other, &second, &tag);
    CHECK_NUMBER(strlen(text), TOKEN_TEXT_SIZE);
    CHECK_NUMBER(strspn(text + 4, "abcdefghijklmnopqrstuvwxyz234567"), 64);
    CHECK(strcmp(text, other) != 0);
    REQUIRE(token_parse(&read, bytes_of_string(text), &error));
    CHECK(memcmp(&read, &made, sizeof(read)) == 0);
    CHECK(memcmp(read.tag.bytes, tag.bytes, sizeof(tag.bytes)) == 0);
    struct digest32 hash = sha256_of(bytes_of_string(text));
    CHECK(digest32_equal(&hash, &read.hash));
}

/* Worked out apart from this code: base32 of 00 01 ... 23 and four bytes of the SHA-256 of
 * "s3n token" with those. */
static void reads_a_known_one(void)
{
    struct token_name read;
    struct error error = { 0 };
    struct bytes text = BYTES_LITERAL("s3n_aaaqeayeaudaocajbifqydiob4ibceqt"
                                      "cqkrmfyydenbwha5dypsaijceofeofwj");
    REQUIRE(token_parse(&read, text, &error));
    CHECK(memcmp(read.tag.bytes, "\0\1\2\3", 4) == 0);
    CHECK(memcmp(read.id.bytes, "\4\5\6\7\10\11\12\13", 8) == 0);
}

static void refuses_every_other(void)
{
    char text[TOKEN_TEXT_SIZE + 2];
    struct token_name made, read;
    struct error error = { 0 };
    token_make(text, &made, &tag);
    for (size_t size = 0; size < TOKEN_TEXT_SIZE; size++)
        CHECK(!token_parse(&read, bytes_of(text, size), &error) &&
              error.code == ERROR_UNAUTHENTICATED);
    for (size_t i = 0; i < TOKEN_TEXT_SIZE; i++) {
        char kept = text[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(kept ^ (1 << bit));
            CHECK_NOTE(!token_parse(&read, bytes_of(text, TOKEN_TEXT_SIZE), &error), "%zu", i);
            CHECK(strstr(error.text, text + 10) == NULL);
        }
        text[i] = kept;
    }
    text[TOKEN_TEXT_SIZE] = 'a';
    CHECK(!token_parse(&read, bytes_of(text, TOKEN_TEXT_SIZE + 1), &error));
    for (size_t i = TOKEN_PREFIX_SIZE; i < TOKEN_TEXT_SIZE; i++)
        text[i] = (char)(text[i] >= 'a' ? text[i] - 32 : text[i]);
    CHECK(!token_parse(&read, bytes_of(text, TOKEN_TEXT_SIZE), &error));
    CHECK(token_is(BYTES_LITERAL("s3n_")) && !token_is(BYTES_LITERAL("s3n")));
}

static const struct test tests[] = {
    TEST(makes_what_it_reads),
    TEST(reads_a_known_one),
    TEST(refuses_every_other),
};

TEST_MAIN(tests)
