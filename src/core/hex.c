/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"

void hex_encode(char *text, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[2 * bytes.size] = '\0';
}

int hex_digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool hex_decode(void *target, size_t size, struct bytes text)
{
    if (text.size % 2 != 0 || text.size / 2 != size)
        return false;
    int all = 0;
    for (size_t i = 0; i < text.size; i++)
        all |= hex_digit_value(text.data[i]);
    if (all < 0)
        return false;
    uint8_t *bytes = target;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(hex_digit_value(text.data[2 * i]) << 4 |
                             hex_digit_value(text.data[2 * i + 1]));
    return true;
}

struct hex32 hex_of_digest(const struct digest32 *digest)
{
    struct hex32 hex;
    hex_encode(hex.text, BYTES_OF(digest->bytes));
    return hex;
}
