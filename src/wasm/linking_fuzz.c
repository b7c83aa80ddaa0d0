/* SPDX-License-Identifier: Apache-2.0 */
/* Any module as a linked instance.  What others give follows from the name that is asked for: the
 * first letter says the kind, the rest are its types as an image has them. */
#include "abi/image.h"
#include "fuzz/fuzz.h"
#include "wasm/wasm.h"

#include <string.h>

static bool is_type(uint8_t byte)
{
    return byte == 0x70 || byte == 0x6f || (byte >= 0x7b && byte <= 0x7f);
}

static bool find(void *context, struct bytes module, struct bytes field,
                 struct wasm_external *external)
{
    static const struct {
        char letter;
        enum image_export_kind kind;
        size_t size; /* of the types; 0: any */
    } kinds[] = { { 'f', IMAGE_EXPORT_FUNCTION, 0 },
                  { 't', IMAGE_EXPORT_TABLE, 6 },
                  { 'm', IMAGE_EXPORT_MEMORY, 5 },
                  { 'g', IMAGE_EXPORT_GLOBAL, 2 } };
    (void)context;
    if (field.size == 0 || module.size != 1)
        return false;
    struct bytes types = bytes_part(field, 1, field.size - 1);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (field.data[0] != kinds[i].letter || (kinds[i].size != 0 && types.size != kinds[i].size))
            continue;
        /* Images hold known types alone. */
        for (size_t j = 0; kinds[i].kind == IMAGE_EXPORT_FUNCTION && j < types.size; j++) {
            if (!is_type(types.data[j]))
                return false;
        }
        if (kinds[i].size != 0 && kinds[i].size != 5 && !is_type(types.data[0]))
            return false;
        *external = (struct wasm_external){ .kind = kinds[i].kind,
                                            .types = types,
                                            .parameter_count = (uint32_t)types.size / 2,
                                            .size = 3,
                                            .value = { 0x123456789abcdef0u, 42 } };
        external->function.code = external->kind == IMAGE_EXPORT_GLOBAL && types.data[0] == 0x70;
        return true;
    }
    return false;
}

void fuzz_one(struct bytes input)
{
    AUTO_BUFFER struct buffer buffer;
    AUTO(wasm_signatures) struct wasm_signatures *signatures = NULL;
    struct error error = { 0 };
    struct image image;
    const char *reason = "";
    ASSERT(wasm_signatures_new(&signatures, &error));
    const struct wasm_link link = { .placement = 5, .signatures = signatures, .find = find };
    struct wasm_options options = { .allow_spectest = true, .link = &link };
    buffer_init(&buffer, (size_t)32 << 20);
    if (!wasm_compile(&buffer, input, &options, &error))
        return;
    bool parsed = image_parse(&image, buffer_view(&buffer), &reason);
    ASSERT(parsed && image.header.placement == 5);
}
