/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"
#include "fuzz/fuzz.h"

/* A parsed image is walked as a host would: nothing in it may lead outside. */
void fuzz_one(struct bytes input)
{
    struct image image;
    const char *reason;
    if (!image_parse(&image, input, &reason))
        return;
    volatile uint64_t sum = 0;
    for (size_t i = 0; i < image_count(&image, IMAGE_EXPORTS); i++) {
        struct image_export export = image_export_at(&image, i);
        struct bytes name = image_string(&image, export.name_offset, export.name_size);
        for (size_t j = 0; j < name.size; j++)
            sum = sum + name.data[j];
        (void)image_find_export(&image, name, &export);
    }
    for (size_t i = 0; i < image_count(&image, IMAGE_MEMORY_RUNS); i++) {
        struct image_run run = image_run_at(&image, i);
        if (run.size > 0)
            sum = sum + image.sections[IMAGE_MEMORY].data[run.offset + run.size - 1];
    }
    for (uint32_t i = 0; i < 64; i++) {
        struct image_function function;
        uint32_t wasm_offset;
        (void)image_locate(&image, i * 0x01010101u >> (i % 24), &function, &wasm_offset);
    }
}
