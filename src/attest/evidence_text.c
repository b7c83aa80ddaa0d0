/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/evidence_text.h"

#include "core/hex.h"
#include "crypto/base64.h"

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

bool evidence_text_is(struct bytes file)
{
    for (size_t i = 0; i < file.size; i++)
        if (!is_character(file.data[i]) && !is_space(file.data[i]))
            return false;
    return file.size >= EVIDENCE_SIZE_MIN;
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

bool evidence_text_read(struct bytes *evidence, uint8_t *space, struct bytes file)
{
    if (!evidence_text_is(file))
        return false;
    struct bytes characters = gather(space, file);
    uint8_t *target = space + characters.size;
    struct bytes digits = characters;
    if (bytes_starts_with(digits, BYTES_LITERAL("0x")))
        digits = bytes_part(digits, 2, digits.size);
    size_t size = digits.size / 2;
    if (digits.size % 2 == 0 && size >= EVIDENCE_SIZE_MIN && hex_decode(target, size, digits)) {
        *evidence = bytes_of(target, size);
        return true;
    }
    struct bytes text = characters;
    for (size_t i = 0; i < 2 && text.size > 0 && text.data[text.size - 1] == '='; i++)
        text.size--;
    bool is_padded_right = text.size == characters.size || characters.size % 4 == 0;
    if (!is_padded_right || !base64url_decode(target, file.size, &size, text) ||
        size < EVIDENCE_SIZE_MIN)
        return false;
    *evidence = bytes_of(target, size);
    return true;
}
