/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_release.h"
#include "core/sort.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "keys/release.h"

#include <string.h>

static int signer_order(const void *left, const void *right)
{
    struct digest32 a = ecdsa_public_id(left), b = ecdsa_public_id(right);
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

static bool signer_read(struct ecdsa_public *signer, const json_t *value)
{
    uint8_t spki[ECDSA_SPKI_SIZE];
    size_t size = 0;
    struct error wrong;
    return json_is_string(value) &&
           base64_decode(spki, sizeof(spki), &size, bytes_of_string(json_string_value(value))) &&
           ecdsa_public_from_spki(signer, bytes_of(spki, size), &wrong);
}

static bool signers_read(struct manifest_release *release, const struct manifest_table *table,
                         struct error *error)
{
    const json_t *list = json_object_get(table->json, "signers");
    size_t count = json_array_size(list);
    bool valid = count >= 1 && count <= RELEASE_SIGNER_COUNT_MAX;
    release->signers = valid ? arena_array(table->arena, count, sizeof(*release->signers)) : NULL;
    if (valid && release->signers == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the manifest");
    for (size_t i = 0; valid && i < count; i++)
        valid = signer_read(&release->signers[i], json_array_get(list, i));
    if (valid)
        sort_items(release->signers, count, sizeof(*release->signers), signer_order);
    for (size_t i = 1; valid && i < count; i++)
        valid = !ecdsa_public_equal(&release->signers[i - 1], &release->signers[i]);
    release->signer_count = count;
    if (valid)
        return true;
    error_set(error, ERROR_INVALID,
              "must list 1 to %d P-256 public keys, each once, as `s3n login` prints them",
              RELEASE_SIGNER_COUNT_MAX);
    return manifest_fail_key(table, "signers", error);
}

bool manifest_read_release(struct manifest_release *release, const struct manifest_table *root,
                           struct error *error)
{
    static const char *const keys[] = { "signers", "threshold", NULL };
    struct manifest_table table;
    uint64_t threshold = 1;
    *release = (struct manifest_release){ .threshold = 1 };
    if (!manifest_get_table(root, "release", &table, error))
        return false;
    if (table.json == NULL)
        return true;
    if (!manifest_check_keys(&table, keys, error) || !signers_read(release, &table, error) ||
        !manifest_read_number(&table, "threshold", release->signer_count, &threshold, error))
        return false;
    release->threshold = (unsigned)threshold;
    return true;
}

json_t *manifest_release_tree(const struct manifest_release *release)
{
    json_t *signers = json_array();
    for (size_t i = 0; i < release->signer_count; i++) {
        struct ecdsa_spki spki = ecdsa_public_to_spki(&release->signers[i]);
        char text[2 * ECDSA_SPKI_SIZE];
        base64_encode(text, BYTES_OF(spki.bytes));
        json_array_append_new(signers, json_string(text));
    }
    return json_pack("{s:o, s:i}", "signers", signers, "threshold", (int)release->threshold);
}

bool manifest_version_digest(struct digest32 *version, const struct manifest *manifest,
                             const struct digest32 *manifest_digest, struct error *error)
{
    struct digest32 artefacts[RELEASE_ARTEFACT_COUNT_MAX];
    size_t count = 0;
    _Static_assert((int)RELEASE_ARTEFACT_COUNT_MAX >= 2 * (int)MANIFEST_FUNCTION_COUNT_MAX,
                   "two artefacts a function");
    for (size_t i = 0; i < manifest->function_count; i++) {
        const struct manifest_function *function = &manifest->functions[i];
        artefacts[count++] = function->code;
        if (function->has_archive)
            artefacts[count++] = function->archive;
    }
    return release_digest(version, manifest_digest, artefacts, count, error);
}
