/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

struct bytes bytes_of_string(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    return bytes_of(text, size);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (a.data[i] != b.data[i])
            return false;
    }
    return true;
}

bool bytes_equal_string(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of_string(text));
}

bool bytes_starts_with(struct bytes a, struct bytes prefix)
{
    return a.size >= prefix.size && bytes_equal(bytes_of(a.data, prefix.size), prefix);
}

struct bytes bytes_part(struct bytes whole, size_t offset, size_t size)
{
    size_t from = MIN(offset, whole.size);
    return (struct bytes){ whole.data == NULL ? NULL : whole.data + from,
                           MIN(size, whole.size - from) };
}

struct bytes bytes_trim(struct bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = bytes_part(text, 1, text.size);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

size_t bytes_find(struct bytes whole, uint8_t byte)
{
    size_t i = 0;
    while (i < whole.size && whole.data[i] != byte)
        i++;
    return i;
}

bool digest32_equal(const struct digest32 *a, const struct digest32 *b)
{
    return bytes_equal(BYTES_OF(a->bytes), BYTES_OF(b->bytes));
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the well-formed sequence at the front, or 0. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return left >= 2 && is_continuation(at[1]) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : 0xbf;
        return left >= 3 && at[1] >= low && at[1] <= high && is_continuation(at[2]) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && at[1] >= low && at[1] <= high && is_continuation(at[2]) &&
                       is_continuation(at[3])
                   ? 4
                   : 0;
    }
    return 0;
}

bool bytes_is_utf8(struct bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t length = utf8_sequence(text.data + at, text.size - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}
