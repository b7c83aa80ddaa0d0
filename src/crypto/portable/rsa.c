/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/portable/rsa.h"

#include "crypto/portable/montgomery.h"
#include "crypto/portable/sha2.h"

#include <string.h>

enum {
    SIZE_MIN = 256,
    SIZE_MAX_BYTES = 512,
    HASH_SIZE = 48,
    SALT_SIZE = 48,
    TRAILER = 0xbc
};

static void digest_of(uint8_t *digest, struct bytes a, struct bytes b, struct bytes c)
{
    struct sha2 sha2;
    sha2_init(&sha2, HASH_SHA384);
    sha2_update(&sha2, a);
    sha2_update(&sha2, b);
    sha2_update(&sha2, c);
    sha2_finish(&sha2, digest);
}

/* MGF1 (appendix B.2.1), added to the target. */
static void mask(uint8_t *target, size_t size, struct bytes seed)
{
    uint8_t block[HASH_SIZE];
    for (uint32_t i = 0; i * HASH_SIZE < size; i++) {
        uint8_t counter[4] = { (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                               (uint8_t)i };
        digest_of(block, seed, BYTES_OF(counter), (struct bytes){ 0 });
        for (size_t j = 0; j < HASH_SIZE && i * HASH_SIZE + j < size; j++)
            target[i * HASH_SIZE + j] ^= block[j];
    }
}

/* EMSA-PSS-VERIFY (section 9.1.2) of as many bytes as the modulus has, whose bits are one fewer. */
static bool encoding_holds(uint8_t *encoded, size_t size, const struct digest48 *digest)
{
    static const uint8_t zeros[8];
    size_t masked = size - HASH_SIZE - 1; /* bytes of the masked data block */
    const uint8_t *hash = encoded + masked;
    if (encoded[size - 1] != TRAILER || (encoded[0] & 0x80) != 0)
        return false;
    mask(encoded, masked, bytes_of(hash, HASH_SIZE));
    encoded[0] &= 0x7f;
    size_t salt = masked - SALT_SIZE;
    for (size_t i = 0; i + 1 < salt; i++)
        if (encoded[i] != 0)
            return false;
    uint8_t expected[HASH_SIZE];
    digest_of(expected, BYTES_OF(zeros), BYTES_OF(digest->bytes),
              bytes_of(encoded + salt, SALT_SIZE));
    return encoded[salt - 1] == 1 && memcmp(expected, hash, HASH_SIZE) == 0;
}

/* The signature to the power of the exponent, as many bytes as the modulus has; false when a number
 * is out of its range. */
static bool open_signature(uint8_t *encoded, struct bytes modulus, struct bytes exponent,
                           struct bytes signature)
{
    struct modulus n;
    uint32_t number[MONTGOMERY_LIMB_COUNT_MAX];
    uint32_t plain_one[MONTGOMERY_LIMB_COUNT_MAX] = { 1 };
    if (modulus.size < SIZE_MIN || modulus.size > SIZE_MAX_BYTES || modulus.data[0] < 0x80 ||
        !modulus_init(&n, modulus) || !modulus_read(number, &n, signature))
        return false;
    modulus_mul(number, &n, number, n.square);
    modulus_power(number, &n, number, exponent);
    modulus_mul(number, &n, number, plain_one);
    modulus_write(encoded, &n, number);
    return true;
}

bool rsa_pss_holds(struct bytes modulus, struct bytes exponent, const struct digest48 *digest,
                   struct bytes signature)
{
    uint8_t encoded[SIZE_MAX_BYTES];
    return open_signature(encoded, modulus, exponent, signature) &&
           encoding_holds(encoded, modulus.size, digest);
}

/* EMSA-PKCS1-v1_5 (section 9.2) is made and compared, never read. */
bool rsa_pkcs1_holds(struct bytes modulus, struct bytes exponent, const struct digest32 *digest,
                     struct bytes signature)
{
    static const uint8_t info[] = { 0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
                                    0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
    uint8_t encoded[SIZE_MAX_BYTES];
    uint8_t expected[SIZE_MAX_BYTES];
    if (!open_signature(encoded, modulus, exponent, signature))
        return false;
    size_t digest_at = modulus.size - sizeof(digest->bytes);
    memset(expected, 0xff, sizeof(expected));
    expected[0] = 0;
    expected[1] = 1;
    memcpy(expected + digest_at - sizeof(info), info, sizeof(info));
    memcpy(expected + digest_at, digest->bytes, sizeof(digest->bytes));
    return memcmp(encoded, expected, modulus.size) == 0;
}
