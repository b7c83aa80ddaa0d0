/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/tdx.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

enum {
    SVSM_VARIABLES_SIZE = 540672
};

static void check_digest(const struct digest48 *digest, const char *expected)
{
    char text[97];
    hex_encode(text, BYTES_OF(digest->bytes));
    CHECK_STRING(text, expected);
}

static void check_image(struct bytes image, size_t section_count, const char *one_pass,
                        const char *two_pass)
{
    struct tdvf tdvf;
    struct error error = { 0 };
    bool is_read = tdvf_parse(&tdvf, image, &error);
    CHECK_NOTE(is_read, "%s", error.text);
    if (!is_read)
        return;
    if (section_count != 0)
        CHECK_NUMBER(tdvf.section_count, section_count);
    struct digest48 mrtd = tdx_mrtd(image, &tdvf, false);
    check_digest(&mrtd, one_pass);
    mrtd = tdx_mrtd(image, &tdvf, true);
    check_digest(&mrtd, two_pass);
}

static void measures_known_images(void)
{
    check_image(test_file("tests/data/measure/tdvf_b.fd"), 1,
                "18a24d2971e12823b10bf63d293e604dfdc96bbc48edbe10429692ce9a1b3246"
                "6a6ae99d48181051fd18714655267caf",
                "94e2e878e04ba3567482d214ff9f6cf716e2fed2c4615c9ac1f6cbc780149dbb"
                "982c742a45b7df63e048621808222a31");
    check_image(test_file("tests/data/measure/tdvf_c.fd"), 3,
                "b01e69dd6a6ca9617c26384b17c7b14846f6e4c14364e2db41d42cfd7dea3c70"
                "43d02b1417491fbb5fbe87f13bf0ec96",
                "89eba0336421455187b25e2b0e135bdfe5c5a39cd395f6c104f0ae57ccb739ce"
                "1f6479e6f32b4030d38ec9a0b47bcd9f");
}

static void measures_code_behind_variables(void)
{
    struct bytes code = test_file("tests/data/measure/svsm_ovmf.fd");
    uint8_t *image = calloc(1, SVSM_VARIABLES_SIZE + code.size);
    REQUIRE(image != NULL);
    memcpy(image + SVSM_VARIABLES_SIZE, code.data, code.size);
    check_image(bytes_of(image, SVSM_VARIABLES_SIZE + code.size), 0,
                "e33f9524ac332b8fc9e51169a45cf470c89efe090cd810699f0b6c248e9995a4"
                "12891be7e5b47c3de6982be22fc58a23",
                "849ad4d151fe593f40086cb5b6a476c18536bc8b5c525c37fa644f85ea40b135"
                "0399a80cca4ce7a62254d2a099ebabe2");
    free(image);
}

static bool parses(struct bytes image)
{
    struct tdvf tdvf;
    struct error error = { 0 };
    bool is_read = tdvf_parse(&tdvf, image, &error);
    CHECK(is_read || (error.code == ERROR_INVALID && error.text[0] != '\0'));
    return is_read;
}

/* Metadata is at the end: an image cut there, or with a byte of its metadata changed, is refused or
 * another image, and never read outside its bounds. */
static void refuses_cut_images_and_survives_changes(void)
{
    struct bytes image = test_file("tests/data/measure/tdvf_c.fd");
    for (size_t size = 0; size < image.size; size += 97)
        CHECK(!parses(bytes_part(image, 0, size)));
    uint8_t *changed = malloc(image.size);
    REQUIRE(changed != NULL);
    memcpy(changed, image.data, image.size);
    for (size_t at = image.size - 1024; at < image.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            changed[at] ^= (uint8_t)(1 << bit);
            (void)parses(bytes_of(changed, image.size));
            changed[at] ^= (uint8_t)(1 << bit);
        }
    free(changed);
}

static void notices_a_changed_byte(void)
{
    struct bytes image = test_file("tests/data/measure/tdvf_b.fd");
    struct tdvf tdvf;
    struct error error;
    uint8_t *changed = malloc(image.size);
    REQUIRE(changed != NULL);
    memcpy(changed, image.data, image.size);
    REQUIRE(tdvf_parse(&tdvf, image, &error));
    struct digest48 before = tdx_mrtd(image, &tdvf, false);
    changed[100] ^= 1;
    struct digest48 after = tdx_mrtd(bytes_of(changed, image.size), &tdvf, false);
    CHECK(memcmp(&before, &after, sizeof(before)) != 0);
    free(changed);
}

static const struct test tests[] = {
    TEST(measures_known_images),
    TEST(measures_code_behind_variables),
    TEST(refuses_cut_images_and_survives_changes),
    TEST(notices_a_changed_byte),
};
TEST_MAIN(tests)
