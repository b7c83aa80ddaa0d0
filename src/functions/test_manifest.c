/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/test_manifest.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <string.h>

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

struct version_signer test_signer(struct bytes canonical)
{
    static struct ecdsa_key *key;
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO_BUFFER struct buffer text;
    struct version_signer signer = { 0 };
    struct digest32 version, digest = sha256_of(canonical);
    struct error error = { 0 };
    buffer_init(&text, RELEASE_TEXT_SIZE_MAX);
    bool is_signed = (key != NULL || ecdsa_key_generate(&key, &error)) &&
                     manifest_parse(&manifest, canonical, &error) &&
                     manifest_version_digest(&version, manifest, &digest, &error) &&
                     release_sign(&text, &version, key, &error);
    CHECK_NOTE(is_signed, "%s", error.text);
    if (!is_signed)
        return signer;
    signer.key = *ecdsa_key_public(key);
    memcpy(signer.text, text.data, text.size);
    return signer;
}
