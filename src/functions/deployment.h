/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments: from a manifest whose modules were uploaded to a version that is served.
 *
 * Checks that every module is there, compiles those that have no image yet (a few at once, the rest
 * wait), stores the images, checks that each can be entered as the manifest says, has what they
 * initialise done once (trial.h), then registers the version in one step.  Asynchronous: nothing
 * here waits for a compiler, and `done` comes from the loop.  A failure leaves the version served
 * before as it was; images already made stay cached.  Compilations of the same module are made
 * once. Owns the deployments under way.  One thread. */
#ifndef FUNCTIONS_DEPLOYMENT_H
#define FUNCTIONS_DEPLOYMENT_H

#include "base/clock.h"
#include "functions/admission.h"
#include "functions/blobs.h"
#include "functions/compiler.h"
#include "functions/loading.h"
#include "functions/registry.h"

struct deployer;
struct trier;

struct deployer_options {
    struct registry *registry;
    struct store *store;
    struct blobs *blobs; /* of that store */
    const struct compiler *compiler;
    const struct clock *clock;
    const struct trier *trier; /* NULL: nothing is tried */
    struct load_recorder loads;
    const struct admission *policy; /* NULL: everything is allowed */
};

MUST_CHECK bool deployer_new(struct deployer **deployer, const struct deployer_options *options,
                             struct error *error);
/* Deployments under way are forgotten without a call. */
void deployer_free(struct deployer *deployer);
DEFINE_AUTO(deployer, deployer_free)

struct deployment_result {
    struct application *application; /* borrowed for the call */
    bool replaced;                   /* the name was known before */
    bool is_served;                  /* it answers requests; false: it waits for signatures, or was
                                        wanted without any */
};
/* `result` NULL: it failed with `error`. */
typedef void deployment_done(void *context, const struct deployment_result *result,
                             const struct error *error);

struct deployment_request {
    const char *name;       /* of the application */
    struct bytes canonical; /* the manifest; copied */
    struct change change;   /* who deploys; `actor` is copied */
    const struct version_signer *signers;
    size_t signer_count;
    unsigned weight; /* percent of the requests that the version shall answer; below 100 beside the
                        one that is served */
};
/* Starts deploying.  Errors that show at once come back here (INVALID, DENIED, UNVERIFIED: a wrong
 * signature, NOT_FOUND naming the module that was not uploaded, LIMIT, BUSY) and `done` is
 * not called; it may be called before this returns when everything was compiled before. */
MUST_CHECK bool deployment_start(struct deployer *deployer,
                                 const struct deployment_request *request, deployment_done *done,
                                 void *context, struct error *error);
/* Compiles anew what another compiler made: after an update of S3N the images of the one before may
 * not run any more.  The version stays the same; *started is false when there is nothing to do. */
MUST_CHECK bool deployment_refresh(struct deployer *deployer, struct application *application,
                                   deployment_done *done, void *context, bool *started,
                                   struct error *error);
/* Has a function of a version that is served compiled by the optimiser, in the background, and then
 * serves the same version with that image.  Unlike images that other functions have stay as they
 * are.  CONFLICT when the application was deployed anew meanwhile. */
struct deployment_optimisation {
    struct application *application;
    size_t function;
    const char *functions; /* of its module, as "3,7-9"; NULL: all */
};
MUST_CHECK bool deployment_optimise(struct deployer *deployer,
                                    const struct deployment_optimisation *wanted,
                                    deployment_done *done, void *context, struct error *error);
size_t deployer_count(const struct deployer *deployer);

#endif
