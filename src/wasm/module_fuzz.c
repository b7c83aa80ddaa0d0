/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "wasm/analyse.h"
#include "wasm/wasm.h"

/* Any bytes: reported on, and refused or compiled to an image that a host accepts. */
void fuzz_one(struct bytes input)
{
    static const struct wasm_options options = { .allow_spectest = true,
                                                 .image_size_max = 16 << 20 };
    AUTO(arena) struct arena *arena = arena_new((size_t)64 << 20);
    AUTO_BUFFER struct buffer image;
    struct analysis analysis;
    struct error error;
    buffer_init(&image, 16 << 20);
    if (!wasm_analyse(&analysis, arena, input, &error) ||
        !wasm_compile(&image, input, &options, &error))
        return;
    struct image view;
    const char *reason;
    ASSERT(image_parse(&view, buffer_view(&image), &reason));
}
