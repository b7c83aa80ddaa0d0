/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/check.h"

#include "core/hex.h"
#include "functions/registry.h"
#include "keys/sealing.h"
#include "logs/logbook.h"
#include "state/states.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATES_KEY_PLACE ((struct store_key){ STORE_SPACE_NODE, "state/root" })
#define LOGS_KEY_PLACE   ((struct store_key){ STORE_SPACE_NODE, "logs/root" })
#define STATES_PREFIX    "kv/"

enum {
    PROGRESS_EVERY = 64
};

void check_found(struct check *check, const char *part, const struct error *problem)
{
    check->counts.problems++;
    check->listener->found(check->listener->context, part, problem);
}

static void progress(struct check *check, const char *part, uint64_t done, uint64_t all)
{
    check->listener->progress(check->listener->context, part, done, all);
}

/* `spaces` (NULL: nobody asks) gets the names of the spaces that hold a state. */
static void store_walk(struct check *check, struct store *store, const char *part, json_t *spaces)
{
    struct store_walk walk = { 0 };
    struct error error;
    char last[STORE_SPACE_SIZE_MAX + 1] = "";
    for (bool more = true; more && !check->stops;) {
        if (!store_walk_next(store, &walk, &more, &error))
            check_found(check, part, &error);
        if (spaces != NULL && strcmp(last, walk.space) != 0) {
            memcpy(last, walk.space, sizeof(last));
            if (strncmp(last, STATES_PREFIX, strlen(STATES_PREFIX)) == 0)
                json_array_append_new(spaces, json_string(last + strlen(STATES_PREFIX)));
        }
        uint64_t done = walk.records + walk.blobs;
        if (done % PROGRESS_EVERY == 0)
            progress(check, part, done, walk.records_all + walk.blobs_all);
    }
    check->counts.records += walk.records;
    check->counts.blobs += walk.blobs;
    check->counts.bytes += walk.bytes;
    progress(check, part, walk.records + walk.blobs, walk.records + walk.blobs);
}

void check_store(struct check *check, struct store *store, const char *part)
{
    store_walk(check, store, part, NULL);
}

/* --- versions --- */

static void blob_check(struct check *check, struct store *store, const struct digest32 *digest,
                       const char *what)
{
    struct error error;
    uint64_t size;
    if (!store_blob_size(store, digest, &size, &error)) {
        error_within(&error, "%s sha256:%s", what, hex_of_digest(digest).text);
        check_found(check, "versions", &error);
    }
}

static void version_check(struct check *check, struct store *store, struct registry *registry,
                          const struct registry_entry *entry, uint64_t number)
{
    AUTO(application) struct application *application = NULL;
    struct error error;
    check->counts.versions++;
    if (!registry_version_show(registry, entry->name, number, &application, NULL, &error) ||
        !application_verify(application, &error)) {
        error_within(&error, "%s, version %llu", entry->name, (unsigned long long)number);
        check_found(check, "versions", &error);
        return;
    }
    char what[NAME_SIZE_MAX + 64];
    for (size_t i = 0; i < application->manifest->function_count; i++) {
        const struct manifest_function *function = &application->manifest->functions[i];
        snprintf(what, sizeof(what), "%s, version %llu, module", entry->name,
                 (unsigned long long)number);
        blob_check(check, store, &function->code, what);
        snprintf(what, sizeof(what), "%s, version %llu, image", entry->name,
                 (unsigned long long)number);
        blob_check(check, store, &application->images[i].image, what);
        snprintf(what, sizeof(what), "%s, version %llu, files", entry->name,
                 (unsigned long long)number);
        if (function->has_archive)
            blob_check(check, store, &function->archive, what);
    }
}

static void versions_check(struct check *check, struct store *store)
{
    AUTO(registry) struct registry *registry = NULL;
    struct registry_options options = { .store = store };
    struct error error;
    if (!registry_open(&registry, &options, &error)) {
        check_found(check, "versions", &error);
        return;
    }
    check->counts.applications = registry_count(registry);
    for (size_t i = 0; i < registry_count(registry) && !check->stops; i++) {
        const struct registry_entry *entry = registry_at(registry, i);
        for (size_t j = 0; j < entry->version_count; j++)
            version_check(check, store, registry, entry, entry->versions[j].number);
        progress(check, "versions", i + 1, registry_count(registry));
    }
}

/* --- audit logs --- */

static bool chain_check(struct check *check, struct audit *audit, const struct digest32 *owner,
                        struct error *error)
{
    struct audit_head at = { 0 }, last;
    if (!audit_head(audit, owner, &last, error))
        return false;
    for (bool more = true; more && !check->stops;) {
        AUTO_JSON json_t *entries = NULL;
        if (!audit_read(audit, owner, at.number + 1, STORE_LIST_MAX, &entries, &more, error))
            return false;
        for (size_t i = 0; i < json_array_size(entries); i++) {
            const json_t *text = json_array_get(entries, i);
            if (!audit_check(&at, bytes_of(json_string_value(text), json_string_length(text)),
                             error))
                return false;
        }
        more = more && json_array_size(entries) > 0;
    }
    check->counts.entries += at.number;
    return check->stops || (at.number == last.number && digest32_equal(&at.digest, &last.digest)) ||
           error_set(error, ERROR_CORRUPT, "it ends with entry %llu, not %llu",
                     (unsigned long long)at.number, (unsigned long long)last.number);
}

static void audit_logs_check(struct check *check, struct store *store)
{
    static const char prefix[] = "audit-heads/";
    AUTO(audit) struct audit *audit = NULL;
    struct error error;
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    if (!audit_open(&audit, store, &error)) {
        check_found(check, "audit", &error);
        return;
    }
    for (bool more = true; more && !check->stops;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(store, (struct store_key){ STORE_SPACE_NODE, prefix }, after,
                        STORE_LIST_MAX, &page, &error)) {
            check_found(check, "audit", &error);
            return;
        }
        for (size_t i = 0; i < page.count; i++) {
            const char *name = page.entries[i].key + strlen(prefix);
            struct digest32 owner;
            snprintf(after, sizeof(after), "%s", page.entries[i].key);
            if (!hex_decode(owner.bytes, sizeof(owner.bytes), bytes_of_string(name)))
                error_set(&error, ERROR_CORRUPT, "a log of nobody");
            else if (chain_check(check, audit, &owner, &error))
                continue;
            error_within(&error, "log of %.16s", name);
            check_found(check, "audit", &error);
        }
        more = page.more;
    }
}

void check_contents(struct check *check, struct store *store)
{
    versions_check(check, store);
    audit_logs_check(check, store);
}

/* --- states --- */

static bool key_read(struct store *store, struct store_key place, struct secret32 *key,
                     struct error *error)
{
    AUTO_BUFFER struct buffer text;
    uint64_t revision;
    buffer_init(&text, sizeof(key->bytes));
    if (!store_get(store, place, &text, &revision, error))
        return false;
    bool fits = text.size == sizeof(key->bytes);
    if (fits)
        memcpy(key->bytes, text.data, sizeof(key->bytes));
    secret_wipe(text.data, text.size);
    return fits || error_set(error, ERROR_CORRUPT, "%s has the wrong size", place.key);
}

bool states_key_read(struct store *store, struct secret32 *key, struct error *error)
{
    return key_read(store, STATES_KEY_PLACE, key, error);
}

static bool file_open(struct store **store, const char *path, const struct store_anchor *anchor,
                      const struct sealer *sealer, struct error *error)
{
    return anchor == NULL ? store_open_sqlite(store, path, sealer, error)
                          : store_open_anchored(store, path, sealer, anchor, error);
}

static bool records_check(struct check *check, const struct check_states *where,
                          const struct sealer *sealer, json_t *spaces, struct error *error)
{
    AUTO(store) struct store *store = NULL;
    bool opened = file_open(&store, where->path, where->anchor, sealer, error);
    if (opened)
        store_walk(check, store, "state", spaces);
    return opened;
}

/* Each state as the node itself reads it: entries in their places, and the head over them. */
static void heads_check(struct check *check, struct states *states, const json_t *spaces)
{
    struct error error;
    for (size_t i = 0; i < json_array_size(spaces) && !check->stops; i++) {
        AUTO(state) struct state *state = NULL;
        const char *id = json_string_value(json_array_get(spaces, i));
        check->counts.states++;
        if (!states_get(states, id, &state, &error)) {
            error_within(&error, "state of %s", error_quote(bytes_of_string(id)).text);
            check_found(check, "state", &error);
        }
        progress(check, "heads", i + 1, json_array_size(spaces));
    }
}

void check_states(struct check *check, struct store *store, const struct check_states *where)
{
    AUTO_SECRET32 struct secret32 key = { 0 };
    AUTO_JSON json_t *spaces = json_array();
    AUTO(states) struct states *states = NULL;
    struct error error;
    if (!states_key_read(store, &key, &error)) {
        if (error.code != ERROR_NOT_FOUND)
            check_found(check, "state", &error);
        return;
    }
    struct states_options options = { .path = where->path,
                                      .anchor = where->anchor,
                                      .sealer = sealing_local(&key),
                                      .clock = &clock_system };
    if (spaces == NULL || !records_check(check, where, &options.sealer, spaces, &error) ||
        !states_open(&states, &options, &error)) {
        check_found(check, "state", &error);
        return;
    }
    heads_check(check, states, spaces);
}

/* --- logs --- */

static void log_found(void *context, const struct error *problem)
{
    check_found(context, "logs", problem);
}

void check_logs(struct check *check, struct store *store, const char *path)
{
    AUTO_SECRET32 struct secret32 key = { 0 };
    AUTO(store) struct store *logs = NULL;
    struct error error;
    if (!key_read(store, LOGS_KEY_PLACE, &key, &error)) {
        if (error.code != ERROR_NOT_FOUND)
            check_found(check, "logs", &error);
        return;
    }
    struct sealer sealer = sealing_local(&key);
    if (!store_open_sqlite(&logs, path, &sealer, &error)) {
        check_found(check, "logs", &error);
        return;
    }
    store_walk(check, logs, "logs", NULL);
    if (!logbook_check(logs, log_found, check, &check->counts.segments, &error))
        check_found(check, "logs", &error);
}

/* --- all of it --- */

void check_files(struct check *check, const struct check_files *files, const struct sealer *sealer)
{
    AUTO(store) struct store *store = NULL;
    struct error error;
    if (!file_open(&store, files->store, files->store_anchor, sealer, &error)) {
        check_found(check, "store", &error);
        return;
    }
    check_store(check, store, "store");
    check_contents(check, store);
    if (!check->stops && access(files->states, F_OK) == 0)
        check_states(check, store, &(struct check_states){ files->states, files->states_anchor });
    if (!check->stops && files->logs != NULL && access(files->logs, F_OK) == 0)
        check_logs(check, store, files->logs);
}

json_t *check_problem_tree(const char *part, const struct error *problem)
{
    return json_pack("{s:s, s:s, s:s}", "part", part, "code", error_name(problem->code), "message",
                     problem->text);
}

json_t *check_tree(const struct check_counts *counts, json_t *problems)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "good",
                     counts->problems == 0, "records", (json_int_t)counts->records, "blobs",
                     (json_int_t)counts->blobs, "bytes", (json_int_t)counts->bytes, "applications",
                     (json_int_t)counts->applications, "versions", (json_int_t)counts->versions,
                     "states", (json_int_t)counts->states, "audit_entries",
                     (json_int_t)counts->entries, "log_segments", (json_int_t)counts->segments,
                     "problem_count", (json_int_t)counts->problems, "problems", problems);
}

/* --- an anchor of one moment --- */

static bool moment_read(void *context, struct store_heads *heads, bool *known,
                        struct error *error UNUSED)
{
    const struct check_anchor *anchor = context;
    *heads = anchor->heads;
    *known = true;
    return true;
}

static bool moment_begin(void *context UNUSED, const struct store_heads *heads UNUSED,
                         struct error *error UNUSED)
{
    return true;
}

static bool moment_finish(void *context UNUSED, struct error *error UNUSED)
{
    return true;
}

struct store_anchor check_anchor_of(struct check_anchor *anchor)
{
    return (struct store_anchor){ .context = anchor,
                                  .ahead_max = 1,
                                  .read = moment_read,
                                  .begin = moment_begin,
                                  .finish = moment_finish };
}
