/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/eif.h"

#include "core/cbor.h"
#include "core/hex.h"
#include "core/writer.h"
#include "tests/harness.h"

#include <string.h>

enum {
    IMAGE_SIZE_MAX = 65536,
    HEADER_SIZE = 548
};

#define CERTIFICATE "tests/data/certificates/intel_sgx_root_ca.der"

/* An image under construction, as the builder of Amazon's tools lays it out. */
struct image {
    uint8_t bytes[IMAGE_SIZE_MAX];
    struct writer whole;
    uint64_t offsets[EIF_SECTION_COUNT_MAX];
    uint64_t sizes[EIF_SECTION_COUNT_MAX];
    uint16_t section_count;
    uint16_t version;
};

static void image_begin(struct image *image)
{
    *image = (struct image){ .version = 4 };
    image->whole = writer_into(image->bytes, sizeof(image->bytes));
    write_zeros(&image->whole, HEADER_SIZE);
}

static void section_put(struct image *image, uint16_t type, struct bytes content)
{
    image->offsets[image->section_count] = image->whole.size;
    image->sizes[image->section_count++] = content.size;
    write_u16_be(&image->whole, type);
    write_u16_be(&image->whole, 0);
    write_u64_be(&image->whole, content.size);
    write_bytes(&image->whole, content);
}

/* Bit by bit, unlike the code under test. */
static uint32_t crc32_of(const struct image *image, size_t skip_from, size_t skip_to)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < image->whole.size; i++) {
        if (i >= skip_from && i < skip_to)
            continue;
        crc ^= image->bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static struct bytes image_end(struct image *image)
{
    struct writer header = writer_into(image->bytes, HEADER_SIZE);
    write_bytes(&header, BYTES_LITERAL(".eif"));
    write_u16_be(&header, image->version);
    write_u16_be(&header, 0);
    write_u64_be(&header, 512 << 20);
    write_u64_be(&header, 2);
    write_u16_be(&header, 0);
    write_u16_be(&header, image->section_count);
    for (size_t i = 0; i < EIF_SECTION_COUNT_MAX; i++)
        write_u64_be(&header, image->offsets[i]);
    for (size_t i = 0; i < EIF_SECTION_COUNT_MAX; i++)
        write_u64_be(&header, image->sizes[i]);
    write_u32_be(&header, 0);
    write_u32_be(&header, crc32_of(image, HEADER_SIZE - 4, HEADER_SIZE));
    CHECK(!header.failed && !image->whole.failed);
    return writer_view(&image->whole);
}

static struct digest48 extended(struct digest48 digest)
{
    uint8_t both[96] = { 0 };
    memcpy(both + 48, digest.bytes, sizeof(digest.bytes));
    return sha384_of(BYTES_OF(both));
}

static void check_pcr(const struct digest48 *pcr, const char *content)
{
    struct digest48 expected = extended(sha384_of(bytes_of_string(content)));
    CHECK_BYTES(BYTES_OF(pcr->bytes), BYTES_OF(expected.bytes));
}

static bool measure(struct eif_measurement *measurement, struct bytes image)
{
    struct error error = { 0 };
    bool is_measured = eif_measure(measurement, image, &error);
    CHECK(is_measured || error.text[0] != '\0');
    return is_measured;
}

static void measures_sections_in_their_registers(void)
{
    static struct image image;
    struct eif_measurement measurement;
    image_begin(&image);
    section_put(&image, EIF_KERNEL, BYTES_LITERAL("kernel "));
    section_put(&image, EIF_COMMAND_LINE, BYTES_LITERAL("cmdline "));
    section_put(&image, EIF_METADATA, BYTES_LITERAL("{}"));
    section_put(&image, EIF_RAMDISK, BYTES_LITERAL("boot "));
    section_put(&image, EIF_RAMDISK, BYTES_LITERAL("app1 "));
    section_put(&image, EIF_RAMDISK, BYTES_LITERAL("app2"));
    REQUIRE(measure(&measurement, image_end(&image)));
    check_pcr(&measurement.pcr[0], "kernel cmdline boot app1 app2");
    check_pcr(&measurement.pcr[1], "kernel cmdline boot ");
    check_pcr(&measurement.pcr[2], "app1 app2");
    CHECK(!measurement.is_signed);
    CHECK_NUMBER(measurement.section_count, 6);
}

/* The signature section in both ways that its certificate is written. */
static struct bytes signature_of(struct writer *writer, struct bytes certificate, bool is_array)
{
    cbor_write_array(writer, 1);
    cbor_write_map(writer, 2);
    cbor_write_text(writer, BYTES_LITERAL("signing_certificate"));
    if (is_array) {
        cbor_write_array(writer, certificate.size);
        for (size_t i = 0; i < certificate.size; i++)
            cbor_write_unsigned(writer, certificate.data[i]);
    } else {
        cbor_write_bytes(writer, certificate);
    }
    cbor_write_text(writer, BYTES_LITERAL("signature"));
    cbor_write_bytes(writer, BYTES_LITERAL("COSE"));
    return writer_view(writer);
}

static void measures_the_signer(void)
{
    static struct image image;
    static uint8_t space[8192];
    struct bytes certificate = test_file(CERTIFICATE);
    struct digest48 expected = extended(sha384_of(certificate));
    for (int is_array = 0; is_array < 2; is_array++) {
        struct eif_measurement measurement;
        struct writer writer = writer_into(space, sizeof(space));
        image_begin(&image);
        section_put(&image, EIF_KERNEL, BYTES_LITERAL("k"));
        section_put(&image, EIF_COMMAND_LINE, BYTES_LITERAL("c"));
        section_put(&image, EIF_RAMDISK, BYTES_LITERAL("r"));
        section_put(&image, EIF_SIGNATURE, signature_of(&writer, certificate, is_array == 1));
        REQUIRE(measure(&measurement, image_end(&image)));
        CHECK(measurement.is_signed);
        CHECK_BYTES(BYTES_OF(measurement.pcr8.bytes), BYTES_OF(expected.bytes));
    }
}

static void refuses_images_that_do_not_hold(void)
{
    static struct image image;
    struct eif_measurement measurement;
    static const struct {
        uint16_t types[4];
        uint16_t version;
    } rows[] = {
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_METADATA }, 4 },
        { { EIF_KERNEL, EIF_RAMDISK, EIF_METADATA }, 4 },
        { { EIF_COMMAND_LINE, EIF_RAMDISK, EIF_METADATA }, 4 },
        { { EIF_KERNEL, EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK }, 4 },
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_COMMAND_LINE, EIF_RAMDISK }, 4 },
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK, 6 }, 4 },
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK, 0xffff }, 4 },
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK, EIF_SIGNATURE }, 4 }, /* no CBOR */
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK, EIF_METADATA }, 1 },
        { { EIF_KERNEL, EIF_COMMAND_LINE, EIF_RAMDISK, EIF_METADATA }, 5 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        image_begin(&image);
        image.version = rows[i].version;
        for (size_t j = 0; j < 4 && rows[i].types[j] != 0; j++)
            section_put(&image, rows[i].types[j], BYTES_LITERAL("content"));
        CHECK_NOTE(!measure(&measurement, image_end(&image)), "row %zu", i);
    }
}

static void refuses_cuts_and_every_changed_byte(void)
{
    static struct image image;
    struct eif_measurement measurement;
    image_begin(&image);
    section_put(&image, EIF_KERNEL, BYTES_LITERAL("kernel"));
    section_put(&image, EIF_COMMAND_LINE, BYTES_LITERAL("cmdline"));
    section_put(&image, EIF_RAMDISK, BYTES_LITERAL("boot"));
    struct bytes whole = image_end(&image);
    REQUIRE(measure(&measurement, whole));
    for (size_t size = 0; size < whole.size; size++)
        CHECK(!measure(&measurement, bytes_part(whole, 0, size)));
    for (size_t at = 0; at < whole.size; at++) {
        image.bytes[at] ^= 1;
        CHECK_NOTE(!measure(&measurement, whole), "byte %zu", at);
        image.bytes[at] ^= 1;
    }
}

/* Sound checksums in front of sections that lie elsewhere. */
static void refuses_places_outside(void)
{
    static struct image image;
    struct eif_measurement measurement;
    static const uint64_t offsets[] = { 0, HEADER_SIZE - 1, IMAGE_SIZE_MAX, UINT64_MAX,
                                        UINT64_MAX - 5 };
    for (size_t i = 0; i < ARRAY_COUNT(offsets); i++) {
        image_begin(&image);
        section_put(&image, EIF_KERNEL, BYTES_LITERAL("kernel"));
        section_put(&image, EIF_COMMAND_LINE, BYTES_LITERAL("cmdline"));
        section_put(&image, EIF_RAMDISK, BYTES_LITERAL("boot"));
        image.offsets[1] = offsets[i];
        CHECK(!measure(&measurement, image_end(&image)));
    }
    image_begin(&image);
    image.section_count = 33;
    CHECK(!measure(&measurement, image_end(&image)));
}

static const char *refusal_of(struct bytes image)
{
    static struct error error;
    struct eif_measurement measurement;
    error = (struct error){ 0 };
    return eif_measure(&measurement, image, &error) ? "none" : error.text;
}

#define CHECK_REFUSAL(image, words)                                                                \
    do {                                                                                           \
        const char *refusal_ = refusal_of(image);                                                  \
        CHECK_NOTE(strstr(refusal_, words) != NULL, "%s", refusal_);                               \
    } while (0)

static void put_all(struct image *image)
{
    image_begin(image);
    section_put(image, EIF_KERNEL, BYTES_LITERAL("kernel"));
    section_put(image, EIF_COMMAND_LINE, BYTES_LITERAL("cmdline"));
    section_put(image, EIF_RAMDISK, BYTES_LITERAL("boot"));
}

static void says_what_is_wrong_with_an_image(void)
{
    static struct image image;
    static uint8_t space[8192];
    put_all(&image);
    CHECK_REFUSAL(image_end(&image), "none");
    image.offsets[1] = HEADER_SIZE - 1;
    CHECK_REFUSAL(image_end(&image), "outside the image");
    image.offsets[1] = image.whole.size + 1;
    CHECK_REFUSAL(image_end(&image), "outside the image");
    /* The last section says one byte more than there is: all of the others hold. */
    put_all(&image);
    image.bytes[image.offsets[2] + 11]++;
    CHECK_REFUSAL(image_end(&image), "cut");
    memset(image.bytes + image.offsets[2] + 4, 0xff, 8);
    CHECK_REFUSAL(image_end(&image), "cut");
    put_all(&image);
    struct writer writer = writer_into(space, sizeof(space));
    struct bytes signature = signature_of(&writer, test_file(CERTIFICATE), false);
    section_put(&image, EIF_SIGNATURE, signature);
    CHECK_REFUSAL(image_end(&image), "none");
    section_put(&image, EIF_SIGNATURE, signature);
    CHECK_REFUSAL(image_end(&image), "one signature section");
    put_all(&image);
    image.section_count = EIF_SECTION_COUNT_MAX + 1;
    CHECK_REFUSAL(image_end(&image), "at most");
    put_all(&image);
    struct bytes whole = image_end(&image);
    CHECK_REFUSAL(bytes_part(whole, 0, HEADER_SIZE - 1), "no enclave image");
    image.bytes[0] ^= 1;
    CHECK_REFUSAL(whole, "no enclave image");
    image.bytes[0] ^= 1;
    /* Its length alone: nothing of it is read. */
    CHECK_REFUSAL(bytes_of(image.bytes, (size_t)EIF_SIZE_MAX + 1), "at most");
}

static const struct test tests[] = {
    TEST(measures_sections_in_their_registers),
    TEST(measures_the_signer),
    TEST(refuses_images_that_do_not_hold),
    TEST(refuses_cuts_and_every_changed_byte),
    TEST(refuses_places_outside),
    TEST(says_what_is_wrong_with_an_image),
};
TEST_MAIN(tests)
