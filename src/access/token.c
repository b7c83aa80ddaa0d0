/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#include <string.h>

enum {
    CHECKED_SIZE = TOKEN_SIZE - TOKEN_CHECK_SIZE
};
static const char characters[] = "abcdefghijklmnopqrstuvwxyz234567";
_Static_assert(TOKEN_SIZE % 5 == 0, "no padding");

static void check_make(uint8_t check[TOKEN_CHECK_SIZE], const uint8_t bytes[CHECKED_SIZE])
{
    static const char purpose[] = "s3n token";
    uint8_t checked[sizeof(purpose) - 1 + CHECKED_SIZE];
    memcpy(checked, purpose, sizeof(purpose) - 1);
    memcpy(checked + sizeof(purpose) - 1, bytes, CHECKED_SIZE);
    struct digest32 digest = sha256_of(BYTES_OF(checked));
    memcpy(check, digest.bytes, TOKEN_CHECK_SIZE);
    secret_wipe(checked, sizeof(checked));
}

static void base32_encode(char *text, const uint8_t bytes[TOKEN_SIZE])
{
    for (size_t i = 0; i < TOKEN_SIZE; i += 5) {
        uint64_t group = 0;
        for (size_t j = 0; j < 5; j++)
            group = group << 8 | bytes[i + j];
        for (size_t j = 0; j < 8; j++)
            *text++ = characters[group >> (35 - 5 * j) & 31];
    }
}

static bool base32_decode(uint8_t bytes[TOKEN_SIZE], const uint8_t *text)
{
    for (size_t i = 0; i < TOKEN_SIZE; i += 5) {
        uint64_t group = 0;
        for (size_t j = 0; j < 8; j++) {
            uint8_t byte = *text++;
            if (byte >= 'a' && byte <= 'z')
                group = group << 5 | (uint64_t)(byte - 'a');
            else if (byte >= '2' && byte <= '7')
                group = group << 5 | (uint64_t)(byte - '2' + 26);
            else
                return false;
        }
        for (size_t j = 0; j < 5; j++)
            bytes[i + j] = (uint8_t)(group >> (32 - 8 * j));
    }
    return true;
}

static struct token_name name_of(const uint8_t bytes[TOKEN_SIZE], struct bytes text)
{
    struct token_name name = { .hash = sha256_of(text) };
    memcpy(name.tag.bytes, bytes, TOKEN_TAG_SIZE);
    memcpy(name.id.bytes, bytes + TOKEN_TAG_SIZE, TOKEN_ID_SIZE);
    return name;
}

void token_make(char text[TOKEN_TEXT_SIZE + 1], struct token_name *name,
                const struct token_tag *tag)
{
    uint8_t bytes[TOKEN_SIZE];
    memcpy(bytes, tag->bytes, TOKEN_TAG_SIZE);
    random_bytes(bytes + TOKEN_TAG_SIZE, TOKEN_ID_SIZE + TOKEN_RANDOM_SIZE);
    check_make(bytes + CHECKED_SIZE, bytes);
    memcpy(text, TOKEN_PREFIX, TOKEN_PREFIX_SIZE);
    base32_encode(text + TOKEN_PREFIX_SIZE, bytes);
    text[TOKEN_TEXT_SIZE] = '\0';
    *name = name_of(bytes, bytes_of(text, TOKEN_TEXT_SIZE));
    secret_wipe(bytes, sizeof(bytes));
}

bool token_is(struct bytes text)
{
    return bytes_starts_with(text, BYTES_LITERAL(TOKEN_PREFIX));
}

bool token_parse(struct token_name *name, struct bytes text, struct error *error)
{
    uint8_t bytes[TOKEN_SIZE], check[TOKEN_CHECK_SIZE];
    if (!token_is(text))
        return error_set(error, ERROR_UNAUTHENTICATED,
                         "this is no API token: those begin with " TOKEN_PREFIX);
    bool fits = text.size == TOKEN_TEXT_SIZE && base32_decode(bytes, text.data + TOKEN_PREFIX_SIZE);
    if (fits) {
        check_make(check, bytes);
        fits = secret_equal(check, bytes + CHECKED_SIZE, sizeof(check));
    }
    if (fits)
        *name = name_of(bytes, text);
    secret_wipe(bytes, sizeof(bytes));
    return fits || error_set(error, ERROR_UNAUTHENTICATED, "this API token was cut or mistyped");
}
