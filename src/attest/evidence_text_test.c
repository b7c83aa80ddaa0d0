/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/evidence_text.h"

#include "attest/appraisal.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/base64.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/"

enum {
    TEXT_SIZE_MAX = 32768
};

static char text[TEXT_SIZE_MAX];

/* A line end behind every `width` characters. */
static struct bytes wrapped(size_t width, const char *line_end)
{
    static char lines[2 * TEXT_SIZE_MAX];
    size_t size = 0;
    for (size_t i = 0; text[i] != 0; i++) {
        lines[size++] = text[i];
        for (size_t j = 0; (i + 1) % width == 0 && line_end[j] != 0; j++)
            lines[size++] = line_end[j];
    }
    return bytes_of(lines, size);
}

static bool is_read_as(struct bytes file, struct bytes expected)
{
    static uint8_t space[4 * TEXT_SIZE_MAX];
    struct bytes evidence;
    return evidence_text_read(&evidence, space, file) && bytes_equal(evidence, expected);
}

static void strip_padding(void)
{
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '=')
        text[--size] = 0;
}

static void reads_every_form(void)
{
    struct bytes quote = test_file(DATA "tdx_v4_phala_b0c06f.bin");
    /* All three lengths of a last group. */
    for (size_t cut = 0; cut < 3; cut++) {
        struct bytes evidence = bytes_part(quote, 0, quote.size - cut);
        hex_encode(text, evidence);
        CHECK(is_read_as(bytes_of_string(text), evidence));
        CHECK(is_read_as(wrapped(60, "\n"), evidence));
        CHECK(is_read_as(wrapped(2, " "), evidence));
        memmove(text + 2, text, strlen(text) + 1);
        memcpy(text, "0x", 2);
        CHECK(is_read_as(bytes_of_string(text), evidence));
        base64_encode(text, evidence);
        CHECK(is_read_as(bytes_of_string(text), evidence));
        CHECK(is_read_as(wrapped(76, "\r\n"), evidence));
        strip_padding();
        CHECK(is_read_as(wrapped(64, "\n"), evidence));
        base64url_encode(text, evidence);
        CHECK(is_read_as(bytes_of_string(text), evidence));
    }
}

static void leaves_the_rest_alone(void)
{
    struct bytes quote = test_file(DATA "tdx_v4_phala_b0c06f.bin");
    CHECK(!is_read_as(quote, quote));
    CHECK(!is_read_as(BYTES_LITERAL(""), quote));
    CHECK(!is_read_as(test_file(DATA "sample_root_ca.pem"), quote));
    struct bytes small = bytes_part(quote, 0, 999);
    hex_encode(text, small);
    CHECK(!is_read_as(bytes_of_string(text), small));
    base64_encode(text, small);
    CHECK(!is_read_as(bytes_of_string(text), small));
    hex_encode(text, quote);
    text[strlen(text) - 1] = 0; /* half a byte: no hexadecimal, and as base64 something else */
    CHECK(!is_read_as(bytes_of_string(text), bytes_part(quote, 0, quote.size - 1)));
    base64_encode(text, bytes_part(quote, 0, quote.size / 3 * 3 - 1));
    size_t size = strlen(text);
    memcpy(text + size, "=", 2);
    CHECK(!is_read_as(bytes_of_string(text), bytes_part(quote, 0, quote.size / 3 * 3 - 1)));
    text[size] = 0;
    text[10] = '*';
    CHECK(!is_read_as(bytes_of_string(text), bytes_part(quote, 0, quote.size / 3 * 3 - 1)));
}

static bool is_valid(struct bytes evidence, int64_t now_s)
{
    struct error error;
    AUTO(appraisal) struct appraisal *appraisal = appraisal_new();
    struct appraisal_request request = { .evidence = evidence, .now_s = now_s };
    return appraisal != NULL && appraise(appraisal, &request, &error) &&
           appraisal->verdict.is_valid;
}

static void judges_what_it_stands_for(void)
{
    struct bytes document = test_file(DATA "nitro/docs/qos_production.cbor");
    base64_encode(text, document);
    CHECK(is_valid(wrapped(64, "\n"), 1721159587));
    hex_encode(text, document);
    CHECK(is_valid(bytes_of_string(text), 1721159587));
    text[strlen(text) - 3] ^= 1; /* of the signature */
    CHECK(!is_valid(bytes_of_string(text), 1721159587));
}

static struct bytes read_given(struct bytes file)
{
    static uint8_t space[4 * TEXT_SIZE_MAX];
    CHECK(collateral_text_is(file));
    return collateral_text_read(space, file);
}

static void reads_certificates_and_lists(void)
{
    struct bytes list = test_file(DATA "intel/root_ca_crl_20250320.der");
    hex_encode(text, list);
    CHECK_BYTES(read_given(bytes_of_string(text)), list);
    CHECK_BYTES(read_given(wrapped(80, "\n")), list);
    base64_encode(text, list);
    CHECK_BYTES(read_given(wrapped(64, "\r\n")), list);
    CHECK(!collateral_text_is(list));
    hex_encode(text, BYTES_LITERAL("\x31\x82 no SEQUENCE"));
    CHECK_BYTES(read_given(bytes_of_string(text)), bytes_of_string(text));
    CHECK_BYTES(read_given(BYTES_LITERAL("30")), BYTES_LITERAL("30"));
    CHECK_BYTES(read_given(BYTES_LITERAL("")), BYTES_LITERAL(""));
    CHECK_BYTES(read_given(BYTES_LITERAL("{\"a\": 1}")), BYTES_LITERAL("{\"a\": 1}"));
}

#define BLOCK "-----BEGIN X-----\nAAAA\n-----END X-----\n"

static void drops_what_stands_around_blocks(void)
{
    static const struct {
        const char *file;
        const char *expected; /* NULL: the same */
    } cases[] = {
        { BLOCK, NULL },
        { "# a comment\n" BLOCK, BLOCK },
        { BLOCK "# between\n\n" BLOCK "behind", BLOCK BLOCK },
        { "Certificate:\n    Data:\n" BLOCK, BLOCK },
        { "\xef\xbb\xbf" BLOCK, BLOCK },
        { "-----BEGIN%20X-----%0AAAAA%0A-----END%20X-----%0a", BLOCK },
        { "-----BEGIN X-----\r\nAAAA\r\n-----END X-----", NULL },
        { "-----BEGIN X-----\nAAAA\n-----END X----------BEGIN X-----\nAAAA\n-----END X-----",
          NULL },
        /* A spoilt boundary is left for the parser to refuse. */
        { "-----BEGIN X----\nAAAA\n-----END X-----\n" BLOCK, NULL },
        { BLOCK "----,BEGIN X-----\nAAAA\n-----END X-----\n", NULL },
        { BLOCK "-----BEGIN X-----\nAAAA\n", NULL },
        { BLOCK "-----\n", NULL },
        { "no block\n", NULL },
        { "-----BEGIN%2X-----", NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bytes file = bytes_of_string(cases[i].file);
        const char *expected = cases[i].expected == NULL ? cases[i].file : cases[i].expected;
        CHECK_NOTE(bytes_equal_string(read_given(file), expected), "case %zu", i);
    }
}

/* What is found of a report with its key's certificate, issuer's and root's in one file. */
static enum attest_reason reason_of_chain(const char *report, struct bytes chain,
                                          struct bytes intermediate)
{
    struct error error;
    AUTO(appraisal) struct appraisal *appraisal = appraisal_new();
    struct appraisal_request request = { .tee = ATTEST_TEE_SNP };
    request.evidence = test_file(report);
    request.collateral.vek = chain;
    request.collateral.intermediate = intermediate;
    CHECK(time_parse(&request.now_s, BYTES_LITERAL("2026-01-01T00:00:00Z")));
    bool is_judged = appraisal != NULL && appraise(appraisal, &request, &error);
    CHECK(is_judged);
    return is_judged ? appraisal->verdict.reason : ATTEST_REASON_FORMAT;
}

static void takes_a_chain_in_one_file(void)
{
    const char *turin = DATA "snp/reports/turin_v5_yaxi.bin";
    const char *genoa = DATA "snp/reports/genoa_v5_yaxi.bin";
    struct bytes turins = test_file(DATA "snp/certs/chain_yaxi_turin.pem");
    struct bytes genoas = test_file(DATA "snp/certs/chain_yaxi_genoa.pem");
    struct bytes ask = test_file(DATA "snp/certs/genoa_ask.der");
    struct bytes none = { 0 };
    CHECK(reason_of_chain(turin, turins, none) == ATTEST_REASON_NONE);
    CHECK(reason_of_chain(genoa, genoas, none) == ATTEST_REASON_NONE);
    CHECK(reason_of_chain(genoa, turins, none) == ATTEST_REASON_PRODUCT_MISMATCH);
    /* Nor more than it needs. */
    CHECK(reason_of_chain(genoa, genoas, ask) == ATTEST_REASON_VEK_CHAIN_INVALID);
    size_t vek_size = 0;
    while (!bytes_starts_with(bytes_part(genoas, vek_size, 9), BYTES_LITERAL("-----END ")))
        vek_size++;
    struct bytes vek = bytes_part(genoas, 0, vek_size + strlen("-----END CERTIFICATE-----\n"));
    CHECK(reason_of_chain(genoa, vek, none) == ATTEST_REASON_NO_VEK_CERT);
    CHECK(reason_of_chain(genoa, vek, ask) == ATTEST_REASON_NONE);
    CHECK(reason_of_chain(genoa, none, ask) == ATTEST_REASON_NO_VEK_CERT);
    CHECK(reason_of_chain(genoa, vek, BYTES_LITERAL("?")) == ATTEST_REASON_VEK_CHAIN_INVALID);
    /* A comment that could be a boundary makes all of it malformed. */
    memcpy(text, turins.data, turins.size);
    memcpy(text, "-----", 5);
    CHECK(reason_of_chain(turin, bytes_of(text, turins.size), none) != ATTEST_REASON_NONE);
}

static const struct test tests[] = {
    TEST(reads_every_form),
    TEST(leaves_the_rest_alone),
    TEST(judges_what_it_stands_for),
    TEST(reads_certificates_and_lists),
    TEST(drops_what_stands_around_blocks),
    TEST(takes_a_chain_in_one_file),
};
TEST_MAIN(tests)
