/* SPDX-License-Identifier: Apache-2.0 */
/* Every truncation and every flipped bit of real quotes and of all their collateral: never valid.
 */
#include "attest/intel/test_cases.h"
#include "tests/harness.h"

#include <string.h>

enum {
    ITEM_SIZE_MAX = 16384
};

/* Valid ones: five platforms of TDX and SGX, at five times. */
static const char *const names[] = { "tdx-v4-phala-uptodate", "tdx-v4-near-uptodate",
                                     "tdx-v4-coco-debug", "sgx-v3-occlum-debug-outofdate",
                                     "sgx-v3-phala" };

static struct test_case test_case;
static uint8_t space[ITEM_SIZE_MAX];
static struct signature_memo memo;

static bool is_valid(void)
{
    struct error error;
    struct attest_verdict verdict;
    bool holds = attest_verify(&verdict, test_case.quote, &test_case.options, &error);
    CHECK(holds == verdict.is_valid && holds == (verdict.reason == ATTEST_REASON_NONE));
    return holds;
}

/* Without the last line's end, which means nothing in JSON and PEM. */
static size_t trimmed_size(struct bytes text)
{
    size_t size = text.size;
    while (size > 0 && text.data[size - 1] == '\n')
        size--;
    return size;
}

/* `used`: what follows may be cut off. */
static void try_item(struct bytes *item, size_t used, const char *what)
{
    struct bytes kept = *item;
    REQUIRE(kept.size <= sizeof(space));
    memcpy(space, kept.data, kept.size);
    *item = bytes_of(space, kept.size);
    REQUIRE(is_valid());
    for (size_t bit = 0; bit < 8 * kept.size; bit += test_bit_step()) {
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
        CHECK_NOTE(!is_valid(), "%s: bit %zu of %s", test_case.name, bit, what);
        space[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    /* An empty piece of collateral is one that was not given. */
    for (size_t size = item == &test_case.quote ? 0 : 1; size < used; size++) {
        *item = bytes_of(space, size);
        CHECK_NOTE(!is_valid(), "%s: %zu bytes of %s", test_case.name, size, what);
    }
    *item = kept;
}

static void try_case(const char *name, const json_t *file)
{
    REQUIRE(test_case_find(&test_case, file, name));
    struct attest_collateral *collateral = &test_case.options.collateral;
    memo = (struct signature_memo){ 0 };
    test_case.options.memo = &memo;
    struct quote quote;
    struct error error;
    enum attest_reason reason;
    REQUIRE(quote_parse(&quote, test_case.quote, &reason, &error));
    try_item(&test_case.quote, test_case.quote.size - quote.padding_size, "the quote");
    try_item(&collateral->tcb_info, trimmed_size(collateral->tcb_info), "the TCB info");
    try_item(&collateral->qe_identity, trimmed_size(collateral->qe_identity), "the QE identity");
    try_item(&collateral->pck_crl, collateral->pck_crl.size, "the PCK revocation list");
    try_item(&collateral->root_crl, collateral->root_crl.size, "the root revocation list");
    try_item(&collateral->tcb_chain, trimmed_size(collateral->tcb_chain), "the TCB signing chain");
}

static void refuses_every_change_of_real_items(void)
{
    AUTO_JSON json_t *file = NULL;
    REQUIRE(test_cases_open(&file) > 0);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        try_case(names[i], file);
}

static const struct test tests[] = {
    TEST(refuses_every_change_of_real_items),
};
TEST_MAIN(tests)
