/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/open_enclave.h"

#include "attest/attest.h"
#include "core/writer.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

#define DATA "tests/data/attest/"

enum {
    REAL_S = 1596240000,    /* 2020-08-01 */
    GRAMINE_S = 1755648000, /* 2025-08-20 */
    REPORT_HEADER_SIZE = 16
};

static uint8_t space[32768];

static enum attest_reason judge(struct bytes evidence, int64_t now_s,
                                struct attest_verdict *verdict)
{
    struct error error;
    struct attest_options options = { .now_s = now_s };
    bool held = attest_verify(verdict, evidence, &options, &error);
    CHECK(held == (verdict->reason == ATTEST_REASON_NONE));
    return verdict->reason;
}

static struct bytes real_copy(void)
{
    struct bytes real = test_file(DATA "sgx_v3_ccf_oe_report.bin");
    memcpy(space, real.data, real.size);
    return bytes_of(space, real.size);
}

static void takes_a_real_report(void)
{
    struct attest_verdict verdict, alone;
    struct bytes real = real_copy();
    REQUIRE(judge(real, REAL_S, &verdict) == ATTEST_REASON_NONE);
    CHECK_NUMBER(verdict.tee, ATTEST_TEE_SGX);
    CHECK_STRING(verdict.steps[0].name, "header");
    CHECK_STRING(verdict.steps[verdict.step_count - 1].name, "application's claims");
    struct bytes quote = bytes_part(real, REPORT_HEADER_SIZE, real.size);
    REQUIRE(judge(quote, REAL_S, &alone) == ATTEST_REASON_NONE);
    CHECK_NUMBER(alone.step_count + 2, verdict.step_count);
    CHECK_BYTES(BYTES_OF(alone.claims.report_data), BYTES_OF(verdict.claims.report_data));
}

static void wants_a_header_that_adds_up(void)
{
    struct attest_verdict verdict;
    struct bytes real = real_copy();
    for (size_t size = 0; size < real.size; size++)
        CHECK(judge(bytes_part(real, 0, size), REAL_S, &verdict) != ATTEST_REASON_NONE);
    CHECK(judge(bytes_of(space, real.size - 1), REAL_S, &verdict) == ATTEST_REASON_FORMAT);
    CHECK(judge(bytes_of(space, real.size + 1), REAL_S, &verdict) == ATTEST_REASON_FORMAT);
    for (size_t bit = 0; bit < (size_t)8 * REPORT_HEADER_SIZE; bit++) {
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(judge(real, REAL_S, &verdict) != ATTEST_REASON_NONE, "bit %zu", bit);
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    space[4] = 1; /* a local report */
    CHECK(judge(real, REAL_S, &verdict) == ATTEST_REASON_UNSUPPORTED_TEE);
}

/* Gramine's certificate has what is wanted here: a quote about claims. */
static bool find_quote(struct ratls_certificate *certificate)
{
    static uint8_t der[RATLS_CERTIFICATE_SIZE_MAX];
    struct error error;
    size_t size = 0;
    struct reader text = reader_of(test_file(DATA "ratls/gramine-cert.pem"));
    return pem_read(&text, "CERTIFICATE", der, sizeof(der), &size, &error) &&
           ratls_parse(certificate, bytes_of(der, size), &error);
}

struct plan {
    uint32_t version;
    uint8_t uuid_change;
    uint32_t padding;
    int size_change;
    bool has_report_header;
    bool has_claims;
    bool has_other_claims;
};

static struct bytes wrap(const struct plan *plan, const struct ratls_certificate *certificate)
{
    uint8_t uuid[] = { 0xa3, 0xa2, 0x1e, 0x87, 0x1b, 0x4d, 0x40, 0x14,
                       0xb7, 0x0a, 0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c };
    uuid[15] ^= plan->uuid_change;
    size_t size = (plan->has_report_header ? REPORT_HEADER_SIZE : 0) + certificate->quote.size +
                  (plan->has_claims ? certificate->claims.size : 0);
    struct writer writer = writer_into(space, sizeof(space));
    write_u32_le(&writer, plan->version);
    write_bytes(&writer, BYTES_OF(uuid));
    write_u32_le(&writer, plan->padding);
    write_u64_le(&writer, size + (uint64_t)(int64_t)plan->size_change);
    if (plan->has_report_header) {
        write_u32_le(&writer, 1);
        write_u32_le(&writer, 2);
        write_u64_le(&writer, certificate->quote.size);
    }
    write_bytes(&writer, certificate->quote);
    if (plan->has_claims)
        write_bytes(&writer, certificate->claims);
    if (plan->has_other_claims)
        space[writer.size - 1] ^= 1;
    return writer_view(&writer);
}

static void judges_the_claims_behind_the_quote(void)
{
    static const struct {
        struct plan plan;
        enum attest_reason reason;
    } cases[] = {
        { { 3, .has_claims = true }, ATTEST_REASON_NONE },
        { { 2, .has_claims = true, .has_report_header = true }, ATTEST_REASON_NONE },
        { { 3 }, ATTEST_REASON_NONE },
        { { 3, .has_claims = true, .has_other_claims = true },
          ATTEST_REASON_RUNTIME_DATA_MISMATCH },
        { { 2, .has_claims = true, .has_report_header = true, .has_other_claims = true },
          ATTEST_REASON_RUNTIME_DATA_MISMATCH },
        { { 3, .has_claims = true, .size_change = 1 }, ATTEST_REASON_FORMAT },
        { { 3, .has_claims = true, .size_change = -1 }, ATTEST_REASON_FORMAT },
        { { 3, .has_claims = true, .padding = 1 }, ATTEST_REASON_FORMAT },
        { { 2, .has_claims = true }, ATTEST_REASON_FORMAT },
    };
    struct ratls_certificate certificate;
    struct attest_verdict verdict;
    REQUIRE(find_quote(&certificate));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bytes evidence = wrap(&cases[i].plan, &certificate);
        enum attest_reason reason = judge(evidence, GRAMINE_S, &verdict);
        CHECK_NOTE(reason == cases[i].reason, "case %zu: %s", i, attest_reason_name(reason));
        CHECK(open_enclave_is(evidence));
    }
    /* Of another format, or of a version that is none. */
    CHECK(!open_enclave_is(wrap(&(struct plan){ 3, .uuid_change = 1 }, &certificate)));
    CHECK(!open_enclave_is(wrap(&(struct plan){ 4 }, &certificate)));
    struct bytes whole = wrap(&(struct plan){ 3, .has_claims = true }, &certificate);
    for (size_t size = 0; size < whole.size; size++)
        CHECK(judge(bytes_part(whole, 0, size), GRAMINE_S, &verdict) != ATTEST_REASON_NONE);
}

static const struct test tests[] = {
    TEST(takes_a_real_report),
    TEST(wants_a_header_that_adds_up),
    TEST(judges_the_claims_behind_the_quote),
};
TEST_MAIN(tests)
