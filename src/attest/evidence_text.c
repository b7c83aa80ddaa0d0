/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/evidence_text.h"

#include "core/hex.h"
#include "core/reader.h"
#include "crypto/base64.h"
#include "crypto/der.h"

#include <string.h>

enum {
    EVIDENCE_SIZE_MIN = 1000 /* a quote without its chain has 1,020 bytes, a report 1,184 */
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_character(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '+' ||
           byte == '/' || byte == '=';
}

static bool is_text(struct bytes file)
{
    for (size_t i = 0; i < file.size; i++)
        if (!is_character(file.data[i]) && !is_space(file.data[i]))
            return false;
    return true;
}

bool evidence_text_is(struct bytes file)
{
    return file.size >= EVIDENCE_SIZE_MIN && is_text(file);
}

/* The characters alone, as base64url writes them. */
static struct bytes gather(uint8_t *space, struct bytes file)
{
    size_t size = 0;
    for (size_t i = 0; i < file.size; i++) {
        uint8_t byte = file.data[i];
        if (!is_space(byte))
            space[size++] = byte == '+' ? '-' : byte == '/' ? '_' : byte;
    }
    return bytes_of(space, size);
}

/* What the digits stand for, or else the base64 text, if it has at least so many bytes. */
static bool decode(struct bytes *content, uint8_t *space, struct bytes file, size_t size_min)
{
    struct bytes characters = gather(space, file);
    uint8_t *target = space + characters.size;
    struct bytes digits = characters;
    if (bytes_starts_with(digits, BYTES_LITERAL("0x")))
        digits = bytes_part(digits, 2, digits.size);
    size_t size = digits.size / 2;
    if (digits.size % 2 == 0 && size >= size_min && hex_decode(target, size, digits)) {
        *content = bytes_of(target, size);
        return true;
    }
    struct bytes text = characters;
    for (size_t i = 0; i < 2 && text.size > 0 && text.data[text.size - 1] == '='; i++)
        text.size--;
    bool is_padded_right = text.size == characters.size || characters.size % 4 == 0;
    if (!is_padded_right || !base64url_decode(target, file.size, &size, text) || size < size_min)
        return false;
    *content = bytes_of(target, size);
    return true;
}

bool evidence_text_read(struct bytes *evidence, uint8_t *space, struct bytes file)
{
    return evidence_text_is(file) && decode(evidence, space, file, EVIDENCE_SIZE_MIN);
}

static bool ends_with(struct bytes text, struct bytes end)
{
    return text.size >= end.size &&
           bytes_equal(bytes_part(text, text.size - end.size, end.size), end);
}

static bool contains(struct bytes text, struct bytes part)
{
    for (size_t i = 0; i + part.size <= text.size; i++)
        if (bytes_starts_with(bytes_part(text, i, text.size), part))
            return true;
    return false;
}

/* The blocks with their boundaries; `space` may be where the text is.  Empty when there is none, or
 * what stands around them looks like a boundary that is none. */
static struct bytes gather_blocks(uint8_t *space, struct bytes text)
{
    const struct bytes dashes = BYTES_LITERAL("-----");
    struct reader reader = reader_of(text);
    bool is_inside = false;
    size_t size = 0;
    while (reader_left(&reader) > 0) {
        struct bytes rest = bytes_of(reader.at, reader_left(&reader));
        size_t line_size = bytes_find(rest, '\n');
        struct bytes line = read_bytes(&reader, line_size < rest.size ? line_size + 1 : line_size);
        struct bytes words = line;
        while (words.size > 0 && is_space(words.data[words.size - 1]))
            words.size--;
        bool is_boundary = bytes_starts_with(words, dashes) && ends_with(words, dashes);
        bool is_begin = is_boundary && contains(words, BYTES_LITERAL("-----BEGIN "));
        if (!is_inside && !is_begin && contains(words, dashes))
            return (struct bytes){ 0 };
        if (is_inside || is_begin) {
            memmove(space + size, line.data, line.size);
            size += line.size;
        }
        /* The next may begin where one ends (crypto/pem.h). */
        is_inside = is_begin || (is_inside && !is_boundary);
    }
    return is_inside ? (struct bytes){ 0 } : bytes_of(space, size);
}

static struct bytes unescape(uint8_t *space, struct bytes text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%' && hex_decode(&byte, 1, bytes_part(text, i + 1, 2)))
            i += 2;
        space[size++] = byte;
    }
    return bytes_of(space, size);
}

bool collateral_text_is(struct bytes file)
{
    for (size_t i = 0; i < file.size; i++)
        if (file.data[i] < ' ' && !is_space(file.data[i]))
            return false;
    return true;
}

struct bytes collateral_text_read(uint8_t *space, struct bytes file)
{
    enum {
        LONG_LENGTH = 0x80 /* the second byte of what has more than 127 */
    };
    struct bytes text = file, content;
    if (is_text(file))
        return decode(&content, space, file, 2) && content.data[0] == DER_SEQUENCE &&
                       content.data[1] >= LONG_LENGTH
                   ? content
                   : file;
    if (bytes_starts_with(text, BYTES_LITERAL("\xef\xbb\xbf")))
        text = bytes_part(text, 3, text.size);
    if (bytes_starts_with(text, BYTES_LITERAL("-----BEGIN%20")))
        text = unescape(space, text);
    struct bytes blocks = gather_blocks(space, text);
    return blocks.size > 0 ? blocks : file;
}
