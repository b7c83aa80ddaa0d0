/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/evidence_text.h"

#include "attest/appraisal.h"
#include "core/hex.h"
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

static const struct test tests[] = {
    TEST(reads_every_form),
    TEST(leaves_the_rest_alone),
    TEST(judges_what_it_stands_for),
};
TEST_MAIN(tests)
