/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"
#include "elf/elf.h"
#include "fuzz/fuzz.h"

/* What is accepted becomes an image that its own reader accepts. */
void fuzz_one(struct bytes input)
{
    static const struct digest32 digest;
    AUTO_BUFFER struct buffer image;
    struct image parsed;
    struct error error;
    const char *reason;
    buffer_init(&image, 8 << 20);
    if (!elf_compile(&image, input, &digest, &error))
        return;
    ASSERT(image_parse(&parsed, buffer_view(&image), &reason));
    ASSERT((parsed.header.flags & IMAGE_IS_NATIVE) != 0);
    ASSERT(parsed.header.handle_offset < parsed.sections[IMAGE_CODE].size);
}
