/* SPDX-License-Identifier: Apache-2.0 */
/* Real documents, cut at every length and changed in every bit: none is accepted. */
#include "attest/attest.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/nitro/docs/"

/* All that are to be had, each with the time it was made. */
static const struct {
    const char *file;
    int64_t now_s;
} real[] = {
    { DATA "dstack_attest.cbor", 1766678659 },
    { DATA "dstack_attest_debug.cbor", 1766650846 },
    { DATA "dstack_nsm_qvl.cbor", 1766668537 },
    { DATA "evervault_debug.cbor", 1665582606 },
};

static void accepts_no_cut_and_no_changed_bit(void)
{
    static uint8_t copy[NITRO_DOCUMENT_SIZE_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(real); i++) {
        struct error error;
        struct attest_verdict verdict;
        struct signature_memo memo = { 0 };
        struct attest_options options = { .tee = ATTEST_TEE_NITRO,
                                          .now_s = real[i].now_s,
                                          .memo = &memo };
        struct bytes document = test_file(real[i].file);
        REQUIRE(document.size > 0 && document.size <= sizeof(copy));
        REQUIRE(attest_verify(&verdict, document, &options, &error));
        memcpy(copy, document.data, document.size);
        for (size_t size = 0; size < document.size; size++)
            CHECK(!attest_verify(&verdict, bytes_of(copy, size), &options, &error));
        for (size_t bit = 0; bit < 8 * document.size; bit += test_bit_step()) {
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_NOTE(!attest_verify(&verdict, bytes_of(copy, document.size), &options, &error),
                       "%s: bit %zu", real[i].file, bit);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static const struct test tests[] = {
    TEST(accepts_no_cut_and_no_changed_bit),
};
TEST_MAIN(tests)
