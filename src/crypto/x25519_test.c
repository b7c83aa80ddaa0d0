/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x25519.h"

#include "core/hex.h"
#include "tests/harness.h"

/* RFC 7748 section 5.2: one iteration from k = u = 9, which is the public key of 9. */
static void matches_the_rfc(void)
{
    struct secret32 key = { { 9 } };
    struct x25519_public public_key;
    struct error error = { 0 };
    uint8_t expected[32];
    REQUIRE(hex_decode(expected, sizeof(expected),
                       BYTES_LITERAL("422c8e7a6227d7bca1350b3e2bb7279f"
                                     "7897b87bb6854b783c60e80311ae3079")));
    REQUIRE(x25519_public_of(&public_key, &key, &error));
    CHECK_BYTES(BYTES_OF(public_key.bytes), BYTES_OF(expected));
}

static const struct test tests[] = { TEST(matches_the_rfc) };
TEST_MAIN(tests)
