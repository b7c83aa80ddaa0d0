/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of FIPS 180-4 and FIPS 202 (examples and short messages), and Ethereum's empty hash. */
#include "core/hex.h"
#include "guest/hash.h"
#include "guest/test_guest.h"
#include "tests/harness.h"

#include <string.h>

static void check(enum hash_algorithm algorithm, struct bytes text, const char *expected)
{
    uint8_t digest[HASH_SIZE_MAX], wanted[HASH_SIZE_MAX];
    size_t size = strlen(expected) / 2;
    CHECK(hash_size(algorithm) == size);
    CHECK(hex_decode(wanted, size, bytes_of_string(expected)));
    hash_of(algorithm, text.data, text.size, digest);
    CHECK_BYTES(bytes_of(digest, size), bytes_of(wanted, size));
}

static void vectors_of_the_standards(void)
{
    const struct bytes abc = BYTES_LITERAL("abc"), none = BYTES_LITERAL("");
    const struct bytes two =
        BYTES_LITERAL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    check(HASH_SHA256, abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(HASH_SHA256, none, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(HASH_SHA256, two, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check(HASH_SHA384, abc,
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca1"
          "34c825a7");
    check(HASH_SHA512, abc,
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
          "a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    check(HASH_SHA512, none,
          "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2"
          "877eec2f63b931bd47417a81a538327af927da3e");
    check(HASH_SHA3_256, none, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    check(HASH_SHA3_256, abc, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    check(HASH_KECCAK256, none, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

/* A million times `a`, and every length around the blocks' ends against one byte more. */
static void long_ones_and_edges(void)
{
    static uint8_t million[1000000];
    memset(million, 'a', sizeof(million));
    check(HASH_SHA256, BYTES_OF(million),
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check(HASH_SHA512, BYTES_OF(million),
          "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432c"
          "e577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
    check(HASH_SHA3_256, BYTES_OF(million),
          "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1");
    for (uint32_t algorithm = HASH_SHA256; algorithm <= HASH_KECCAK256; algorithm++) {
        uint8_t before[HASH_SIZE_MAX] = { 0 }, digest[HASH_SIZE_MAX];
        for (size_t size = 0; size < 300; size++) {
            hash_of((enum hash_algorithm)algorithm, million, size, digest);
            CHECK(memcmp(before, digest, 32) != 0);
            memcpy(before, digest, 32);
        }
    }
    CHECK(hash_size(0) == 0 && hash_size(6) == 0 && hash_size(UINT32_MAX) == 0);
}

static const struct test tests[] = { TEST(vectors_of_the_standards), TEST(long_ones_and_edges) };
TEST_MAIN(tests)
