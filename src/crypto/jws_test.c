/* SPDX-License-Identifier: Apache-2.0 */
/* Whole tokens of another library, cut and changed at every place: access/jwt_test.c. */
#include "crypto/jws.h"
#include "tests/harness.h"

#include <string.h>

static void checks_rsa_keys(void)
{
    uint8_t modulus[JWS_RSA_SIZE_MAX + 1];
    struct error error = { 0 };
    memset(modulus, 0xff, sizeof(modulus));
    struct bytes three = BYTES_LITERAL("\x03"), good = bytes_of(modulus, JWS_RSA_SIZE_MIN);
    CHECK(rs256_key_check(good, three, &error));
    CHECK(rs256_key_check(bytes_of(modulus, JWS_RSA_SIZE_MAX), BYTES_LITERAL("\1\0\1"), &error));
    CHECK(!rs256_key_check(bytes_of(modulus, JWS_RSA_SIZE_MIN - 1), three, &error));
    CHECK(!rs256_key_check(bytes_of(modulus, JWS_RSA_SIZE_MAX + 1), three, &error));
    CHECK(!rs256_key_check(good, BYTES_LITERAL("\1"), &error)); /* signs nothing */
    CHECK(!rs256_key_check(good, BYTES_LITERAL("\2"), &error));
    CHECK(!rs256_key_check(good, BYTES_LITERAL(""), &error));
    CHECK(!rs256_key_check(good, BYTES_LITERAL("\0\3"), &error));
    CHECK(!rs256_key_check(good, BYTES_LITERAL("\1\1\1\1\1"), &error));
    modulus[0] = 0;
    CHECK(!rs256_key_check(good, three, &error));
    modulus[0] = 0xff;
    modulus[JWS_RSA_SIZE_MIN - 1] = 0xfe;
    CHECK(!rs256_key_check(good, three, &error));
}

static void refuses_signatures_of_no_sense(void)
{
    uint8_t key[32] = { 0 }, value[512] = { 0 };
    uint8_t modulus[JWS_RSA_SIZE_MIN];
    struct error error = { 0 };
    memset(modulus, 0xff, sizeof(modulus));
    struct bytes message = BYTES_LITERAL("a.b");
    key[0] = 9;
    CHECK(!ed25519_verify(key, message, bytes_of(value, 64), &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(!ed25519_verify(key, message, bytes_of(value, 63), &error));
    CHECK(!ed25519_verify(key, message, bytes_of(value, 65), &error));
    CHECK(!ed25519_verify(key, message, (struct bytes){ 0 }, &error));
    for (size_t size = 0; size < sizeof(value); size += 64)
        CHECK(!rs256_verify(BYTES_OF(modulus), BYTES_LITERAL("\3"), message, bytes_of(value, size),
                            &error));
}

/* Under the all-zero key the all-zero signature holds for one message in four. */
static void refuses_keys_of_small_order(void)
{
    uint8_t key[32] = { 0 };
    struct error error = { 0 };
    for (unsigned sign = 0; sign < 2; sign++) {
        for (unsigned first = 0; first < 256; first++) {
            key[0] = (uint8_t)first;
            key[31] = (uint8_t)(sign << 7);
            CHECK(ed25519_key_check(key, &error) == (first > 1));
        }
        memset(key, 0xff, sizeof(key));
        for (unsigned first = 0xe0; first < 256; first++) {
            key[0] = (uint8_t)first;
            key[31] = (uint8_t)(0x7f | sign << 7);
            CHECK(ed25519_key_check(key, &error) == (first < 0xec));
        }
        memset(key, 0, sizeof(key));
    }
}

static const struct test tests[] = {
    TEST(checks_rsa_keys),
    TEST(refuses_keys_of_small_order),
    TEST(refuses_signatures_of_no_sense),
};

TEST_MAIN(tests)
