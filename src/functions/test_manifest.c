/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/test_manifest.h"
#include "tests/harness.h"

void test_manifest(struct buffer *text, const char *name, const struct digest32 *code,
                   const char *lines)
{
    AUTO_BUFFER struct buffer source;
    AUTO(manifest) struct manifest *manifest = NULL;
    struct error error = { 0 };
    buffer_init(&source, MANIFEST_SIZE_MAX);
    buffer_init(text, MANIFEST_SIZE_MAX);
    buffer_format(&source,
                  "s3n_manifest_version = 1\ncompatibility_date = \"2026-11-01\"\n"
                  "[application]\nname = \"%s\"\nversion = \"1.0.0\"\n"
                  "[function.f]\nsource = \"f.wasm\"\n%s",
                  name, lines);
    bool parsed = manifest_parse_toml(&manifest, "s3n.toml", buffer_view(&source), &error);
    CHECK_NOTE(parsed, "%s", error.text);
    if (!parsed)
        return;
    manifest->functions[0].code = *code;
    manifest->functions[0].has_code = true;
    CHECK(manifest_canonical(text, manifest, &error));
}
