/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"

#include <string.h>

/* The character that begins at `text`: its size, 0 when it is no UTF-8 (RFC 3629). */
static size_t character_of(struct bytes text, uint32_t *character)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } kinds[] = {
        { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
    };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if ((text.data[0] & kinds[i].mask) != kinds[i].lead)
            continue;
        uint32_t read = text.data[0] & (uint8_t)~kinds[i].mask;
        if (text.size <= i)
            return 0;
        for (size_t j = 1; j <= i; j++) {
            if ((text.data[j] & 0xc0) != 0x80)
                return 0;
            read = read << 6 | (text.data[j] & 0x3fu);
        }
        if (read < kinds[i].least || read > 0x10ffff || (read >= 0xd800 && read <= 0xdfff))
            return 0;
        *character = read;
        return i + 1;
    }
    return 0;
}

static bool steers(uint32_t character)
{
    return (character < ' ' && character != '\t') || (character >= 0x7f && character <= 0x9f) ||
           character == 0x061c || character == 0x200e || character == 0x200f ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

size_t terminal_character(struct bytes text, bool *passes)
{
    uint32_t character = 0;
    size_t size = character_of(text, &character);
    *passes = size > 0 && !steers(character);
    return MAX(size, (size_t)1);
}

bool terminal_is_line(struct bytes text)
{
    while (text.size > 0) {
        bool passes;
        size_t size = terminal_character(text, &passes);
        if (!passes || text.data[0] == '\t')
            return false;
        text = bytes_part(text, size, text.size);
    }
    return true;
}

void terminal_mask(char *text)
{
    struct bytes left = bytes_of_string(text);
    while (left.size > 0) {
        bool passes;
        size_t size = terminal_character(left, &passes);
        if (passes)
            memcpy(text, left.data, size);
        else
            *text = '?';
        text += passes ? size : 1;
        left = bytes_part(left, size, left.size);
    }
    *text = '\0';
}

void terminal_append(struct buffer *target, struct bytes text)
{
    while (text.size > 0) {
        uint32_t character = 0;
        size_t size = character_of(text, &character);
        if (size == 0)
            buffer_format(target, "\\x%02x", text.data[0]);
        else if (!steers(character))
            buffer_append(target, bytes_of(text.data, size));
        else
            buffer_format(target, character < 0x80 ? "\\x%02x" : "\\u%04x", character);
        text = bytes_part(text, MAX(size, (size_t)1), text.size);
    }
}

void utf8_append(struct buffer *target, struct bytes text)
{
    while (text.size > 0) {
        uint32_t character = 0;
        size_t size = character_of(text, &character);
        buffer_append(target,
                      size == 0 ? BYTES_LITERAL("\xef\xbf\xbd") : bytes_of(text.data, size));
        text = bytes_part(text, MAX(size, (size_t)1), text.size);
    }
}
