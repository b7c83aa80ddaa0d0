/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls.h"
#include "net/http.h"
#include "net/padding.h"
#include "tests/harness.h"

static uint64_t one_part(uint32_t size, size_t bytes)
{
    struct padding padding = { 0 };
    padding_begin(&padding, size, bytes);
    padding_end(&padding);
    return bytes + padding_take(&padding, bytes);
}

static void fills_classes(void)
{
    CHECK_NUMBER(one_part(HTTP_PAD_POWER_OF_TWO, 1), 1024);
    CHECK_NUMBER(one_part(HTTP_PAD_POWER_OF_TWO, 1024), 1024);
    CHECK_NUMBER(one_part(HTTP_PAD_POWER_OF_TWO, 1025), 2048);
    CHECK_NUMBER(one_part(HTTP_PAD_POWER_OF_TWO, 5 << 20), 8 << 20);
    CHECK_NUMBER(one_part(3000, 1), 3000);
    CHECK_NUMBER(one_part(3000, 3000), 3000);
    CHECK_NUMBER(one_part(3000, 3001), 6000);
}

static void nothing_without_an_answer(void)
{
    struct padding padding = { 0 };
    CHECK_NUMBER(padding_take(&padding, 100), 0);
    padding_begin(&padding, 3000, 10);
    padding_end(&padding);
    CHECK_NUMBER(padding_take(&padding, 10), 2990);
    CHECK_NUMBER(padding_take(&padding, 10), 0);
}

/* However an answer is cut, the same class comes out. */
static void parts_make_the_same_whole(void)
{
    for (size_t bytes = 70000; bytes < 131072; bytes += 6007) {
        struct padding padding = { 0 };
        uint64_t whole = 0;
        size_t left = bytes;
        padding_begin(&padding, HTTP_PAD_POWER_OF_TWO, bytes);
        while (left > 0) {
            size_t part = MIN(left, (size_t)(3 * TLS_PADDED_RECORD_SIZE));
            left -= part;
            if (left == 0)
                padding_end(&padding);
            whole += part + padding_take(&padding, part);
            CHECK(left == 0 || whole % TLS_PADDED_RECORD_SIZE == 0);
        }
        CHECK_NUMBER(whole, 131072);
    }
}

static void overlapping_answers_end_together(void)
{
    struct padding padding = { 0 };
    padding_begin(&padding, 1000, 10);
    padding_begin(&padding, 5000, 10);
    padding_end(&padding);
    CHECK_NUMBER(padding_take(&padding, 10), TLS_PADDED_RECORD_SIZE - 10);
    padding_end(&padding);
    CHECK_NUMBER(padding_take(&padding, 16), 20000 - TLS_PADDED_RECORD_SIZE - 16);
}

static const struct test tests[] = { TEST(fills_classes), TEST(nothing_without_an_answer),
                                     TEST(parts_make_the_same_whole),
                                     TEST(overlapping_answers_end_together) };
TEST_MAIN(tests)
