/* SPDX-License-Identifier: Apache-2.0 */
/* Real documents, cut at every length and changed in every bit: none is accepted. */
#include "attest/nitro/test_documents.h"
#include "attest/test_p384.c" /* NOLINT(bugprone-suspicious-include) */
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/nitro/docs/"

enum {
    MADE_STEP = 7 /* bits: real documents have every one of theirs tried */
};

/* Each with the time it was made. */
static const struct {
    const char *file;
    int64_t now_s;
} real[] = {
    { DATA "dstack_attest.cbor", 1766678659 },  { DATA "dstack_attest_debug.cbor", 1766650846 },
    { DATA "dstack_nsm_qvl.cbor", 1766668537 }, { DATA "evervault_debug.cbor", 1665582606 },
    { DATA "qos_production.cbor", 1721159587 },
};

/* `step`: of bits. */
static void try_document(struct bytes document, const struct attest_options *options, size_t step,
                         const char *name)
{
    static uint8_t copy[NITRO_DOCUMENT_SIZE_MAX];
    struct error error;
    struct attest_verdict verdict;
    REQUIRE(document.size > 0 && document.size <= sizeof(copy));
    REQUIRE(attest_verify(&verdict, document, options, &error));
    memcpy(copy, document.data, document.size);
    for (size_t size = 0; size < document.size; size++)
        CHECK(!attest_verify(&verdict, bytes_of(copy, size), options, &error));
    for (size_t bit = 0; bit < 8 * document.size; bit += step) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(!attest_verify(&verdict, bytes_of(copy, document.size), options, &error),
                   "%s: bit %zu", name, bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void accepts_no_cut_and_no_changed_bit(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(real); i++) {
        struct signature_memo memo = { 0 };
        struct attest_options options = { .tee = ATTEST_TEE_NITRO,
                                          .now_s = real[i].now_s,
                                          .memo = &memo };
        try_document(test_file(real[i].file), &options, test_bit_step(), real[i].file);
    }
}

/* What the real ones have not: the tag, all options, indefinite lengths, a single register. */
static void accepts_none_of_made_ones(void)
{
    for (int i = 0; i < 3; i++) {
        AUTO_MAKER struct nitro_maker maker;
        struct signature_memo memo = { 0 };
        nitro_maker_init(&maker);
        maker.is_tagged = i == 0;
        maker.is_indefinite = i == 1;
        if (i == 2)
            maker.pcr_count = 1;
        for (size_t j = 0; i == 0 && j < ARRAY_COUNT(maker.optional); j++)
            maker.optional[j] = BYTES_LITERAL("some bytes");
        nitro_maker_make(&maker);
        struct attest_options options = {
            .tee = ATTEST_TEE_NITRO, .now_s = NITRO_MAKER_NOW_S, .root = &maker.root, .memo = &memo
        };
        try_document(bytes_of(maker.document, maker.size), &options, MADE_STEP * test_bit_step(),
                     "made");
    }
    nitro_maker_free_keys();
}

static const struct test tests[] = {
    TEST(accepts_no_cut_and_no_changed_bit),
    TEST(accepts_none_of_made_ones),
};
TEST_MAIN(tests)
