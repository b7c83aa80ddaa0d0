/* SPDX-License-Identifier: Apache-2.0 */
/* What verification allocates, OpenSSL's included: stands in for malloc, calloc and realloc.  No
 * single allocation goes beyond the limit, and, what OpenSSL sets up once aside, not all of them
 * together. */
#include "attest/amd/test_reports.h"
#include "attest/intel/test_cases.h"
#include "tests/harness.h"

#include <malloc.h>
#include <string.h>

enum {
    ALLOCATION_MAX = 256 << 10
};

static struct {
    bool counts;
    size_t largest;
    size_t live; /* of what was allocated since counting began */
    size_t peak;
} seen;

#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_ALLOCATOR true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OWN_ALLOCATOR true
#endif
#endif

#ifndef HAS_OWN_ALLOCATOR
#define HAS_OWN_ALLOCATOR false
#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

/* The C library's, under the names that it exports for this purpose. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static void give(const void *memory, size_t size)
{
    if (!seen.counts || memory == NULL)
        return;
    seen.largest = MAX(seen.largest, size);
    seen.live += malloc_usable_size((void *)(uintptr_t)memory);
    seen.peak = MAX(seen.peak, seen.live);
}

static void take(const void *memory)
{
    if (seen.counts && memory != NULL)
        seen.live -= MIN(seen.live, malloc_usable_size((void *)(uintptr_t)memory));
}

SEEN_BY_LIBRARIES void *malloc(size_t size)
{
    void *memory = __libc_malloc(size);
    give(memory, size);
    return memory;
}

SEEN_BY_LIBRARIES void *calloc(size_t count, size_t size)
{
    void *memory = __libc_calloc(count, size);
    give(memory, count * size);
    return memory;
}

SEEN_BY_LIBRARIES void *realloc(void *memory, size_t size)
{
    take(memory);
    void *again = __libc_realloc(memory, size);
    give(again, size);
    return again;
}

SEEN_BY_LIBRARIES void free(void *memory)
{
    take(memory);
    __libc_free(memory);
}
#endif

static void count(const char *name, struct bytes evidence, const struct attest_options *options)
{
    static struct attest_verdict verdict;
    struct error error;
    seen.largest = seen.live = seen.peak = 0;
    seen.counts = true;
    bool is_valid = attest_verify(&verdict, evidence, options, &error);
    seen.counts = false;
    CHECK_NOTE(is_valid, "%s: %s", name, error.text);
}

static void verify(const char *name, struct bytes evidence, const struct attest_options *options)
{
    count(name, evidence, options);
    size_t largest_at_first = seen.largest;
    count(name, evidence, options);
    if (HAS_OWN_ALLOCATOR) {
        test_skip("the sanitizer has an allocator of its own");
        return;
    }
    test_note("%s: largest allocation %zu, together at most %zu", name, largest_at_first,
              seen.peak);
    CHECK(seen.peak > 0); /* something was seen at all */
    CHECK(largest_at_first <= ALLOCATION_MAX && seen.peak <= ALLOCATION_MAX);
}

static void intel_stays_small(void)
{
    static const char *const names[] = { "tdx-v4-phala-uptodate", "sgx-v3-phala" };
    static struct test_case test_case;
    AUTO_JSON json_t *file = NULL;
    REQUIRE(test_cases_open(&file) > 0);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        REQUIRE(test_case_find(&test_case, file, names[i]));
        verify(names[i], test_case.quote, &test_case.options);
    }
}

static void amd_stays_small(void)
{
    for (size_t i = 0; i < SNP_REAL_COUNT; i++) {
        struct attest_options options = snp_options(i);
        verify(snp_real[i].report, snp_file(snp_real[i].report), &options);
    }
}

static void nitro_stays_small(void)
{
    struct attest_options options = { .tee = ATTEST_TEE_NITRO, .now_s = 1766678659 };
    verify("Nitro", test_file("tests/data/attest/nitro/docs/dstack_attest.cbor"), &options);
}

static void a_certificate_stays_small(void)
{
    struct attest_options options = { .now_s = 1755648000 };
    verify("RA-TLS", test_file("tests/data/attest/ratls/gramine-cert.pem"), &options);
}

static const struct test tests[] = {
    TEST(intel_stays_small),
    TEST(amd_stays_small),
    TEST(nitro_stays_small),
    TEST(a_certificate_stays_small),
};
TEST_MAIN(tests)
