/* SPDX-License-Identifier: Apache-2.0 */
/* Function names from the name section: for people only, so nothing in it can be an error. */
#include "wasm/decoder.h"

enum {
    NAMES_OF_FUNCTIONS = 1
};

static void read_functions(struct module *module, struct scan scan)
{
    uint32_t count = scan_length(&scan);
    for (uint32_t i = 0; i < count && scan.fault == NULL; i++) {
        uint32_t index = scan_u32(&scan);
        struct bytes name = scan_name(&scan);
        if (scan.fault == NULL && index < module->function_count)
            module->functions[index].name = name;
    }
}

void decode_names(struct module *module, struct bytes section)
{
    if (section.size == 0)
        return;
    struct scan scan = scan_of(section, 0);
    while (scan.fault == NULL && scan.at < scan.end) {
        uint8_t kind = scan_u8(&scan);
        struct bytes content = scan_bytes(&scan, scan_length(&scan));
        if (scan.fault == NULL && kind == NAMES_OF_FUNCTIONS && content.size > 0)
            read_functions(module, scan_of(content, 0));
    }
}
