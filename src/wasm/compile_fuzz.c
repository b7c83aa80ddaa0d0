/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"
#include "fuzz/fuzz.h"
#include "wasm/wasm.h"

void fuzz_one(struct bytes input)
{
    AUTO_BUFFER struct buffer buffer;
    struct wasm_options options = { .allow_spectest = true };
    struct error error = { 0 };
    struct image image;
    const char *reason = "";
    buffer_init(&buffer, (size_t)32 << 20);
    if (!wasm_compile(&buffer, input, &options, &error))
        return;
    bool parsed = image_parse(&image, buffer_view(&buffer), &reason);
    ASSERT(parsed);
}
