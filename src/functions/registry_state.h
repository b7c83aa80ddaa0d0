/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's inside, for its own files only: registry.c (memory and heads), registry_change.c
 * (what owners change), registry_blob.c (which blobs are needed), registry_sweep.c. */
#ifndef FUNCTIONS_REGISTRY_STATE_H
#define FUNCTIONS_REGISTRY_STATE_H

#include "functions/registry.h"

/* An image that was replaced; its worker may not have loaded it yet. */
struct garbage {
    struct digest32 blob;
    char name[NAME_SIZE_MAX + 1];
    uint64_t number;
    int64_t since_s;
};

struct registry {
    struct registry_options options;
    struct registry_entry *entries; /* ascending names */
    size_t count;
    struct application *live; /* every version in memory */
    struct garbage garbage[GARBAGE_COUNT_MAX];
    size_t garbage_count;
    char upload_after[BATCH_KEY_SIZE]; /* where sweeping goes on */
};

struct record_name {
    char text[BATCH_KEY_SIZE];
};
struct record_name version_record(const char *name, uint64_t number);
struct record_name application_record(const char *name);
static inline struct store_key record_key(const struct record_name *name)
{
    return (struct store_key){ STORE_SPACE_NODE, name->text };
}

/* Index of the name, or where it would stand. */
size_t entry_index(const struct registry *registry, const char *name, bool *found);
struct registry_entry *entry_find(struct registry *registry, const char *name);

/* A changed copy of an entry, until it is written. */
struct draft {
    struct registry_entry entry;
    bool is_new, is_gone;
};
MUST_CHECK bool draft_begin(struct draft *draft, const struct registry_entry *entry,
                            struct error *error);
MUST_CHECK bool draft_new(struct draft *draft, const char *name, const struct digest32 *owner,
                          struct error *error);
void draft_done(struct draft *draft);
#define AUTO_DRAFT __attribute__((cleanup(draft_done)))
struct version_row *draft_row(struct draft *draft, uint64_t number);
struct version_row *draft_add_row(struct draft *draft);
void draft_remove_row(struct draft *draft, uint64_t number);
/* CONFLICT when it can't be. */
MUST_CHECK bool draft_serve(struct draft *draft, struct application *application, unsigned weight,
                            struct error *error);
void draft_serve_none(struct draft *draft);
/* Writes the head and the log's entry with the batch, and puts the draft in the entry's place. */
MUST_CHECK bool draft_apply(struct draft *draft, struct registry *registry, struct batch *batch,
                            const struct change *change, const struct audit_event *event,
                            struct error *error);

/* A version of a name in memory or from the store (deleted or not), held. */
MUST_CHECK bool version_load(struct registry *registry, const char *name, uint64_t number,
                             struct application **application, struct error *error);
void live_add(struct registry *registry, struct application *application);
/* The record as a tree, to write it again with one member set (a reference is taken over). */
MUST_CHECK bool version_rewrite(struct registry *registry, struct batch *batch, const char *name,
                                uint64_t number, const char *member, json_t *value,
                                struct error *error);

/* registry_blob.c.  The blobs that a version needs: its artefacts and images. */
struct blob_list {
    struct digest32 blobs[3 * MANIFEST_FUNCTION_COUNT_MAX];
    size_t count;
};
void blob_list_of(struct blob_list *list, const struct manifest *manifest,
                  const struct function_image *images);
/* Notes that the version needs them, so that they stay.  Before the version is written. */
MUST_CHECK bool blobs_mark(struct registry *registry, const struct blob_list *list,
                           const char *name, uint64_t number, struct error *error);
/* It needs them no more; what nobody needs is deleted.  What a failure leaves behind is only space
 * on the disk. */
void blobs_unmark(struct registry *registry, const struct blob_list *list, const char *name,
                  uint64_t number);
void replaced_image_add(struct registry *registry, const struct digest32 *blob, const char *name,
                        uint64_t number, int64_t now_s);
struct quota_use registry_use(const struct registry *registry, const struct digest32 *owner);
/* registry_sweep.c */
MUST_CHECK bool version_purge(struct registry *registry, const char *name, uint64_t number,
                              const struct change *change, struct error *error);

#endif
