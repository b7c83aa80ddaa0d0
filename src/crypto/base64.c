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

/* Value plus one of each digit; 0 for every other character. */
#define COMMON_DIGITS                                                                              \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,            \
    ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,            \
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,            \
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51,            \
    ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,            \
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
static const uint8_t standard_values[256] = { COMMON_DIGITS, ['+'] = 63, ['/'] = 64 };
static const uint8_t url_values[256] = { COMMON_DIGITS, ['-'] = 63, ['_'] = 64 };

/* Digits only, without padding. */
static bool decode(uint8_t *target, size_t capacity, size_t *size, struct bytes text,
                   const uint8_t *values)
{
    if (text.size % 4 == 1)
        return false;
    size_t needed = text.size / 4 * 3 + text.size % 4 * 3 / 4;
    if (needed > capacity)
        return false;
    /* All digits first, so that a refused text leaves the target untouched. */
    for (size_t i = 0; i < text.size; i++) {
        if (values[text.data[i]] == 0)
            return false;
    }
    unsigned unused = (unsigned)(text.size * 6 - needed * 8);
    if (unused > 0 && ((values[text.data[text.size - 1]] - 1U) & ((1U << unused) - 1)) != 0)
        return false;
    size_t i = 0;
    for (; text.size - i >= 4; i += 4) {
        const uint8_t *four = text.data + i;
        uint32_t group = (values[four[0]] - 1U) << 18 | (values[four[1]] - 1U) << 12 |
                         (values[four[2]] - 1U) << 6 | (values[four[3]] - 1U);
        *target++ = (uint8_t)(group >> 16);
        *target++ = (uint8_t)(group >> 8);
        *target++ = (uint8_t)group;
    }
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (; i < text.size; i++) {
        bits = bits << 6 | (values[text.data[i]] - 1U);
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
                  standard_values);
}

bool base64url_decode(void *target, size_t capacity, size_t *size, struct bytes text)
{
    return decode(target, capacity, size, text, url_values);
}
