/* SPDX-License-Identifier: Apache-2.0 */
/* How deployments begin: an owner's, an optimisation, another compiler's. */
#include "crypto/hash.h"
#include "functions/artefact.h"
#include "functions/deployment_state.h"

#include <stdio.h>
#include <string.h>

/* Every signature that comes with the version holds, by somebody who may sign it. */
static bool signers_check(const struct deployment *deployment, struct error *error)
{
    struct digest32 version, manifest = sha256_of(buffer_view(&deployment->canonical));
    struct application probe = { .manifest = deployment->manifest };
    if (!manifest_version_digest(&version, deployment->manifest, &manifest, error))
        return false;
    for (size_t i = 0; i < deployment->signer_count; i++) {
        const struct version_signer *signer = &deployment->signers[i];
        struct release_signature signature;
        if (!release_parse(&signature, bytes_of_string(signer->text), error) ||
            !release_verify(&signature, &version, &signer->key, error))
            return false;
        if (!application_may_sign(&probe, &signer->key))
            return error_set(error, ERROR_DENIED,
                             "the manifest's `signers` do not have the key "
                             "that signed this release");
    }
    return true;
}

bool deployment_start(struct deployer *deployer, const struct deployment_request *request,
                      deployment_done *done, void *context, struct error *error)
{
    if (deployer->deployment_count == DEPLOYMENT_COUNT_MAX)
        return error_set(error, ERROR_BUSY, "%d deployments are under way", DEPLOYMENT_COUNT_MAX);
    AUTO(deployment) struct deployment *made = NULL;
    if (!deployment_new(&made, deployer, request->canonical, error))
        return false;
    if (strcmp(made->manifest->application, request->name) != 0)
        return error_set(error, ERROR_INVALID, "the manifest is for application %s, not for %s",
                         made->manifest->application, request->name);
    if (!registry_may_change(deployer->options.registry, request->name, &request->change.owner,
                             error))
        return false;
    ASSERT(request->signer_count <= RELEASE_SIGNER_COUNT_MAX);
    for (size_t i = 0; i < request->signer_count; i++)
        made->signers[made->signer_count++] = request->signers[i];
    made->change = request->change;
    snprintf(made->actor, sizeof(made->actor), "%s", request->change.actor);
    made->weight = request->weight;
    made->done = done;
    made->context = context;
    return signers_check(made, error) && deployment_begin(&made, error);
}

/* New images of a version that is there. */
static bool deployment_of(struct deployment **deployment, struct deployer *deployer,
                          struct application *application, size_t function, struct error *error)
{
    AUTO_BUFFER struct buffer canonical;
    buffer_init(&canonical, MANIFEST_SIZE_MAX);
    if (!manifest_canonical(&canonical, application->manifest, error) ||
        !deployment_new(deployment, deployer, buffer_view(&canonical), error))
        return false;
    (*deployment)->change.owner = application->owner;
    (*deployment)->base = application_hold(application);
    (*deployment)->function = function;
    return true;
}

bool deployment_optimise(struct deployer *deployer, const struct deployment_optimisation *wanted,
                         deployment_done *done, void *context, struct error *error)
{
    if (deployer->deployment_count >= DEPLOYMENT_COUNT_MAX / 2)
        return error_set(error, ERROR_BUSY, "deployments come first");
    AUTO(deployment) struct deployment *made = NULL;
    if (!deployment_of(&made, deployer, wanted->application, wanted->function, error))
        return false;
    made->done = done;
    made->context = context;
    if (wanted->functions != NULL && (made->list = strdup(wanted->functions)) == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a deployment");
    return deployment_begin(&made, error);
}

/* Whether this compiler made the function's image.  The baseline's goes when the optimised one has
 * been in use for a while; its record stays. */
static bool is_current(struct deployer *deployer, const struct application *application,
                       size_t function)
{
    struct artefact artefact = artefact_of(&application->manifest->functions[function]);
    struct function_image image;
    char key[COMPILER_KEY_SIZE];
    compiler_key(key, deployer->options.compiler, &artefact);
    return image_get(deployer, &artefact, &image, NULL) ||
           ((application->images[function].flags & FUNCTION_IMAGE_OPTIMISED) != 0 &&
            registry_image_was_made(deployer->options.registry, &artefact.code, key));
}

bool deployment_refresh(struct deployer *deployer, struct application *application,
                        deployment_done *done, void *context, bool *started, struct error *error)
{
    const struct manifest *manifest = application->manifest;
    AUTO(deployment) struct deployment *made = NULL;
    size_t current = 0;
    for (size_t i = 0; i < manifest->function_count; i++)
        current += is_current(deployer, application, i);
    *started = current < manifest->function_count;
    if (!*started)
        return true;
    if (!deployment_of(&made, deployer, application, EVERY_FUNCTION, error))
        return false;
    made->done = done;
    made->context = context;
    return deployment_begin(&made, error);
}
