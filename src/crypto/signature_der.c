/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signature_der.h"

#include "crypto/der.h"

#include <string.h>

/* The orders of the groups, big-endian (FIPS 186-5, SP 800-186 section 3.2.1.3). */
static const uint8_t order256[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
static const uint8_t order384[ECDSA384_NUMBER_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73
};

static bool is_below(const uint8_t *number, const uint8_t *order, size_t size)
{
    static const uint8_t zero[ECDSA384_NUMBER_SIZE];
    return memcmp(number, zero, size) != 0 && memcmp(number, order, size) < 0;
}

bool ecdsa_is_in_order(const uint8_t *number)
{
    return is_below(number, order256, sizeof(order256));
}

bool ecdsa384_is_in_order(const uint8_t *number)
{
    return is_below(number, order384, sizeof(order384));
}

static bool read_component(struct reader *der, uint8_t *target, size_t size)
{
    struct bytes digits = der_read_big(der);
    if (der->failed || digits.size > size)
        return false;
    memset(target, 0, size);
    if (digits.size > 0)
        memcpy(target + size - digits.size, digits.data, digits.size);
    return true;
}

/* Two numbers of a size. */
static bool read_pair(uint8_t *target, size_t size, struct bytes der)
{
    struct reader outer = reader_of(der);
    struct reader reader = der_enter(&outer, DER_SEQUENCE);
    return read_component(&reader, target, size) && read_component(&reader, target + size, size) &&
           read_end(&reader) && read_end(&outer);
}

bool ecdsa_signature_from_der(struct ecdsa_signature *signature, struct bytes der)
{
    struct ecdsa_signature parsed;
    if (!read_pair(parsed.bytes, 32, der) || !ecdsa_is_in_order(parsed.bytes) ||
        !ecdsa_is_in_order(parsed.bytes + 32))
        return false;
    *signature = parsed;
    return true;
}

bool ecdsa384_signature_from_der(struct ecdsa384_signature *signature, struct bytes der)
{
    struct ecdsa384_signature parsed;
    if (!read_pair(parsed.bytes, ECDSA384_NUMBER_SIZE, der) ||
        !ecdsa384_is_in_order(parsed.bytes) ||
        !ecdsa384_is_in_order(parsed.bytes + ECDSA384_NUMBER_SIZE))
        return false;
    *signature = parsed;
    return true;
}

struct bytes ecdsa_signature_to_der(void *target, size_t capacity,
                                    const struct ecdsa_signature *signature)
{
    struct der_writer der = der_writer_into(target, capacity);
    der_open(&der, DER_SEQUENCE);
    der_write_big(&der, bytes_of(signature->bytes, 32));
    der_write_big(&der, bytes_of(signature->bytes + 32, 32));
    der_close(&der);
    return der_writer_view(&der);
}
