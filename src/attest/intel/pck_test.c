/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/pck.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <string.h>

#define PLATFORM_FILE  "fuzz/corpus/intel-pck/v4_phala_b0c06f"
#define PROCESSOR_FILE "fuzz/corpus/intel-pck/v3_phala_00a067"

#define CHECK_HEX(field, expected)                                                                 \
    do {                                                                                           \
        char text_[2 * sizeof(field) + 1];                                                         \
        hex_encode(text_, BYTES_OF(field));                                                        \
        CHECK_STRING(text_, expected);                                                             \
    } while (0)

static void reads_a_platform_ca_extension(void)
{
    struct error error;
    struct pck_info info;
    REQUIRE(pck_parse(&info, test_file(PLATFORM_FILE), &error));
    CHECK_HEX(info.ppid, "811dca2a26b952e85bb6448b097ba4fd");
    CHECK_HEX(info.tcb_component_svn, "03030202040100050000000000000000");
    CHECK_HEX(info.cpu_svn, "03030202040100050000000000000000");
    CHECK_NUMBER(info.pce_svn, 11);
    CHECK_HEX(info.pce_id, "0000");
    CHECK_HEX(info.fmspc, "b0c06f000000");
    CHECK_NUMBER(info.sgx_type, PCK_SGX_SCALABLE);
    CHECK(info.has_platform_instance_id);
    CHECK_HEX(info.platform_instance_id, "07828474603e7019dc930775ffe8cdd2");
    CHECK(info.has_configuration && info.is_dynamic_platform && info.has_cached_keys &&
          info.has_smt);
}

static void reads_a_processor_ca_extension(void)
{
    struct error error;
    struct pck_info info;
    REQUIRE(pck_parse(&info, test_file(PROCESSOR_FILE), &error));
    CHECK_HEX(info.fmspc, "00a067110000");
    CHECK_NUMBER(info.tcb_component_svn[4], 255);
    CHECK_NUMBER(info.pce_svn, 13);
    CHECK_NUMBER(info.sgx_type, PCK_SGX_STANDARD);
    CHECK(!info.has_platform_instance_id && !info.has_configuration);
}

static void writes_what_real_certificates_say(void)
{
    static const char *const files[] = { PLATFORM_FILE, PROCESSOR_FILE };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct error error;
        struct pck_info info;
        REQUIRE(pck_parse(&info, test_file(files[i]), &error));
        uint8_t space[1024];
        struct der_writer writer = der_writer_into(space, sizeof(space));
        pck_write(&writer, &info);
        CHECK_BYTES(der_writer_view(&writer), test_file(files[i]));
    }
}

static void refuses_truncations_and_survives_changes(void)
{
    struct error error;
    struct pck_info info;
    struct bytes extension = test_file(PLATFORM_FILE);
    uint8_t copy[1024];
    REQUIRE(extension.size < sizeof(copy));
    memcpy(copy, extension.data, extension.size);
    for (size_t i = 0; i < extension.size; i++) {
        CHECK(!pck_parse(&info, bytes_of(copy, i), &error));
        copy[i] ^= 0x55;
        (void)!pck_parse(&info, bytes_of(copy, extension.size), &error);
        copy[i] ^= 0x55;
    }
    CHECK(!pck_parse(&info, bytes_of(copy, extension.size + 1), &error));
}

/* Takes the item at `skip` out of the list, and puts the one at `repeat` in twice. */
static bool parses_without(size_t skip, size_t repeat)
{
    struct error error;
    struct pck_info info;
    uint8_t space[2048];
    struct reader outer = reader_of(test_file(PLATFORM_FILE));
    struct reader items = der_enter(&outer, DER_SEQUENCE);
    struct der_writer writer = der_writer_into(space, sizeof(space));
    der_open(&writer, DER_SEQUENCE);
    for (size_t i = 0; reader_left(&items) > 0; i++) {
        uint8_t tag;
        struct bytes content;
        struct bytes item = der_read_any(&items, &tag, &content);
        if (i != skip)
            der_write_raw(&writer, item);
        if (i == repeat)
            der_write_raw(&writer, item);
    }
    der_close(&writer);
    return pck_parse(&info, der_writer_view(&writer), &error);
}

static void needs_each_item_once(void)
{
    enum {
        NONE = 99
    };
    CHECK(parses_without(NONE, NONE));
    for (size_t i = 0; i < 5; i++)
        CHECK(!parses_without(i, NONE));
    CHECK(parses_without(5, NONE));
    CHECK(parses_without(6, NONE));
    for (size_t i = 0; i < 7; i++)
        CHECK(!parses_without(NONE, i));
}

static const struct test tests[] = {
    TEST(reads_a_platform_ca_extension),
    TEST(reads_a_processor_ca_extension),
    TEST(writes_what_real_certificates_say),
    TEST(refuses_truncations_and_survives_changes),
    TEST(needs_each_item_once),
};
TEST_MAIN(tests)
