/* SPDX-License-Identifier: Apache-2.0 */
/* One version of an application, and its record in the store.
 *
 * What a version *is* never changes: its manifest, and with it the digests of all that it is made
 * of.  Beside that its record holds who signed it, what was found out about it, and the images that
 * its modules were compiled to.  Kept alive by references. */
#ifndef FUNCTIONS_APPLICATION_H
#define FUNCTIONS_APPLICATION_H

#include "base/json.h"
#include "functions/limits.h"
#include "functions/manifest.h"
#include "functions/pace.h"
#include "keys/release.h"

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
json_t *function_image_tree(const struct function_image *image);
MUST_CHECK bool function_image_of_tree(struct function_image *image, const json_t *tree,
                                       struct error *error);

/* Somebody's signature under a version, with the key that makes it checkable anywhere. */
struct version_signer {
    struct ecdsa_public key;
    char text[RELEASE_TEXT_SIZE_MAX + 1]; /* keys/release.h */
};

struct application {
    unsigned references;
    struct application **live; /* the registry's list of those that are alive; NULL: in none */
    struct application *next;  /* in that list */
    bool is_current;           /* no other object has this version's present images */
    struct digest32 owner;
    uint64_t version_number; /* counts the application's versions from 1 */
    int64_t deployed_s;
    char author[ACTOR_SIZE_MAX + 1]; /* who deployed it: struct change */
    unsigned wanted_weight;          /* percent of the requests, once it is released */
    uint64_t size;                   /* of its artefacts */
    struct manifest *manifest;
    struct digest32 manifest_digest;
    struct digest32 version_digest;
    struct version_signer signers[RELEASE_SIGNER_COUNT_MAX];
    struct digest32 signer_ids[RELEASE_SIGNER_COUNT_MAX]; /* of their keys */
    size_t signer_count;
    bool is_verified;              /* application_verify held for the signatures there are */
    struct function_image *images; /* one per function of the manifest */
    struct pace pace;              /* of its use, since it was read */
};

struct application *application_hold(struct application *application);
void application_release(struct application *application);
DEFINE_AUTO(application, application_release)

/* Signatures that it needs. */
unsigned application_threshold(const struct application *application);
/* Whether it has them; when it was made without (an older S3N), it needs none. */
bool application_is_released(const struct application *application);
/* Whether the manifest, when it says who must sign, lets this key. */
bool application_may_sign(const struct application *application, const struct ecdsa_public *key);
/* Digests, signatures and threshold, from the bytes up; once for each object.  UNVERIFIED. */
MUST_CHECK bool application_verify(struct application *application, struct error *error);
/* Appends a signature that was checked. */
void application_add_signer(struct application *application, const struct version_signer *signer);

/* What a new version is made of. */
struct registry_version {
    struct bytes canonical; /* the manifest */
    struct digest32 owner;
    const char *author;
    const struct function_image *images; /* one per function, in the manifest's order */
    const json_t *reports;               /* object by function; NULL: none */
    const struct version_signer *signers;
    size_t signer_count;
    unsigned weight; /* percent of the requests, once it is released */
    uint64_t size;
    int64_t now_s;
};
/* The record's JSON. */
MUST_CHECK bool version_write(struct buffer *text, const struct registry_version *version,
                              size_t function_count, struct error *error);
/* A new application (one reference, the caller's) from its record.  `reports` (may be NULL) gets
 * the record's verification reports, or NULL. */
MUST_CHECK bool version_read(struct application **application, json_t **reports, uint64_t number,
                             struct bytes text, struct error *error);
/* As a member of a version's record. */
json_t *version_images_tree(const struct function_image *images, size_t count);
json_t *version_signers_tree(const struct version_signer *signers, size_t count);

#endif
