/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: which applications this node has, which version of each is served, and which image
 * each function's module compiled to.
 *
 * Every deployment is an immutable numbered version; one record per application says which is
 * served, replaced by compare-and-swap together with the new version's record, so a deployment that
 * was acknowledged is there after any crash, and one that was not leaves no trace.  All
 * applications are also kept in memory; lookups touch no disk.  Owns the records `applications/`,
 * `versions/` and `images/` of the node's space.  One thread. */
#ifndef FUNCTIONS_REGISTRY_H
#define FUNCTIONS_REGISTRY_H

#include "functions/manifest.h"
#include "functions/pace.h"
#include "store/store.h"

enum {
    FUNCTION_IMAGE_OPTIMISED = 1 << 30 /* with the image's own flags: the optimiser was at it */
};

/* What a function's module became. */
struct function_image {
    struct digest32 image; /* blob with the image */
    uint64_t image_size;
    uint64_t code_size; /* of the module */
    uint64_t compile_us;
    uint32_t flags; /* of the image's header: how it can be entered */
    uint32_t abi;   /* what the module itself says, enum image_abi */
};

/* One version of an application; immutable, kept alive by references. */
struct application {
    unsigned references;
    struct digest32 owner;
    uint64_t version_number; /* 1 for the first deployment, then counting */
    int64_t deployed_s;
    struct manifest *manifest;
    struct digest32 manifest_digest;
    struct function_image *images; /* one per function of the manifest */
    struct pace pace;              /* of its use, since it was read */
};

struct application *application_hold(struct application *application);
void application_release(struct application *application);
DEFINE_AUTO(application, application_release)

struct registry;

/* Reads all applications; the store must outlive the registry.  CORRUPT names the record. */
MUST_CHECK bool registry_open(struct registry **registry, struct store *store, struct error *error);
void registry_free(struct registry *registry);
DEFINE_AUTO(registry, registry_free)

/* The version served; borrowed until the next change (hold it to keep it).  NULL: unknown. */
struct application *registry_find(const struct registry *registry, const char *name);
size_t registry_count(const struct registry *registry);
/* By ascending name. */
struct application *registry_at(const struct registry *registry, size_t index);

/* What a new version is made of. */
struct registry_version {
    struct bytes canonical; /* the manifest */
    struct digest32 owner;
    const struct function_image *images; /* one per function, in the manifest's order */
    int64_t now_s;
};
/* Stores and serves a new version.  *application is borrowed; *replaced tells whether the name was
 * known.  Deploying what is served already changes nothing.  DENIED when another owner has the
 * name. */
MUST_CHECK bool registry_put(struct registry *registry, const struct registry_version *version,
                             struct application **application, bool *replaced, struct error *error);
/* DENIED unless `owner` may change the application; a free name is anybody's. */
MUST_CHECK bool registry_may_change(const struct registry *registry, const char *name,
                                    const struct digest32 *owner, struct error *error);
/* Forgets the application, its versions, and blobs that no other application uses. */
MUST_CHECK bool registry_delete(struct registry *registry, const char *name,
                                const struct digest32 *owner, struct error *error);

/* The image that `compiler` made of a module; false with NOT_FOUND when it has not yet. */
MUST_CHECK bool registry_image_get(struct registry *registry, const struct digest32 *code,
                                   const char *compiler, struct function_image *image,
                                   struct error *error);
MUST_CHECK bool registry_image_put(struct registry *registry, const struct digest32 *code,
                                   const char *compiler, const struct function_image *image,
                                   struct error *error);

#endif
