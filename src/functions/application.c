/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/application.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct application *application_hold(struct application *application)
{
    application->references++;
    return application;
}

void application_release(struct application *application)
{
    if (application == NULL || --application->references > 0)
        return;
    for (struct application **at = application->live; at != NULL && *at != NULL;
         at = &(*at)->next) {
        if (*at == application) {
            *at = application->next;
            break;
        }
    }
    manifest_free(application->manifest);
    free(application->images);
    free(application);
}

/* --- releases --- */

unsigned application_threshold(const struct application *application)
{
    return application->manifest->release.threshold;
}

bool application_is_released(const struct application *application)
{
    return application->signer_count >= application_threshold(application);
}

bool application_may_sign(const struct application *application, const struct ecdsa_public *key)
{
    const struct manifest_release *release = &application->manifest->release;
    for (size_t i = 0; i < release->signer_count; i++) {
        if (ecdsa_public_equal(&release->signers[i], key))
            return true;
    }
    return release->signer_count == 0;
}

static bool signature_check(const struct application *application, size_t index,
                            struct error *error)
{
    const struct version_signer *signer = &application->signers[index];
    struct release_signature signature;
    for (size_t i = 0; i < index; i++) {
        if (ecdsa_public_equal(&application->signers[i].key, &signer->key))
            return error_set(error, ERROR_UNVERIFIED, "one signer signed twice");
    }
    if (!application_may_sign(application, &signer->key))
        return error_set(error, ERROR_UNVERIFIED, "a signer is none of the manifest's");
    return release_parse(&signature, bytes_of_string(signer->text), error) &&
           release_verify(&signature, &application->version_digest, &signer->key, error);
}

void application_add_signer(struct application *application, const struct version_signer *signer)
{
    ASSERT(application->signer_count < RELEASE_SIGNER_COUNT_MAX);
    application->signers[application->signer_count] = *signer;
    application->signer_ids[application->signer_count++] = ecdsa_public_id(&signer->key);
    application->is_verified = false;
}

bool application_verify(struct application *application, struct error *error)
{
    AUTO_BUFFER struct buffer canonical;
    struct digest32 version;
    if (application->is_verified)
        return true;
    buffer_init(&canonical, MANIFEST_SIZE_MAX);
    if (!manifest_canonical(&canonical, application->manifest, error))
        return false;
    struct digest32 manifest = sha256_of(buffer_view(&canonical));
    if (!manifest_version_digest(&version, application->manifest, &manifest, error))
        return false;
    if (!digest32_equal(&manifest, &application->manifest_digest) ||
        !digest32_equal(&version, &application->version_digest))
        return error_set(error, ERROR_UNVERIFIED, "version %llu is not what its digest says",
                         (unsigned long long)application->version_number);
    for (size_t i = 0; i < application->signer_count; i++) {
        if (!signature_check(application, i, error))
            return error_within(error, "version %llu",
                                (unsigned long long)application->version_number);
    }
    if (!application_is_released(application))
        return error_set(error, ERROR_UNVERIFIED, "version %llu has %zu of %u signatures",
                         (unsigned long long)application->version_number, application->signer_count,
                         application_threshold(application));
    return true;
}

/* --- records as JSON --- */

json_t *function_image_tree(const struct function_image *image)
{
    struct hex32 digest = hex_of_digest(&image->image);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "image", digest.text, "image_size",
                     (json_int_t)image->image_size, "code_size", (json_int_t)image->code_size,
                     "compile_us", (json_int_t)image->compile_us, "flags", (json_int_t)image->flags,
                     "abi", (json_int_t)image->abi);
}

bool function_image_of_tree(struct function_image *image, const json_t *tree, struct error *error)
{
    int64_t image_size, code_size, compile_us, flags = 0, abi = 0;
    if (!json_get_hex(tree, "image", image->image.bytes, sizeof(image->image.bytes), error) ||
        !json_get_integer(tree, "image_size", 0, INT64_MAX, &image_size, error) ||
        !json_get_integer(tree, "code_size", 0, INT64_MAX, &code_size, error) ||
        !json_get_integer(tree, "compile_us", 0, INT64_MAX, &compile_us, error) ||
        !json_get_integer(tree, "flags", 0, UINT32_MAX, &flags, error) ||
        !json_get_integer(tree, "abi", 0, UINT32_MAX, &abi, error))
        return false;
    image->image_size = (uint64_t)image_size;
    image->code_size = (uint64_t)code_size;
    image->compile_us = (uint64_t)compile_us;
    image->flags = (uint32_t)flags;
    image->abi = (uint32_t)abi;
    return true;
}

json_t *version_images_tree(const struct function_image *images, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, function_image_tree(&images[i]));
    return list;
}

json_t *version_signers_tree(const struct version_signer *signers, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "key", ecdsa_public_to_jwk(&signers[i].key),
                                        "signature", signers[i].text));
    return list;
}

bool version_write(struct buffer *text, const struct registry_version *version,
                   size_t function_count, struct error *error)
{
    AUTO_JSON json_t *tree = json_pack(
        "{s:s%, s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:O*}", "manifest",
        (const char *)version->canonical.data, version->canonical.size, "owner",
        hex_of_digest(&version->owner).text, "author", version->author, "deployed_s",
        (json_int_t)version->now_s, "images", version_images_tree(version->images, function_count),
        "signers", version_signers_tree(version->signers, version->signer_count), "weight",
        (json_int_t)version->weight, "size", (json_int_t)version->size, "reports",
        version->reports);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the version's record");
    return json_canonical(text, tree, error);
}

static bool images_read(struct application *application, const json_t *tree, struct error *error)
{
    json_t *images;
    if (!json_get_array(tree, "images", &images, error))
        return false;
    size_t count = application->manifest->function_count;
    if (json_array_size(images) != count)
        return error_set(error, ERROR_CORRUPT, "the record has not one image per function");
    application->images = calloc(count, sizeof(*application->images));
    if (application->images == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    for (size_t i = 0; i < count; i++) {
        if (!function_image_of_tree(&application->images[i], json_array_get(images, i), error))
            return false;
    }
    return true;
}

static bool signers_read(struct application *application, const json_t *tree, struct error *error)
{
    json_t *list;
    if (!json_get_array(tree, "signers", &list, error))
        return false;
    if (json_array_size(list) > RELEASE_SIGNER_COUNT_MAX)
        return error_set(error, ERROR_CORRUPT, "the record has too many signers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct version_signer signer = { 0 };
        json_t *key;
        const char *text;
        if (!json_get_object(json_array_get(list, i), "key", &key, error) ||
            !ecdsa_public_from_jwk(&signer.key, key, error) ||
            !json_get_string(json_array_get(list, i), "signature", &text, error))
            return false;
        if (strlen(text) > RELEASE_TEXT_SIZE_MAX)
            return error_set(error, ERROR_CORRUPT, "the record has a long signature");
        memcpy(signer.text, text, strlen(text) + 1);
        application_add_signer(application, &signer);
    }
    return true;
}

static bool facts_read(struct application *made, const json_t *tree, struct error *error)
{
    int64_t weight, size;
    const char *author;
    if (!json_get_hex(tree, "owner", made->owner.bytes, sizeof(made->owner.bytes), error) ||
        !json_get_integer(tree, "deployed_s", INT64_MIN, INT64_MAX, &made->deployed_s, error) ||
        !json_get_integer(tree, "weight", 0, 100, &weight, error) ||
        !json_get_integer(tree, "size", 0, INT64_MAX, &size, error) ||
        !json_get_string(tree, "author", &author, error))
        return false;
    snprintf(made->author, sizeof(made->author), "%s", author);
    made->wanted_weight = (unsigned)weight;
    made->size = (uint64_t)size;
    return true;
}

bool version_read(struct application **application, json_t **reports, uint64_t number,
                  struct bytes text, struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    AUTO(application) struct application *made = calloc(1, sizeof(*made));
    const char *canonical;
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an application");
    made->references = 1;
    made->version_number = number;
    if (!json_parse(&tree, text, error) || !json_get_string(tree, "manifest", &canonical, error) ||
        !facts_read(made, tree, error) ||
        !manifest_parse(&made->manifest, bytes_of_string(canonical), error) ||
        !images_read(made, tree, error) || !signers_read(made, tree, error))
        return false;
    made->manifest_digest = sha256_of(bytes_of_string(canonical));
    if (!manifest_version_digest(&made->version_digest, made->manifest, &made->manifest_digest,
                                 error))
        return false;
    if (reports != NULL)
        *reports = json_incref(json_object_get(tree, "reports"));
    *application = TAKE(made);
    return true;
}
