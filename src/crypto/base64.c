/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"

static const char standard_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64_text_size(size_t size)
{
    return size / 3 * 4 + (size % 3 != 0 ? 4 : 0);
}

size_t base64url_text_size(size_t size)
{
    return size / 3 * 4 + (size % 3 != 0 ? size % 3 + 1 : 0);
}

static void encode(char *text, struct bytes bytes, const char *digits)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        for (bit_count += 8; bit_count >= 6; bit_count -= 6)
            *text++ = digits[bits >> (bit_count - 6) & 63];
    }
    if (bit_count > 0)
        *text++ = digits[bits << (6 - bit_count) & 63];
    if (digits == standard_digits) {
        for (size_t i = bytes.size; i % 3 != 0; i++)
            *text++ = '=';
    }
}

void base64_encode(char *text, struct bytes bytes)
{
    encode(text, bytes, standard_digits);
    text[base64_text_size(bytes.size)] = '\0';
}

void base64url_encode(char *text, struct bytes bytes)
{
    encode(text, bytes, url_digits);
    text[base64url_text_size(bytes.size)] = '\0';
}

static void append(struct buffer *text, struct bytes bytes, const char *digits, size_t size)
{
    char *room = (char *)buffer_reserve(text, size);
    if (room == NULL)
        return;
    encode(room, bytes, digits);
    text->size += size;
}

void base64_append(struct buffer *text, struct bytes bytes)
{
    append(text, bytes, standard_digits, base64_text_size(bytes.size));
}

void base64url_append(struct buffer *text, struct bytes bytes)
{
    append(text, bytes, url_digits, base64url_text_size(bytes.size));
}

/* The six bits of a digit, or 64. */
static uint32_t digit_value(uint8_t digit, const char *digits)
{
    if (digit >= 'A' && digit <= 'Z')
        return (uint32_t)(digit - 'A');
    if (digit >= 'a' && digit <= 'z')
        return (uint32_t)(digit - 'a') + 26;
    if (digit >= '0' && digit <= '9')
        return (uint32_t)(digit - '0') + 52;
    if (digit == (uint8_t)digits[62])
        return 62;
    return digit == (uint8_t)digits[63] ? 63 : 64;
}

/* Digits only, without padding. */
static bool decode(uint8_t *target, size_t capacity, size_t *size, struct bytes text,
                   const char *digits)
{
    if (text.size % 4 == 1)
        return false;
    size_t needed = text.size / 4 * 3 + text.size % 4 * 3 / 4;
    if (needed > capacity)
        return false;
    /* All digits first, so that a refused text leaves the target untouched. */
    for (size_t i = 0; i < text.size; i++) {
        if (digit_value(text.data[i], digits) == 64)
            return false;
    }
    unsigned unused = (unsigned)(text.size * 6 - needed * 8);
    if (unused > 0 && (digit_value(text.data[text.size - 1], digits) & ((1U << unused) - 1)) != 0)
        return false;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < text.size; i++) {
        bits = bits << 6 | digit_value(text.data[i], digits);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            *target++ = (uint8_t)(bits >> bit_count);
        }
    }
    *size = needed;
    return true;
}

bool base64_decode(void *target, size_t capacity, size_t *size, struct bytes text)
{
    if (text.size % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    return decode(target, capacity, size, bytes_part(text, 0, text.size - padding),
                  standard_digits);
}

bool base64url_decode(void *target, size_t capacity, size_t *size, struct bytes text)
{
    return decode(target, capacity, size, text, url_digits);
}
