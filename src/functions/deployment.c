/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/image.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/artefact.h"
#include "functions/deployment_state.h"
#include "functions/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One module being compiled, for however many functions wait for it. */
struct compilation {
    struct deployer *deployer; /* NULL: the deployer is gone, nobody waits */
    char *list;                /* of the artefact */
    bool running;
    struct artefact artefact;
    uint64_t code_size;
    uint64_t start_ns;
    struct compilation *next;
};

/* What the deployment's function i is compiled as. */
static struct artefact deployment_artefact(const struct deployment *deployment, size_t i)
{
    struct artefact artefact = artefact_of(&deployment->manifest->functions[i]);
    if (deployment->base == NULL || deployment->function != i)
        return artefact;
    artefact.flags |= COMPILE_OPTIMISED;
    artefact.functions = deployment->list;
    return artefact;
}

bool image_get(struct deployer *deployer, const struct artefact *artefact,
               struct function_image *image, json_t **report)
{
    char key[COMPILER_KEY_SIZE];
    struct error absent;
    compiler_key(key, deployer->options.compiler, artefact);
    return registry_image_get(deployer->options.registry, &artefact->code, key, image, report,
                              &absent);
}

/* Takes the reference over. */
static void report_set(struct deployment *deployment, size_t function, json_t *report)
{
    if (report != NULL)
        json_object_set_new(deployment->reports, deployment->manifest->functions[function].name,
                            report);
}

static void compilation_free(struct compilation *compilation)
{
    free(compilation->list);
    free(compilation);
}

void deployment_free(struct deployment *deployment)
{
    if (deployment == NULL)
        return;
    trial_cancel(deployment->trial);
    application_release(deployment->base);
    free(deployment->list);
    manifest_free(deployment->manifest);
    buffer_done(&deployment->canonical);
    free(deployment->images);
    free(deployment->has_image);
    json_decref(deployment->reports);
    free(deployment);
}

bool deployer_new(struct deployer **deployer, const struct deployer_options *options,
                  struct error *error)
{
    struct deployer *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for deployments");
    made->options = *options;
    *deployer = made;
    return true;
}

void deployer_free(struct deployer *deployer)
{
    if (deployer == NULL)
        return;
    while (deployer->deployments != NULL) {
        struct deployment *deployment = deployer->deployments;
        deployer->deployments = deployment->next;
        deployment_free(deployment);
    }
    while (deployer->compilations != NULL) {
        struct compilation *compilation = deployer->compilations;
        deployer->compilations = compilation->next;
        compilation->deployer = NULL;
        if (!compilation->running)
            compilation_free(compilation);
    }
    free(deployer);
}

size_t deployer_count(const struct deployer *deployer)
{
    return deployer->deployment_count;
}

static void deployment_unlink(struct deployment *deployment)
{
    struct deployer *deployer = deployment->deployer;
    for (struct deployment **at = &deployer->deployments; *at != NULL; at = &(*at)->next) {
        if (*at == deployment) {
            *at = deployment->next;
            deployer->deployment_count--;
            return;
        }
    }
}

static void deployment_fail(struct deployment *deployment, const struct error *error)
{
    deployment_unlink(deployment);
    deployment->done(deployment->context, NULL, error);
    deployment_free(deployment);
}

/* Whether each function's image can be entered as the manifest says. */
static bool entries_check(const struct deployment *deployment, struct error *error)
{
    static const enum image_abi abis[FUNCTION_ABI_COUNT] = {
        [FUNCTION_ABI_COMMAND] = IMAGE_ABI_COMMAND,
        [FUNCTION_ABI_CGI] = IMAGE_ABI_CGI,
        [FUNCTION_ABI_REACTOR] = IMAGE_ABI_REACTOR,
    };
    const struct manifest *manifest = deployment->manifest;
    for (size_t i = 0; i < manifest->function_count; i++) {
        const struct manifest_function *function = &manifest->functions[i];
        const struct function_image *image = &deployment->images[i];
        struct image_header header = { .flags = image->flags, .abi = image->abi };
        enum image_abi wanted = abis[function->abi], chosen;
        const char *reason;
        if (function->is_reused &&
            (function->abi != FUNCTION_ABI_REACTOR || function->kind == FUNCTION_NATIVE))
            return error_set(error, ERROR_INVALID,
                             "function %s: `reuse = \"instance\"` is for reactors of WebAssembly",
                             function->name);
        if (function->kind == FUNCTION_NATIVE && function->abi == FUNCTION_ABI_REACTOR)
            wanted = IMAGE_ABI_NATIVE;
        if (image_choose_abi(&header, wanted, &chosen, &reason))
            continue;
        return error_set(error, ERROR_INVALID,
                         "function %s is of abi %s, but %s (`s3n inspect` says what it has)",
                         function->name, image_abi_name(wanted), reason);
    }
    return true;
}

static bool images_replace(struct deployment *deployment, struct registry_outcome *outcome,
                           struct error *error)
{
    struct registry *registry = deployment->deployer->options.registry;
    return registry_images_set(registry, deployment->base, deployment->images,
                               deployment->change.now_s, &outcome->application, error);
}

static bool version_put(struct deployment *deployment, struct registry_outcome *outcome,
                        struct error *error)
{
    struct deployer *deployer = deployment->deployer;
    struct registry_version version = {
        .canonical = buffer_view(&deployment->canonical),
        .owner = deployment->change.owner,
        .author = deployment->actor,
        .images = deployment->images,
        .reports = deployment->reports,
        .signers = deployment->signers,
        .signer_count = deployment->signer_count,
        .weight = deployment->weight,
        .size = deployment->size,
        .now_s = deployment->change.now_s,
    };
    return admission_check_version(deployer->options.policy, deployment->manifest,
                                   deployment->images, deployment->reports, error) &&
           registry_put(deployer->options.registry, &version, &deployment->change, outcome, error);
}

static void deployment_register(struct deployment *deployment)
{
    struct deployer *deployer = deployment->deployer;
    struct registry_outcome outcome = { 0 };
    struct error error;
    deployment->change.now_s = (int64_t)(clock_realtime_ns(deployer->options.clock) / 1000000000);
    deployment->change.actor = deployment->actor;
    bool registered = deployment->base != NULL ? images_replace(deployment, &outcome, &error)
                                               : version_put(deployment, &outcome, &error);
    if (!registered) {
        deployment_fail(deployment, &error);
        return;
    }
    struct deployment_result result = { outcome.application, outcome.replaced, outcome.is_served };
    deployment_unlink(deployment);
    deployment->done(deployment->context, &result, NULL);
    application_release(outcome.application);
    deployment_free(deployment);
}

static void on_trial(void *context, const struct error *error)
{
    struct deployment *deployment = context;
    deployment->trial = NULL;
    if (error != NULL)
        deployment_fail(deployment, error);
    else
        deployment_register(deployment);
}

/* That they will be loaded: before a trial, and before the first invocation. */
static bool loads_record(const struct deployment *deployment, struct error *error)
{
    const struct load_recorder *loads = &deployment->deployer->options.loads;
    struct digest32 manifest = sha256_of(buffer_view(&deployment->canonical));
    for (size_t i = 0; i < deployment->manifest->function_count; i++) {
        if (!loading_record(loads, deployment->manifest, &manifest, i, &deployment->images[i],
                            error))
            return false;
    }
    return true;
}

/* Every image is there: checks what they can be entered by, and lets those that initialise
 * themselves do it once. */
static void deployment_finish(struct deployment *deployment)
{
    struct deployer *deployer = deployment->deployer;
    struct error error;
    bool waits = false;
    if (!entries_check(deployment, &error) || !loads_record(deployment, &error) ||
        (deployer->options.trier != NULL &&
         !trial_start(&deployment->trial, deployer->options.trier, deployment->manifest,
                      deployment->images, on_trial, deployment, &waits, &error)))
        deployment_fail(deployment, &error);
    else if (!waits)
        deployment_register(deployment);
}

static bool is_optimisation(const struct compilation *compilation)
{
    return (compilation->artefact.flags & COMPILE_OPTIMISED) != 0;
}

static void compilation_unlink(struct compilation *compilation)
{
    struct deployer *deployer = compilation->deployer;
    for (struct compilation **at = &deployer->compilations; *at != NULL; at = &(*at)->next) {
        if (*at == compilation) {
            *at = compilation->next;
            return;
        }
    }
}

/* Gives an image, or the reason why there is none, to every deployment that waits for the module.
 * A deployment's callback may start another, so the list is searched anew after each. */
static void artefact_settled(struct deployer *deployer, const struct artefact *artefact,
                             const struct function_image *image, json_t *report,
                             const struct error *error)
{
    struct deployment *at = deployer->deployments;
    while (at != NULL) {
        bool touched = false;
        const char *function_name = "";
        for (size_t i = 0; i < at->manifest->function_count; i++) {
            struct artefact own = deployment_artefact(at, i);
            if (at->has_image[i] || !artefact_equal(&own, artefact))
                continue;
            touched = true;
            function_name = at->manifest->functions[i].name;
            if (image == NULL)
                break;
            at->images[i] = *image;
            report_set(at, i, json_incref(report));
            at->has_image[i] = true;
            at->missing--;
        }
        if (touched && image == NULL) {
            struct error reason = *error;
            error_within(&reason, "function %s", function_name);
            deployment_fail(at, &reason);
            at = deployer->deployments;
        } else if (touched && at->missing == 0) {
            deployment_finish(at);
            at = deployer->deployments;
        } else {
            at = at->next;
        }
    }
}

/* Checks what the compiler wrote and keeps it. */
static bool image_keep(struct deployer *deployer, const struct compilation *compilation,
                       int descriptor, const json_t *report, struct function_image *image,
                       struct error *error)
{
    struct bytes content = { 0 };
    if (!file_map(&content, descriptor, error))
        return error_within(error, "image");
    struct image parsed;
    const char *reason;
    bool kept = false;
    if (content.size > IMAGE_SIZE_MAX) {
        error_set(error, ERROR_LIMIT, "the image has %zu bytes, at most %d are allowed",
                  content.size, IMAGE_SIZE_MAX);
    } else if (!image_parse(&parsed, content, &reason)) {
        error_set(error, ERROR_CORRUPT, "the compiler's image is not valid: %s", reason);
    } else {
        uint64_t now_ns = clock_monotonic_ns(deployer->options.clock);
        char key[COMPILER_KEY_SIZE];
        compiler_key(key, deployer->options.compiler, &compilation->artefact);
        *image = (struct function_image){
            .image = sha256_of(content),
            .image_size = content.size,
            .code_size = compilation->code_size,
            .compile_us = (now_ns - compilation->start_ns) / 1000,
            .flags = parsed.header.flags |
                     (is_optimisation(compilation) ? (uint32_t)FUNCTION_IMAGE_OPTIMISED : 0u),
            .abi = parsed.header.abi,
        };
        kept = blobs_put(deployer->options.blobs, &image->image, content, error) &&
               registry_image_put(deployer->options.registry, &compilation->artefact.code, key,
                                  image, report, error);
    }
    file_unmap(&content);
    return kept;
}

static void compilations_run(struct deployer *deployer);

/* The compiler's words are outside text; what is no report is none. */
static json_t *report_parse(struct bytes text)
{
    json_t *report = NULL;
    struct error malformed;
    if (text.size == 0 || !json_parse(&report, text, &malformed))
        return NULL;
    if (json_is_object(report))
        return report;
    json_decref(report);
    return NULL;
}

static void compilation_done(void *context, int descriptor, struct bytes text,
                             const struct error *error)
{
    struct compilation *compilation = context;
    struct deployer *deployer = compilation->deployer;
    if (deployer != NULL) {
        struct error own;
        struct function_image image;
        AUTO_JSON json_t *report = report_parse(text);
        bool kept = false;
        if (descriptor >= 0) {
            kept = image_keep(deployer, compilation, descriptor, report, &image, &own);
            error = &own;
        }
        compilation_unlink(compilation);
        if (is_optimisation(compilation))
            deployer->is_optimising = false;
        else
            deployer->running_count--;
        artefact_settled(deployer, &compilation->artefact, kept ? &image : NULL, report, error);
        compilations_run(deployer);
    }
    file_close(&descriptor);
    compilation_free(compilation);
}

static bool compilation_run(struct compilation *compilation, struct error *error)
{
    struct deployer *deployer = compilation->deployer;
    const struct compiler *compiler = deployer->options.compiler;
    int module = -1;
    if (!blobs_open(deployer->options.blobs, &compilation->artefact.code, &module, error))
        return error_within(error, "module %.12s", hex_of_digest(&compilation->artefact.code).text);
    compilation->start_ns = clock_monotonic_ns(deployer->options.clock);
    if (!compiler->start(compiler->context, module, &compilation->artefact, compilation_done,
                         compilation, error))
        return false;
    compilation->running = true;
    if (is_optimisation(compilation))
        deployer->is_optimising = true;
    else
        deployer->running_count++;
    return true;
}

/* An optimisation takes long: one at a time, and never in the way of a deployment. */
static bool may_run(const struct deployer *deployer, const struct compilation *compilation)
{
    if (compilation->running)
        return false;
    return is_optimisation(compilation) ? !deployer->is_optimising
                                        : deployer->running_count < COMPILATION_COUNT_MAX;
}

/* Starts as many as may run at once. */
static void compilations_run(struct deployer *deployer)
{
    struct compilation *at = deployer->compilations;
    while (at != NULL) {
        struct error error;
        if (!may_run(deployer, at) || compilation_run(at, &error)) {
            at = at->next;
            continue;
        }
        compilation_unlink(at);
        artefact_settled(deployer, &at->artefact, NULL, NULL, &error);
        compilation_free(at);
        at = deployer->compilations;
    }
}

static bool compilation_add(struct deployer *deployer, const struct artefact *artefact,
                            uint64_t size, struct error *error)
{
    struct compilation **at = &deployer->compilations;
    for (; *at != NULL; at = &(*at)->next) {
        if (artefact_equal(&(*at)->artefact, artefact))
            return true;
    }
    struct compilation *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a compilation");
    *made = (struct compilation){ .deployer = deployer, .artefact = *artefact, .code_size = size };
    if (artefact->functions != NULL) {
        made->artefact.functions = made->list = strdup(artefact->functions);
        if (made->list == NULL) {
            free(made);
            return error_set(error, ERROR_NO_MEMORY, "no memory for a compilation");
        }
    }
    *at = made;
    return true;
}

bool deployment_new(struct deployment **deployment, struct deployer *deployer,
                    struct bytes canonical, struct error *error)
{
    AUTO(deployment) struct deployment *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a deployment");
    made->deployer = deployer;
    buffer_init(&made->canonical, MANIFEST_SIZE_MAX);
    buffer_append(&made->canonical, canonical);
    if (!manifest_parse(&made->manifest, canonical, error))
        return false;
    made->missing = made->manifest->function_count;
    made->images = calloc(made->missing, sizeof(*made->images));
    made->has_image = calloc(made->missing, sizeof(*made->has_image));
    made->reports = json_object();
    made->weight = 100;
    if (made->images == NULL || made->has_image == NULL || made->reports == NULL ||
        made->canonical.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a deployment");
    *deployment = TAKE(made);
    return true;
}

/* What an optimisation does not touch. */
static bool is_kept(const struct deployment *deployment, size_t i)
{
    return deployment->base != NULL && deployment->function != EVERY_FUNCTION &&
           deployment->function != i;
}

/* Takes the deployment over when it can begin. */
bool deployment_begin(struct deployment **begun, struct error *error)
{
    struct deployment *made = *begun;
    struct deployer *deployer = made->deployer;
    uint64_t sizes[MANIFEST_FUNCTION_COUNT_MAX];
    const struct manifest *manifest = made->manifest;
    for (size_t i = 0; i < manifest->function_count; i++) {
        uint64_t archive_size = 0;
        json_t *report = NULL;
        if (!uploads_check(deployer->options.store, deployer->options.blobs,
                           &manifest->functions[i], &sizes[i], &archive_size, error))
            return false;
        made->size += sizes[i] + archive_size;
        struct artefact artefact = deployment_artefact(made, i);
        made->images[i] = is_kept(made, i) ? made->base->images[i] : made->images[i];
        made->has_image[i] =
            is_kept(made, i) || image_get(deployer, &artefact, &made->images[i], &report);
        report_set(made, i, report);
        made->missing -= made->has_image[i];
    }
    for (size_t i = 0; i < manifest->function_count; i++) {
        struct artefact artefact = deployment_artefact(made, i);
        if (!made->has_image[i] && !compilation_add(deployer, &artefact, sizes[i], error))
            return false;
    }
    struct deployment *deployment = TAKE(*begun);
    deployment->next = deployer->deployments;
    deployer->deployments = deployment;
    deployer->deployment_count++;
    if (deployment->missing == 0)
        deployment_finish(deployment);
    else
        compilations_run(deployer);
    return true;
}
