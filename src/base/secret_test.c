/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"
#include "tests/harness.h"

#include <string.h>
#include <sys/resource.h>

static void compares_every_byte(void)
{
    uint8_t a[32] = { 1, 2, 3 }, b[32] = { 1, 2, 3 };
    CHECK(secret_equal(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] ^= 0x80;
        CHECK(!secret_equal(a, b, sizeof(a)));
        b[i] ^= 0x80;
    }
    CHECK(secret_equal(a, b, 0));
}

static void wipes(void)
{
    struct secret32 secret;
    memset(secret.bytes, 0x5a, sizeof(secret.bytes));
    secret32_done(&secret);
    static const uint8_t zero[32];
    CHECK(memcmp(secret.bytes, zero, 32) == 0);
}

static void cores_are_not_left(void)
{
    struct rlimit limit = { 1, 1 };
    secret_leave_no_core();
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
}

static void heap_secrets(void)
{
    struct error error = { 0 };
    AUTO_SECRET_BUFFER struct secret_buffer secret = { 0 };
    REQUIRE(secret_buffer_init(&secret, 5000, &error));
    memset(secret.data, 1, 5000);
    secret_buffer_done(&secret);
    CHECK(secret.data == NULL && secret.size == 0);
    CHECK(secret_buffer_init(&secret, 0, &error));
    struct secret_buffer large = { 0 };
    CHECK(!secret_buffer_init(&large, SIZE_MAX, &error));
    CHECK(error.code == ERROR_LIMIT);
    CHECK(large.data == NULL);
}

static const struct test tests[] = { TEST(compares_every_byte), TEST(wipes),
                                     TEST(cores_are_not_left), TEST(heap_secrets) };
TEST_MAIN(tests)
