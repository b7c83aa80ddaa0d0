/* SPDX-License-Identifier: Apache-2.0 */
/* What owners change: versions put, served, signed, deleted, restored. */
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/registry_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct object_text {
    char text[NAME_SIZE_MAX + 32];
};

static struct object_text object_of(const char *name, uint64_t number)
{
    struct object_text object;
    snprintf(object.text, sizeof(object.text), "%s@%llu", name, (unsigned long long)number);
    return object;
}

bool registry_may_change(const struct registry *registry, const char *name,
                         const struct digest32 *owner, struct error *error)
{
    const struct registry_entry *entry = registry_entry_find(registry, name);
    if (entry == NULL || digest32_equal(&entry->owner, owner))
        return true;
    return error_set(error, ERROR_DENIED, "application %s belongs to another owner", name);
}

/* The entry that a change is about; deleted ones only where they may be. */
static bool entry_begin(struct draft *draft, const struct registry *registry, const char *name,
                        const struct change *change, bool is_deleted, struct error *error)
{
    const struct registry_entry *entry = registry_entry_find(registry, name);
    if (entry == NULL || (entry->deleted_s != 0) != is_deleted)
        return error_set(error, ERROR_NOT_FOUND, "there is no %sapplication %s",
                         is_deleted ? "deleted " : "", name);
    return registry_may_change(registry, name, &change->owner, error) &&
           draft_begin(draft, entry, error);
}

/* --- putting --- */

static struct version_row *row_of_digest(struct draft *draft, const struct digest32 *digest)
{
    for (size_t i = 0; i < draft->entry.version_count; i++) {
        if (digest32_equal(&draft->entry.versions[i].digest, digest))
            return &draft->entry.versions[i];
    }
    return NULL;
}

/* Adds those that are new to the version in memory; how many. */
static size_t signers_add(struct application *application, const struct version_signer *signers,
                          size_t count)
{
    size_t before = application->signer_count;
    for (size_t i = 0; i < count; i++) {
        bool known = application->signer_count == RELEASE_SIGNER_COUNT_MAX;
        for (size_t n = 0; n < application->signer_count && !known; n++)
            known = ecdsa_public_equal(&application->signers[n].key, &signers[i].key);
        if (!known)
            application_add_signer(application, &signers[i]);
    }
    return application->signer_count - before;
}

static void outcome_set(const struct registry *registry, struct registry_outcome *outcome,
                        struct application *application, bool replaced)
{
    *outcome = (struct registry_outcome){ application_hold(application), replaced,
                                          registry_is_served(registry, application) };
}

/* A version that is there already: with the signatures that are new, and served again. */
static bool put_again(struct registry *registry, struct draft *draft, uint64_t number,
                      const struct registry_version *version, const struct change *change,
                      struct registry_outcome *outcome, struct error *error)
{
    AUTO(application) struct application *known = NULL;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    const char *name = draft->entry.name;
    struct version_row *row = draft_row(draft, number);
    if (!version_load(registry, name, number, &known, error))
        return false;
    size_t signer_count = known->signer_count;
    bool is_signed = signers_add(known, version->signers, version->signer_count) > 0;
    row->is_released = application_is_released(known);
    bool changes = is_signed || row->deleted_s != 0 || draft->entry.deleted_s != 0;
    row->deleted_s = draft->entry.deleted_s = 0;
    struct application *served = draft->entry.served, *canary = draft->entry.canary;
    unsigned weight = draft->entry.weight;
    if (row->is_released && (version->weight == 100 || served != known) &&
        !draft_serve(draft, known, version->weight, error))
        return false;
    changes |= served != draft->entry.served || canary != draft->entry.canary ||
               weight != draft->entry.weight;
    if (is_signed &&
        !version_rewrite(registry, &batch, name, number, "signers",
                         version_signers_tree(known->signers, known->signer_count), error)) {
        known->signer_count = signer_count;
        return false;
    }
    struct object_text object = object_of(name, number);
    struct hex32 digest = hex_of_digest(&known->version_digest);
    struct audit_event event = { "deploy", object.text, digest.text };
    if (changes && !draft_apply(draft, registry, &batch, change, &event, error)) {
        known->signer_count = signer_count;
        return false;
    }
    outcome_set(registry, outcome, known, true);
    return true;
}

static bool quota_check(const struct registry *registry, const struct draft *draft,
                        const struct registry_version *version, struct error *error)
{
    struct quota_use used = registry_use(registry, &version->owner);
    struct quota_use more = { draft->is_new, 1, version->size };
    if (draft->entry.version_count >= VERSION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "%s has its %d versions; delete some",
                         draft->entry.name, VERSION_COUNT_MAX);
    return quotas_check(registry->options.quotas, &used, &more, error);
}

static bool put_new(struct registry *registry, struct draft *draft, const struct digest32 *digest,
                    const struct registry_version *version, const struct change *change,
                    struct registry_outcome *outcome, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO(application) struct application *made = NULL;
    AUTO_BATCH struct batch batch;
    struct blob_list blobs;
    bool replaced = !draft->is_new;
    batch_init(&batch);
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!quota_check(registry, draft, version, error))
        return false;
    struct version_row *row = draft_add_row(draft);
    if (!manifest_parse(&manifest, version->canonical, error) ||
        !version_write(&text, version, manifest->function_count, error) ||
        !version_read(&made, NULL, row->number, buffer_view(&text), error))
        return false;
    memcpy(row->version, made->manifest->version, sizeof(row->version));
    row->digest = *digest;
    row->created_s = version->now_s;
    row->size = version->size;
    row->is_released = application_is_released(made);
    draft->entry.deleted_s = 0;
    uint64_t number = row->number;
    struct record_name record = version_record(draft->entry.name, number);
    struct object_text object = object_of(draft->entry.name, number);
    struct hex32 hex = hex_of_digest(digest);
    struct audit_event event = { "deploy", object.text, hex.text };
    blob_list_of(&blobs, made->manifest, made->images);
    batch_put(&batch, record.text, buffer_view(&text), 0);
    if ((row->is_released && !draft_serve(draft, made, version->weight, error)) ||
        !blobs_mark(registry, &blobs, draft->entry.name, number, error) ||
        !draft_apply(draft, registry, &batch, change, &event, error))
        return false;
    live_add(registry, made);
    outcome_set(registry, outcome, made, replaced);
    return true;
}

bool registry_put(struct registry *registry, const struct registry_version *version,
                  const struct change *change, struct registry_outcome *outcome,
                  struct error *error)
{
    AUTO(manifest) struct manifest *manifest = NULL;
    AUTO_DRAFT struct draft draft = { 0 };
    struct digest32 digest, manifest_digest = sha256_of(version->canonical);
    if (!manifest_parse(&manifest, version->canonical, error) ||
        !manifest_version_digest(&digest, manifest, &manifest_digest, error) ||
        !registry_may_change(registry, manifest->application, &version->owner, error))
        return false;
    const struct registry_entry *entry = registry_entry_find(registry, manifest->application);
    bool begun = entry == NULL ? draft_new(&draft, manifest->application, &version->owner, error)
                               : draft_begin(&draft, entry, error);
    if (!begun)
        return false;
    const struct version_row *known = row_of_digest(&draft, &digest);
    return known != NULL
               ? put_again(registry, &draft, known->number, version, change, outcome, error)
               : put_new(registry, &draft, &digest, version, change, outcome, error);
}

/* --- serving --- */

static bool version_servable(struct registry *registry, const struct draft *draft, uint64_t number,
                             struct application **application, struct error *error)
{
    const struct version_row *row = registry_row(&draft->entry, number);
    if (row == NULL || row->deleted_s != 0)
        return error_set(error, ERROR_NOT_FOUND, "%s has no version %llu", draft->entry.name,
                         (unsigned long long)number);
    if (!row->is_released)
        return error_set(error, ERROR_CONFLICT, "version %llu waits for signatures",
                         (unsigned long long)number);
    return version_load(registry, draft->entry.name, number, application, error);
}

bool registry_rollout(struct registry *registry, const char *name, uint64_t number, unsigned weight,
                      const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO(application) struct application *application = NULL;
    AUTO_BATCH struct batch batch;
    char detail[32];
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, false, error) ||
        !version_servable(registry, &draft, number, &application, error) ||
        !draft_serve(&draft, application, weight, error))
        return false;
    struct object_text object = object_of(name, number);
    snprintf(detail, sizeof(detail), "weight %u", weight);
    struct audit_event event = { "rollout", object.text, detail };
    return draft_apply(&draft, registry, &batch, change, &event, error);
}

bool registry_rollback(struct registry *registry, const char *name, uint64_t number,
                       const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO(application) struct application *application = NULL;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, false, error))
        return false;
    uint64_t wanted = number != 0 ? number : draft.entry.previous;
    if (number == 0 && draft.entry.canary != NULL)
        wanted = draft.entry.served->version_number;
    if (wanted == 0)
        return error_set(error, ERROR_NOT_FOUND, "%s served no other version before", name);
    if (!version_servable(registry, &draft, wanted, &application, error) ||
        !draft_serve(&draft, application, 100, error))
        return false;
    struct object_text object = object_of(name, wanted);
    struct audit_event event = { "rollback", object.text, "" };
    return draft_apply(&draft, registry, &batch, change, &event, error);
}

/* --- signing --- */

bool registry_sign(struct registry *registry, const char *name, uint64_t number,
                   const struct version_signer *signer, const struct change *change,
                   bool *is_complete, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO(application) struct application *application = NULL;
    AUTO_BATCH struct batch batch;
    struct release_signature signature;
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, false, error) ||
        !registry_version_get(registry, name, number, &application, error))
        return false;
    if (!application_may_sign(application, &signer->key))
        return error_set(error, ERROR_DENIED, "the manifest's `signers` do not have this key");
    if (!release_parse(&signature, bytes_of_string(signer->text), error) ||
        !release_verify(&signature, &application->version_digest, &signer->key, error))
        return false;
    if (signers_add(application, signer, 1) == 0)
        return error_set(error, ERROR_EXISTS, "version %llu has this signature",
                         (unsigned long long)number);
    struct version_row *row = draft_row(&draft, number);
    bool was_released = row->is_released;
    row->is_released = application_is_released(application);
    bool is_newest = draft.entry.served == NULL || draft.entry.served->version_number < number;
    if (row->is_released && !was_released && is_newest && draft.entry.served != application &&
        draft.entry.canary != application)
        (void)!draft_serve(&draft, application, application->wanted_weight, error);
    struct object_text object = object_of(name, number);
    struct hex32 id = hex_of_digest(&signature.signer);
    struct audit_event event = { "sign", object.text, id.text };
    if (version_rewrite(registry, &batch, name, number, "signers",
                        version_signers_tree(application->signers, application->signer_count),
                        error) &&
        draft_apply(&draft, registry, &batch, change, &event, error)) {
        *is_complete = application_is_released(application);
        return true;
    }
    application->signer_count--;
    return false;
}

/* --- deleting --- */

bool registry_version_delete(struct registry *registry, const char *name, uint64_t number,
                             const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, false, error))
        return false;
    struct version_row *row = draft_row(&draft, number);
    if (row == NULL || row->deleted_s != 0)
        return error_set(error, ERROR_NOT_FOUND, "%s has no version %llu", name,
                         (unsigned long long)number);
    if (registry_weight(&draft.entry, number) > 0)
        return error_set(error, ERROR_CONFLICT, "version %llu answers requests",
                         (unsigned long long)number);
    row->deleted_s = MAX(change->now_s, (int64_t)1);
    struct object_text object = object_of(name, number);
    struct audit_event event = { "version-delete", object.text, "" };
    return draft_apply(&draft, registry, &batch, change, &event, error) &&
           (registry->options.retention_s > 0 ||
            version_purge(registry, name, number, change, error));
}

bool registry_version_restore(struct registry *registry, const char *name, uint64_t number,
                              const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, false, error))
        return false;
    struct version_row *row = draft_row(&draft, number);
    if (row == NULL || row->deleted_s == 0)
        return error_set(error, ERROR_NOT_FOUND, "%s has no deleted version %llu", name,
                         (unsigned long long)number);
    row->deleted_s = 0;
    struct object_text object = object_of(name, number);
    struct audit_event event = { "version-restore", object.text, "" };
    return draft_apply(&draft, registry, &batch, change, &event, error);
}

static bool purge_all(struct registry *registry, const char *name, const struct change *change,
                      struct error *error)
{
    const struct registry_entry *entry;
    while ((entry = registry_entry_find(registry, name)) != NULL && entry->version_count > 0) {
        if (!version_purge(registry, name, entry->versions[0].number, change, error))
            return false;
    }
    return true;
}

bool registry_delete(struct registry *registry, const char *name, bool at_once,
                     const struct change *change, struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    const struct registry_entry *entry = registry_entry_find(registry, name);
    bool is_deleted = at_once && entry != NULL && entry->deleted_s != 0;
    if (!entry_begin(&draft, registry, name, change, is_deleted, error))
        return false;
    if (draft.entry.served != NULL)
        draft.entry.previous = draft.entry.served->version_number;
    draft_serve_none(&draft);
    draft.entry.deleted_s = MAX(change->now_s, (int64_t)1);
    struct audit_event event = { at_once ? "purge" : "delete", name, "" };
    return draft_apply(&draft, registry, &batch, change, &event, error) &&
           ((registry->options.retention_s > 0 && !at_once) ||
            purge_all(registry, name, change, error));
}

bool registry_restore(struct registry *registry, const char *name, const struct change *change,
                      struct error *error)
{
    AUTO_DRAFT struct draft draft = { 0 };
    AUTO(application) struct application *application = NULL;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (!entry_begin(&draft, registry, name, change, true, error))
        return false;
    draft.entry.deleted_s = 0;
    uint64_t number = draft.entry.previous;
    if (number != 0 && (!version_servable(registry, &draft, number, &application, error) ||
                        !draft_serve(&draft, application, 100, error)))
        return false;
    struct audit_event event = { "restore", name, "" };
    return draft_apply(&draft, registry, &batch, change, &event, error);
}
