/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/snp.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

#define AMD_SEV "tests/data/measure/ovmf_AmdSev_suffix.bin"
#define X64     "tests/data/measure/ovmf_OvmfX64_suffix.bin"
#define SVSM    "tests/data/measure/svsm_ovmf.fd"

static void check_launch(const struct snp_launch *launch, const char *expected)
{
    struct digest48 digest;
    struct error error = { 0 };
    char text[97];
    bool is_measured = snp_launch_digest(&digest, launch, &error);
    CHECK_NOTE(is_measured, "%s", error.text);
    if (!is_measured)
        return;
    hex_encode(text, BYTES_OF(digest.bytes));
    CHECK_STRING(text, expected);
}

/* Kernel and initrd are empty where there is a kernel. */
static void measures_what_others_measured(void)
{
    static const struct {
        const char *firmware;
        uint32_t vcpu_count;
        uint32_t vcpu_signature;
        uint64_t sev_features;
        const char *command_line; /* NULL: no kernel */
        enum snp_vmm vmm;
        const char *digest;
    } rows[] = {
        { AMD_SEV, 1, 0x800f12, 0x21, "", SNP_VMM_QEMU,
          "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683"
          "632b9b50e4e1d7fa41179ef98a7ef198" },
        { AMD_SEV, 1, 0x800f12, 0x1, "", SNP_VMM_QEMU,
          "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e"
          "9fc98646d4a07a9079397fa3852819b5" },
        { AMD_SEV, 1, 0x800f12, 0x1, "console=ttyS0 loglevel=7", SNP_VMM_QEMU,
          "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362"
          "f390ef83a92046c042e706363b4b08fa" },
        { AMD_SEV, 1, 0x800f12, 0x21, "", SNP_VMM_EC2,
          "0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1a"
          "a415db338033946ef93aa8278c0d67fb" },
        { AMD_SEV, 1, 0, 0x1, "", SNP_VMM_EC2,
          "7d3756157c805bf6adf617064c8552e8c1688fa1c8756f11cbf56ba5d25c9270"
          "fb69c0505c1cbe1c5c66c0e34c6ed3be" },
        { AMD_SEV, 1, 0, 0x21, "", SNP_VMM_EC2,
          "6ae80856486b1396af8c82a40351d6ed76a20c785e9c7fa4ffa27c22d5d6313b"
          "4b3b458cd3c9968e6f89fb5d8450d7a6" },
        { AMD_SEV, 1, 0, 0x1, "", SNP_VMM_GCE,
          "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688e"
          "a8b4e403c8404efed4397ea5d5d0722e" },
        { AMD_SEV, 4, 0, 0x1, "", SNP_VMM_GCE,
          "5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452"
          "a15a00eae11886a93d6fd1e7ab81e29d" },
        { AMD_SEV, 1, 0x800f12, 0x1, NULL, SNP_VMM_QEMU,
          "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ec"
          "abe033c48dd6f6db5d6d76e7c5df632d" },
        { AMD_SEV, 4, 0x800f12, 0x21, "", SNP_VMM_QEMU,
          "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78"
          "eafe7b422907be0b4698e2414a631942" },
        { X64, 1, 0x800f12, 0x21, NULL, SNP_VMM_QEMU,
          "28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66"
          "f146aaae26ff291eed7b493d8a64c385" },
        { X64, 1, 0x800f12, 0x1, NULL, SNP_VMM_QEMU,
          "da0296de8193586a5512078dcd719eccecbd87e2b825ad4148c44f665dc87df2"
          "1e5b49e21523a9ad993afdb6a30b4005" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct snp_launch launch = { .firmware = test_file(rows[i].firmware),
                                     .vcpu_count = rows[i].vcpu_count,
                                     .vcpu_signature = rows[i].vcpu_signature,
                                     .sev_features = rows[i].sev_features,
                                     .vmm = rows[i].vmm,
                                     .has_kernel = rows[i].command_line != NULL };
        if (launch.has_kernel)
            launch.command_line = bytes_of_string(rows[i].command_line);
        check_launch(&launch, rows[i].digest);
    }
}

/* Page hashes of a Coconut SVSM whose image is not here. */
static void measures_an_svsm_by_its_pages(void)
{
    struct snp_svsm_layout layout = {
        .address = 0xffaea000,
        .entry = 0xffaea000,
        .sections = { { 0, 0x9e000, 1 }, { 0x9e000, 0x1000, 2 }, { 0x9f000, 0x1000, 3 } },
        .section_count = 3
    };
    struct snp_launch launch = { .firmware = test_file(SVSM),
                                 .vcpu_count = 4,
                                 .vcpu_signature = 0x800f12,
                                 .sev_features = 1,
                                 .svsm_page_hashes =
                                     test_file("tests/data/measure/svsm_page_sha384.bin"),
                                 .svsm_layout = &layout };
    check_launch(&launch, "27d154c27b7b359c935e250ec6fee72aa0ae8c1225e3b0e1cf46a9567e938066"
                          "d7d6f94bbdc4a857818bdb79277a44b2");
    launch.vcpu_count = 2;
    check_launch(&launch, "9b94745036aafddf4f7f8b00c7513abb5b7703178cb95aaa57928bd963d68d3b"
                          "fcb715d6019b9167ee2517b11b0d9be7");
}

static void wants_whole_hashes_of_pages(void)
{
    struct snp_svsm_layout layout = { .address = 0xffaea000, .entry = 0xffaea000 };
    struct bytes hashes = test_file("tests/data/measure/svsm_page_sha384.bin");
    struct snp_launch launch = { .firmware = test_file(SVSM),
                                 .vcpu_count = 1,
                                 .svsm_page_hashes = bytes_part(hashes, 0, hashes.size - 1),
                                 .svsm_layout = &layout };
    struct digest48 digest;
    struct error error = { 0 };
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    CHECK_NOTE(strstr(error.text, "not whole") != NULL, "%s", error.text);
}

/* The same image by its pages and whole. */
static void measures_an_svsm_by_its_image(void)
{
    struct bytes image = test_file(AMD_SEV); /* has metadata; no entry of an SVSM */
    struct snp_launch launch = { .firmware = test_file(X64),
                                 .vcpu_count = 1,
                                 .sev_features = 1,
                                 .svsm = image,
                                 .variables_size = 0x1000 };
    struct digest48 digest;
    struct error error = { 0 };
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    CHECK_NOTE(strstr(error.text, "where it starts") != NULL, "%s", error.text);
    launch.variables_size = 100;
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    CHECK_NOTE(strstr(error.text, "do not fit") != NULL, "%s", error.text);
}

static void refuses_what_would_not_be_checked(void)
{
    struct snp_launch launch = { .firmware = test_file(X64),
                                 .vcpu_count = 1,
                                 .vcpu_signature = 0x800f12,
                                 .sev_features = 1,
                                 .has_kernel = true };
    struct digest48 digest;
    struct error error = { 0 };
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    CHECK_NOTE(strstr(error.text, "would not check the kernel") != NULL, "%s", error.text);
    launch.has_kernel = false;
    launch.vcpu_count = 0;
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    launch.vcpu_count = VCPU_COUNT_MAX + 1;
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    launch.vcpu_count = 1;
    launch.firmware.size--;
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    launch.firmware.size = 0;
    CHECK(!snp_launch_digest(&digest, &launch, &error));
}

static void survives_changed_metadata(void)
{
    struct bytes image = test_file(AMD_SEV);
    uint8_t *changed = malloc(image.size);
    REQUIRE(changed != NULL);
    memcpy(changed, image.data, image.size);
    struct snp_launch launch = { .firmware = bytes_of(changed, image.size),
                                 .vcpu_count = 2,
                                 .sev_features = 1,
                                 .has_kernel = true };
    struct digest48 digest, original;
    struct error error;
    REQUIRE(snp_launch_digest(&original, &launch, &error));
    for (size_t at = image.size - 1024; at < image.size; at += 3) {
        changed[at] ^= 0x55;
        bool is_measured = snp_launch_digest(&digest, &launch, &error);
        CHECK(!is_measured || memcmp(&digest, &original, sizeof(digest)) != 0);
        changed[at] ^= 0x55;
    }
    free(changed);
}

static void limits_what_all_sections_cover(void)
{
    enum {
        HEADER_SIZE = 16, /* magic, size, version, count; then {address, size, type} */
        EACH_SIZE = FIRMWARE_MEASURED_SIZE_MAX - MEASURE_PAGE_SIZE
    };
    struct bytes image = test_file(AMD_SEV);
    uint8_t *changed = malloc(image.size);
    REQUIRE(changed != NULL);
    memcpy(changed, image.data, image.size);
    uint8_t *table = memmem(changed, image.size, "ASEV", 4);
    REQUIRE(table != NULL);
    uint32_t size = EACH_SIZE; /* little-endian, as this machine */
    for (size_t i = 0; i < 2; i++)
        memcpy(table + HEADER_SIZE + i * 12 + 4, &size, sizeof(size));
    struct snp_launch launch = { .firmware = bytes_of(changed, image.size), .vcpu_count = 1 };
    struct digest48 digest;
    struct error error = { 0 };
    CHECK(!snp_launch_digest(&digest, &launch, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    free(changed);
}

static const struct test tests[] = {
    TEST(measures_what_others_measured),     TEST(measures_an_svsm_by_its_pages),
    TEST(wants_whole_hashes_of_pages),       TEST(measures_an_svsm_by_its_image),
    TEST(refuses_what_would_not_be_checked), TEST(survives_changed_metadata),
    TEST(limits_what_all_sections_cover),
};
TEST_MAIN(tests)
