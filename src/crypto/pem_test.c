/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include "tests/harness.h"

#include <string.h>

static bool reads(const char *text, size_t size)
{
    struct error error;
    uint8_t target[128];
    size_t got;
    struct reader reader = reader_of(bytes_of(text, size));
    return pem_read(&reader, "X", target, sizeof(target), &got, &error) && pem_is_end(&reader);
}
#define READS(text) reads(text, sizeof(text) - 1)

#define LINE64 "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2"

static void writes_what_it_reads(void)
{
    uint8_t content[100];
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)i;
    for (size_t size = 1; size <= sizeof(content); size++) {
        struct error error;
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, 1024);
        pem_append(&text, "X", bytes_of(content, size));
        pem_append(&text, "X", bytes_of(content, 1));
        CHECK_NUMBER(text.size, pem_text_size("X", size) + pem_text_size("X", 1));
        uint8_t back[sizeof(content)];
        size_t got = 0;
        struct reader reader = reader_of(buffer_view(&text));
        REQUIRE(pem_read(&reader, "X", back, sizeof(back), &got, &error));
        CHECK_BYTES(bytes_of(back, got), bytes_of(content, size));
        CHECK(!pem_is_end(&reader));
        REQUIRE(pem_read(&reader, "X", back, sizeof(back), &got, &error));
        CHECK(pem_is_end(&reader));
    }
}

static void accepts_the_line_ends_that_occur(void)
{
    CHECK(READS("-----BEGIN X-----\nQUJD\n-----END X-----\n"));
    CHECK(READS("-----BEGIN X-----\nQUJD\n-----END X-----"));
    CHECK(READS("-----BEGIN X-----\r\nQUJD\r\n-----END X-----\r\n"));
    CHECK(READS("-----BEGIN X-----\nQUJD\n-----END X-----\n\0"));
    CHECK(READS("-----BEGIN X-----\nQUJD\n-----END X-----\n\0\0\0"));
    CHECK(READS("\n\r\n-----BEGIN X-----\nQUJD\n-----END X-----\n\n\r\n"));
    CHECK(READS("-----BEGIN X-----\n" LINE64 "QUJDREVGREVG\n" LINE64 "\n-----END X-----\n"));
    CHECK(READS("-----BEGIN X-----\n" LINE64 "QUJDREVGREVG\nQUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\n" LINE64 "QUJD\nQUJD\n" LINE64 "QUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\n" LINE64 "\n" LINE64 "QUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\n" LINE64 "QUJDREVGREVGREVG\n-----END X-----\n"));
    CHECK(READS("-----BEGIN X-----\n" LINE64 "\nQUI=\n-----END X-----\n"));
}

/* As in quotes that early Ice Lake machines made. */
static void reads_blocks_that_share_a_line(void)
{
    static const struct {
        const char *text;
        bool is_read;
    } cases[] = {
        { "-----BEGIN X-----\nQUJD\n-----END X----------BEGIN X-----\nREVG\n-----END X-----\n",
          true },
        { "-----BEGIN X-----\nQUJD\n-----END X-----\n\n-----BEGIN X-----\nREVG\n-----END X-----\n",
          true },
        { "-----BEGIN X-----\nQUJD\n-----END X---------BEGIN X-----\nREVG\n-----END X-----\n",
          false },
        { "-----BEGIN X-----\nQUJD\n-----END X----- -----BEGIN X-----\nREVG\n-----END X-----\n",
          false },
        { "-----BEGIN X-----\nQUJD\n-----END Y----------BEGIN X-----\nREVG\n-----END X-----\n",
          false },
        { "-----BEGIN X-----\nQUJD-----END X----------BEGIN X-----\nREVG\n-----END X-----\n",
          false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error;
        uint8_t target[8];
        size_t size;
        struct reader reader = reader_of(bytes_of_string(cases[i].text));
        bool is_read = pem_read(&reader, "X", target, sizeof(target), &size, &error) &&
                       bytes_equal_string(bytes_of(target, size), "ABC") &&
                       pem_read(&reader, "X", target, sizeof(target), &size, &error) &&
                       bytes_equal_string(bytes_of(target, size), "DEF") && pem_is_end(&reader);
        CHECK_NOTE(is_read == cases[i].is_read, "%s", cases[i].text);
    }
}

static void refuses_everything_else(void)
{
    CHECK(!READS(""));
    CHECK(!READS("\0"));
    CHECK(!READS("-----BEGIN Y-----\nQUJD\n-----END Y-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END Y-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n"));
    CHECK(!READS("-----BEGIN X-----\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\n\nQUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n\n-----END X-----\n"));
    CHECK(!READS(" \n-----BEGIN X-----\nQUJD\n-----END X-----\n"));
    CHECK(!READS("\0-----BEGIN X-----\nQUJD\n-----END X-----\n"));
    CHECK(!READS("text\n-----BEGIN X-----\nQUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\n \n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\n\0\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\n\0x"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\n\r"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\ntext\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\n-----END X-----\0"));
    CHECK(!READS("-----BEGIN X-----\nQUI=\nQUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD\nQUJD\n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\nQUJD \n-----END X-----\n"));
    CHECK(!READS("-----BEGIN X-----\rQUJD\r-----END X-----\r"));
    CHECK(!READS("-----BEGIN X-----\nProc-Type: 4\n\nQUJD\n-----END X-----\n"));
    /* 144 bytes into 128. */
    CHECK(!READS("-----BEGIN X-----\n" LINE64 "\n" LINE64 "\n" LINE64 "\n-----END X-----\n"));
}

static void unwraps_either_form(void)
{
    struct error error;
    struct bytes content;
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer space;
    buffer_init(&text, 4096);
    buffer_init(&space, 256);
    pem_append(&text, "X509 CRL", BYTES_LITERAL("\x30\x01\x05"));
    REQUIRE(pem_unwrap(&content, &space, "X509 CRL", buffer_view(&text), &error));
    CHECK_BYTES(content, BYTES_LITERAL("\x30\x01\x05"));
    CHECK(!pem_unwrap(&content, &space, "CERTIFICATE", buffer_view(&text), &error));
    struct bytes der = BYTES_LITERAL("\x30\x01\x06");
    REQUIRE(pem_unwrap(&content, &space, "X509 CRL", der, &error));
    CHECK(content.data == der.data);
    pem_append(&text, "X509 CRL", BYTES_LITERAL("\x30\x01\x05"));
    CHECK(!pem_unwrap(&content, &space, "X509 CRL", buffer_view(&text), &error));
    CHECK(!pem_unwrap(&content, &space, "X509 CRL", (struct bytes){ 0 }, &error));
    static uint8_t large[600];
    buffer_clear(&text);
    pem_append(&text, "X509 CRL", BYTES_OF(large));
    CHECK(!pem_unwrap(&content, &space, "X509 CRL", buffer_view(&text), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static const struct test tests[] = {
    TEST(writes_what_it_reads),
    TEST(accepts_the_line_ends_that_occur),
    TEST(reads_blocks_that_share_a_line),
    TEST(refuses_everything_else),
    TEST(unwraps_either_form),
};
TEST_MAIN(tests)
