/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever decodes is the text of what it decodes to. */
#include "crypto/base64.h"
#include "fuzz/fuzz.h"

enum {
    TEXT_SIZE_MAX = 4096
};

void fuzz_one(struct bytes input)
{
    uint8_t plain[TEXT_SIZE_MAX];
    char text[TEXT_SIZE_MAX + 1];
    size_t size;
    if (input.size > TEXT_SIZE_MAX)
        return;
    if (base64_decode(plain, sizeof(plain), &size, input)) {
        base64_encode(text, bytes_of(plain, size));
        ASSERT(bytes_equal(bytes_of(text, base64_text_size(size)), input));
    }
    if (base64url_decode(plain, sizeof(plain), &size, input)) {
        base64url_encode(text, bytes_of(plain, size));
        ASSERT(bytes_equal(bytes_of(text, base64url_text_size(size)), input));
    }
}
