/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/bundle.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static void fill(struct bundle *bundle)
{
    bundle_init(bundle);
    memcpy(bundle->attestation.platform, "sim", 4);
    memset(bundle->attestation.nonce.bytes, 0xab, 32);
    buffer_append_string(&bundle->attestation.keyset, "{\"a\":\"\xc3\xa9\"}");
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        buffer_append(&bundle->attestation.evidence, bytes_of(&byte, 1));
    }
    buffer_append_string(&bundle->receipt, "aaa.bbb.ccc");
}

static void comes_back_as_it_was(void)
{
    struct error error = { 0 };
    AUTO_BUNDLE struct bundle bundle;
    AUTO_BUNDLE struct bundle back;
    AUTO_ATTESTATION struct attestation attestation;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    fill(&bundle);
    bundle_init(&back);
    attestation_init(&attestation);
    REQUIRE(bundle_write(&text, &bundle, &error));
    bool parsed = bundle_parse(&back, buffer_view(&text), &error);
    CHECK_NOTE(parsed, "%s", error.text);
    CHECK_BYTES(buffer_view(&back.receipt), buffer_view(&bundle.receipt));
    CHECK_BYTES(buffer_view(&back.attestation.keyset), buffer_view(&bundle.attestation.keyset));
    CHECK_BYTES(buffer_view(&back.attestation.evidence), buffer_view(&bundle.attestation.evidence));
    CHECK_STRING(back.attestation.platform, "sim");
    CHECK(memcmp(&back.attestation.nonce, &bundle.attestation.nonce, 32) == 0);
    buffer_clear(&text);
    REQUIRE(attestation_write(&text, &bundle.attestation, &error));
    parsed = attestation_parse(&attestation, buffer_view(&text), &error);
    CHECK_NOTE(parsed, "%s", error.text);
    CHECK_BYTES(buffer_view(&attestation.evidence), buffer_view(&bundle.attestation.evidence));
}

static bool parses(const char *text)
{
    struct error error = { 0 };
    AUTO_BUNDLE struct bundle bundle;
    bundle_init(&bundle);
    bool parsed = bundle_parse(&bundle, bytes_of_string(text), &error);
    CHECK(parsed || error.code == ERROR_INVALID);
    return parsed;
}

#define NONCE "abababababababababababababababababababababababababababababababab"
#define REST                                                                                       \
    ",\"receipt\":\"r\",\"platform\":\"sim\",\"keyset\":\"k\",\"nonce\":\"" NONCE                  \
    "\",\"evidence\":\"AAAA\"}"

static void only_whole_bundles_parse(void)
{
    CHECK(parses("{\"s3n_receipt_bundle\":1" REST));
    CHECK(!parses("{\"s3n_receipt_bundle\":2" REST));
    CHECK(!parses("{\"s3n_receipt_bundle\":\"1\"" REST));
    CHECK(!parses("{\"s3n_receipt_bundle\":1,\"more\":1" REST));
    CHECK(!parses("{\"s3n_receipt_bundle\":1,\"nonce\":\"\"" REST));
    CHECK(!parses("{\"s3n_receipt_bundle\":1}"));
    CHECK(!parses("[]"));
    CHECK(!parses(""));
    char text[1024];
    static const char *const replaced[][2] = {
        { "AAAA", "AAA" },
        { "AAAA", "AA*A" },
        { "\"sim\"", "\"a-platform-with-a-long-name\"" },
        { "\"sim\"", "5" },
        { "abab", "ABab" },
        { "abab", "aba" },
        { "abab", "xbab" },
        { "\"r\"", "[\"r\"]" },
    };
    static const char good[] = "{\"s3n_receipt_bundle\":1" REST;
    for (size_t i = 0; i < ARRAY_COUNT(replaced); i++) {
        const char *found = strstr(good, replaced[i][0]);
        REQUIRE(found != NULL);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(found - good), good, replaced[i][1],
                 found + strlen(replaced[i][0]));
        CHECK_NOTE(!parses(text), "%s", text);
    }
    for (size_t i = 0; i + 1 < sizeof(good); i++) {
        snprintf(text, sizeof(text), "%.*s", (int)i, good);
        CHECK(!parses(text));
    }
}

static void only_the_format_it_is_of_parses(void)
{
    struct error error = { 0 };
    AUTO_BUNDLE struct bundle bundle;
    AUTO_ATTESTATION struct attestation attestation;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    fill(&bundle);
    attestation_init(&attestation);
    REQUIRE(attestation_write(&text, &bundle.attestation, &error));
    char *format = memmem(text.data, text.size, "\"unknown\"", 9);
    REQUIRE(format != NULL);
    memcpy(format, "\"sgx-qot\"", 9);
    CHECK(!attestation_parse(&attestation, buffer_view(&text), &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
}

/* A bundle with one member of this many characters. */
static bool parses_long(const char *key, size_t size, const char *words)
{
    static char text[BUNDLE_SIZE_MAX + 1024];
    struct error error = { 0 };
    AUTO_BUNDLE struct bundle bundle;
    bundle_init(&bundle);
    int head = snprintf(text, sizeof(text),
                        "{\"s3n_receipt_bundle\":1,\"platform\":\"sim\",\"keyset\":\"k\","
                        "\"nonce\":\"" NONCE "\",\"%s\":\"AAAA\",\"%s\":\"",
                        strcmp(key, "receipt") == 0 ? "evidence" : "receipt", key);
    memset(text + head, 'A', size);
    memcpy(text + (size_t)head + size, "\"}", 3);
    bool parsed = bundle_parse(&bundle, bytes_of(text, (size_t)head + size + 2), &error);
    CHECK_NOTE(parsed || strstr(error.text, words) != NULL, "%s", error.text);
    return parsed;
}

static void limits_each_member(void)
{
    CHECK(parses_long("receipt", RECEIPT_SIZE_MAX, "too long"));
    CHECK(!parses_long("receipt", RECEIPT_SIZE_MAX + 1, "too long"));
    size_t evidence = EVIDENCE_SIZE_MAX / 3 * 4;
    CHECK(parses_long("evidence", evidence - 8, "too long"));
    CHECK(!parses_long("evidence", evidence + 8, "too long"));
    CHECK(!parses_long("receipt", BUNDLE_SIZE_MAX, "more than"));
}

static const struct test tests[] = { TEST(comes_back_as_it_was), TEST(only_whole_bundles_parse),
                                     TEST(only_the_format_it_is_of_parses),
                                     TEST(limits_each_member) };
TEST_MAIN(tests)
