/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include "core/hex.h"
#include "crypto/limits.h"
#include "tests/harness.h"

#include <string.h>

static void check_hex(struct bytes bytes, const char *expected)
{
    char text[2 * 96 + 1];
    hex_encode(text, bytes);
    CHECK_STRING(text, expected);
}

/* RFC 4231 sections 4.2, 4.3, 4.7. */
static void hmac_gives_the_standard_values(void)
{
    uint8_t key[131];
    memset(key, 0x0b, 20);
    struct digest32 mac = hmac_sha256(bytes_of(key, 20), BYTES_LITERAL("Hi There"));
    check_hex(BYTES_OF(mac.bytes),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    mac = hmac_sha256(BYTES_LITERAL("Jefe"), BYTES_LITERAL("what do ya want for nothing?"));
    check_hex(BYTES_OF(mac.bytes),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    mac = hmac_sha256(BYTES_OF(key),
                      BYTES_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First"));
    check_hex(BYTES_OF(mac.bytes),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869 appendix A.1 to A.3. */
static void hkdf_gives_the_standard_values(void)
{
    uint8_t secret[80];
    uint8_t salt[80];
    uint8_t info[80];
    uint8_t derived[82];
    memset(secret, 0x0b, 22);
    for (size_t i = 0; i < 80; i++) {
        salt[i] = (uint8_t)i;
        info[i] = (uint8_t)(0xf0 + i);
    }
    hkdf_sha256(derived, 42, bytes_of(secret, 22), bytes_of(salt, 13), bytes_of(info, 10));
    check_hex(bytes_of(derived, 42), "3cb25f25faacd57a90434f64d0362f2a"
                                     "2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                                     "34007208d5b887185865");
    hkdf_sha256(derived, 42, bytes_of(secret, 22), (struct bytes){ 0 }, (struct bytes){ 0 });
    check_hex(bytes_of(derived, 42), "8da4e775a563c18f715f802a063c5a31"
                                     "b8a11f5c5ee1879ec3454e5f3c738d2d"
                                     "9d201395faa4b61a96c8");
    for (size_t i = 0; i < 80; i++) {
        secret[i] = (uint8_t)i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    hkdf_sha256(derived, 82, BYTES_OF(secret), BYTES_OF(salt), BYTES_OF(info));
    check_hex(bytes_of(derived, 82), "b11e398dc80327a1c8e7f78c596a4934"
                                     "4f012eda2d4efad8a050cc4c19afa97c"
                                     "59045a99cac7827271cb41c65e590e09"
                                     "da3275600c2f09b8367793a9aca3db71"
                                     "cc30c58179ec3e87c14c01d5c1f3434f"
                                     "1d87");
}

static void derives_another_secret_for_another_purpose(void)
{
    AUTO_SECRET32 struct secret32 root = { { 7 } };
    AUTO_SECRET32 struct secret32 one;
    AUTO_SECRET32 struct secret32 same;
    AUTO_SECRET32 struct secret32 other;
    hkdf_derive(&one, &root, BYTES_LITERAL("salt"), BYTES_LITERAL("one"));
    hkdf_derive(&same, &root, BYTES_LITERAL("salt"), BYTES_LITERAL("one"));
    hkdf_derive(&other, &root, BYTES_LITERAL("salt"), BYTES_LITERAL("two"));
    CHECK(secret_equal(&one, &same, sizeof(one)));
    CHECK(!secret_equal(&one, &other, sizeof(one)));
    static uint8_t longest[HKDF_SIZE_MAX];
    hkdf_sha256(longest, sizeof(longest), BYTES_OF(root.bytes), BYTES_LITERAL("salt"),
                BYTES_LITERAL("one"));
    CHECK(secret_equal(&one, longest, sizeof(one)));
}

static const struct test tests[] = {
    TEST(hmac_gives_the_standard_values),
    TEST(hkdf_gives_the_standard_values),
    TEST(derives_another_secret_for_another_purpose),
};
TEST_MAIN(tests)
