/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <string.h>

/* FIPS 180-4 examples: the empty message, one block, two blocks. */
static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
static const struct {
    const char *message;
    const char *sha256;
    const char *sha384;
    const char *sha512;
} vectors[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
      "274edebfe76f65fbd51ad2f14898b95b",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
      "8086072ba1e7cc2358baeca134c825a7",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6"
      "b0455a8520bc4e6f5fe95b1fe3c8452b",
      "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
      "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
};

static void check_hex(struct bytes bytes, const char *expected)
{
    char text[2 * 64 + 1];
    hex_encode(text, bytes);
    CHECK_STRING(text, expected);
}

static void gives_the_standard_values(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        struct bytes message = bytes_of_string(vectors[i].message);
        struct digest32 short_digest = sha256_of(message);
        struct digest48 middle_digest = sha384_of(message);
        struct digest64 long_digest = sha512_of(message);
        check_hex(BYTES_OF(short_digest.bytes), vectors[i].sha256);
        check_hex(BYTES_OF(middle_digest.bytes), vectors[i].sha384);
        check_hex(BYTES_OF(long_digest.bytes), vectors[i].sha512);
    }
}

static void gives_the_same_piece_by_piece(void)
{
    AUTO(hash) struct hash *short_hash = hash_new(HASH_SHA256);
    AUTO(hash) struct hash *middle_hash = hash_new(HASH_SHA384);
    AUTO(hash) struct hash *long_hash = hash_new(HASH_SHA512);
    /* Twice: finishing starts over. */
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < strlen(two_blocks); i++) {
            hash_update(short_hash, bytes_of(two_blocks + i, 1));
            hash_update(middle_hash, bytes_of(two_blocks + i, 1));
            hash_update(long_hash, bytes_of(two_blocks + i, 1));
        }
        hash_update(short_hash, (struct bytes){ 0 });
        struct digest32 short_digest = hash_finish32(short_hash);
        struct digest48 middle_digest = hash_finish48(middle_hash);
        struct digest64 long_digest = hash_finish64(long_hash);
        check_hex(BYTES_OF(short_digest.bytes), vectors[2].sha256);
        check_hex(BYTES_OF(middle_digest.bytes), vectors[2].sha384);
        check_hex(BYTES_OF(long_digest.bytes), vectors[2].sha512);
    }
}

static const struct test tests[] = {
    TEST(gives_the_standard_values),
    TEST(gives_the_same_piece_by_piece),
};
TEST_MAIN(tests)
