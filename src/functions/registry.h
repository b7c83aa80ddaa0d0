/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: which applications this node has, all their versions, which of them are served, and
 * which image each function's module compiled to.
 *
 * Every deployment is an immutable numbered version under the digest of what it is made of.  One
 * head record per application lists its versions and says which are served: one, or a second one
 * (the canary) with some percent of the requests.  It is replaced by compare-and-swap together with
 * the versions' records and the entry of the audit log, so a change that was acknowledged is there
 * after any crash, and one that was not leaves no trace.  What is deleted stays for the retention
 * time and can be restored; then sweeping removes it with the blobs that no version names.
 *
 * All heads and the versions served are kept in memory; lookups of what is served touch no disk.
 * Owns the records `applications/`, `versions/`, `images/` and `uses/` of the node's space.  One
 * thread. */
#ifndef FUNCTIONS_REGISTRY_H
#define FUNCTIONS_REGISTRY_H

#include "functions/application.h"
#include "functions/audit.h"
#include "functions/quota.h"
#include "store/store.h"

struct registry;

struct registry_options {
    struct store *store;   /* must outlive the registry */
    struct audit *audit;   /* NULL: changes are not logged */
    struct quotas *quotas; /* NULL: none */
    int64_t retention_s;   /* that deleted versions and applications are kept; 0:
                              not at all */
    /* Before an application goes for good: removes what it has elsewhere.  On
     * false it stays, and the next sweep tries again; so what is removed already
     * is no error.  NULL: nothing is elsewhere. */
    bool (*forget)(void *context, const char *application, const struct digest32 *owner,
                   struct error *error);
    void *context;
};
/* Reads all applications.  CORRUPT names the record. */
MUST_CHECK bool registry_open(struct registry **registry, const struct registry_options *options,
                              struct error *error);
void registry_free(struct registry *registry);
DEFINE_AUTO(registry, registry_free)

/* --- what there is --- */

/* A version as the head lists it. */
struct version_row {
    uint64_t number;
    char version[VERSION_SIZE_MAX + 1]; /* as the manifest calls it */
    struct digest32 digest;
    int64_t created_s;
    int64_t deleted_s; /* 0: it is not */
    uint64_t size;     /* of its artefacts */
    bool is_released;  /* it has the signatures that it needs */
};

/* An application in memory; borrowed until the next change. */
struct registry_entry {
    char name[NAME_SIZE_MAX + 1];
    struct digest32 owner;
    struct application *served;   /* NULL: nothing is (deleted, or no version is released yet) */
    struct application *canary;   /* NULL: none */
    unsigned weight;              /* percent of the requests that the canary answers */
    uint64_t previous;            /* number of the version served before; 0: none */
    uint64_t last;                /* highest number ever given */
    int64_t deleted_s;            /* 0: it is not */
    struct version_row *versions; /* ascending numbers */
    size_t version_count;
    uint64_t revision; /* of the head */
};

/* Deleted ones included. */
const struct registry_entry *registry_entry_find(const struct registry *registry, const char *name);
size_t registry_count(const struct registry *registry);
/* By ascending name. */
const struct registry_entry *registry_at(const struct registry *registry, size_t index);
/* NULL: no such version, or it was swept. */
const struct version_row *registry_row(const struct registry_entry *entry, uint64_t number);

/* The version that answers most requests; borrowed until the next change (hold it to keep it).
 * NULL: unknown, or nothing is served. */
struct application *registry_find(const struct registry *registry, const char *name);
/* Whether requests may go to it. */
bool registry_is_served(const struct registry *registry, const struct application *application);
/* Percent of the requests that this version answers now. */
unsigned registry_weight(const struct registry_entry *entry, uint64_t number);
/* A version that is not deleted, from memory or from the store; the caller releases it. */
MUST_CHECK bool registry_version_get(struct registry *registry, const char *name, uint64_t number,
                                     struct application **application, struct error *error);
/* The same with deleted ones, and its verification reports (object by function, or NULL). */
MUST_CHECK bool registry_version_show(struct registry *registry, const char *name, uint64_t number,
                                      struct application **application, json_t **reports,
                                      struct error *error);

/* --- changes: each is logged, and DENIED unless change->owner has the application --- */

/* A free name is anybody's. */
MUST_CHECK bool registry_may_change(const struct registry *registry, const char *name,
                                    const struct digest32 *owner, struct error *error);
struct registry_outcome {
    struct application *application; /* the version that was put; the caller releases it */
    bool replaced;                   /* the name was known */
    bool is_served;                  /* it answers requests now */
};
/* Stores a version and, when it is released, serves it with its weight.  Putting one that is there
 * already adds the signatures that are new and serves it; nothing else changes.  LIMIT. */
MUST_CHECK bool registry_put(struct registry *registry, const struct registry_version *version,
                             const struct change *change, struct registry_outcome *outcome,
                             struct error *error);
/* Serves a version that is released with `weight` percent of the requests: 100 replaces what is
 * served, less makes it the canary, 0 ends the canary. */
MUST_CHECK bool registry_rollout(struct registry *registry, const char *name, uint64_t number,
                                 unsigned weight, const struct change *change, struct error *error);
/* Ends the canary if there is one; otherwise serves `number`, or with 0 what was served before. */
MUST_CHECK bool registry_rollback(struct registry *registry, const char *name, uint64_t number,
                                  const struct change *change, struct error *error);
/* Adds a signature; serves the version as it was deployed when that completes it and no later one
 * was served meanwhile.  *is_complete: it is released now. */
MUST_CHECK bool registry_sign(struct registry *registry, const char *name, uint64_t number,
                              const struct version_signer *signer, const struct change *change,
                              bool *is_complete, struct error *error);
/* CONFLICT while it is served. */
MUST_CHECK bool registry_version_delete(struct registry *registry, const char *name,
                                        uint64_t number, const struct change *change,
                                        struct error *error);
MUST_CHECK bool registry_version_restore(struct registry *registry, const char *name,
                                         uint64_t number, const struct change *change,
                                         struct error *error);
/* The application with all its versions.  `at_once`: not kept for the retention time. */
MUST_CHECK bool registry_delete(struct registry *registry, const char *name, bool at_once,
                                const struct change *change, struct error *error);
MUST_CHECK bool registry_restore(struct registry *registry, const char *name,
                                 const struct change *change, struct error *error);
/* Removes what was deleted longer ago than the retention time, and blobs that nobody needs.  Does a
 * little at a time: call it once in a while. */
MUST_CHECK bool registry_sweep(struct registry *registry, int64_t now_s, struct error *error);

/* --- images --- */

/* Another compiler or tier made these of a version's modules; *changed has them (the caller
 * releases it).  It is served where the one before was. */
MUST_CHECK bool registry_images_set(struct registry *registry, struct application *application,
                                    const struct function_image *images, int64_t now_s,
                                    struct application **changed, struct error *error);
/* The image that `compiler` made of a module, with the module's report (may be NULL); false with
 * NOT_FOUND when it has not yet. */
MUST_CHECK bool registry_image_get(struct registry *registry, const struct digest32 *code,
                                   const char *compiler, struct function_image *image,
                                   json_t **report, struct error *error);
/* Whether `compiler` has been at this module, also when what it made has gone since: nothing used
 * it any more. */
bool registry_image_was_made(struct registry *registry, const struct digest32 *code,
                             const char *compiler);
MUST_CHECK bool registry_image_put(struct registry *registry, const struct digest32 *code,
                                   const char *compiler, const struct function_image *image,
                                   const json_t *report, struct error *error);
/* A blob came from outside: unless a version names it within UPLOAD_AGE_S it is swept.  LIMIT. */
MUST_CHECK bool registry_upload(struct registry *registry, const struct digest32 *blob,
                                uint64_t size, const struct digest32 *owner, int64_t now_s,
                                struct error *error);

#endif
