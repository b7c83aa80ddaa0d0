/* SPDX-License-Identifier: Apache-2.0 */
#include "base/toml.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    AUTO_TOML struct toml_document document = { 0 };
    if (!toml_parse(&document, "fuzz", input, &error)) {
        ASSERT(document.root == NULL);
        return;
    }
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 8 << 20);
    /* Only integers without an exact double, and size, may keep it from its canonical form. */
    if (!json_canonical(&text, document.root, &error))
        ASSERT(error.code == ERROR_INVALID || error.code == ERROR_LIMIT);
    (void)toml_line(&document, "function.quote.source");
}
