/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment's inside, for its own files only: deployment.c (what happens to it) and
 * deployment_start.c (how one begins). */
#ifndef FUNCTIONS_DEPLOYMENT_STATE_H
#define FUNCTIONS_DEPLOYMENT_STATE_H

#include "functions/deployment.h"
#include "functions/trial.h"

#define EVERY_FUNCTION SIZE_MAX

struct deployment {
    struct deployer *deployer;
    struct deployment *next;
    struct manifest *manifest;
    struct buffer canonical;
    struct change change;
    char actor[ACTOR_SIZE_MAX + 1];
    struct version_signer signers[RELEASE_SIGNER_COUNT_MAX];
    size_t signer_count;
    unsigned weight;
    uint64_t size; /* of the artefacts */
    deployment_done *done;
    void *context;
    struct function_image *images; /* per function */
    json_t *reports;               /* by function */
    bool *has_image;
    size_t missing;
    struct trial *trial; /* under way, or NULL */
    /* Of an optimisation or of compiling anew: what it replaces images of, and what it compiles
     * instead. */
    struct application *base; /* held; NULL: an ordinary deployment */
    size_t function;          /* that is optimised; EVERY_FUNCTION: compiled anew */
    char *list;               /* of struct artefact; NULL: all */
};

struct compilation;

struct deployer {
    struct deployer_options options;
    struct deployment *deployments;
    struct compilation *compilations; /* in order of arrival */
    size_t deployment_count;
    size_t running_count;
    bool is_optimising; /* one of the running ones is an optimisation */
};

void deployment_free(struct deployment *deployment);
DEFINE_AUTO(deployment, deployment_free)
MUST_CHECK bool deployment_new(struct deployment **deployment, struct deployer *deployer,
                               struct bytes canonical, struct error *error);
/* Takes the deployment over when it can begin. */
MUST_CHECK bool deployment_begin(struct deployment **begun, struct error *error);
/* The image that is kept, and its report (may be NULL). */
MUST_CHECK bool image_get(struct deployer *deployer, const struct artefact *artefact,
                          struct function_image *image, json_t **report);

#endif
