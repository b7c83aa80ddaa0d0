/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/secrets.h"
#include "core/hex.h"
#include "functions/secrets_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct secrets {
    struct store *store;
    struct audit *audit;
    struct secret **list; /* by owner, application, name */
    size_t count, capacity;
};

struct record_name {
    char text[BATCH_KEY_SIZE];
};
_Static_assert(sizeof("secret-values/") + 65 + NAME_SIZE_MAX + 1 + SECRET_NAME_SIZE_MAX + 1 + 20 <=
                   BATCH_KEY_SIZE,
               "a value's record has a name");

static struct record_name head_record(const struct secret *secret)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "secrets/%s/%s/%s", hex_of_digest(&secret->owner).text,
             secret->application, secret->name);
    return name;
}

static struct record_name value_record(const struct secret *secret, uint64_t version)
{
    struct record_name name;
    snprintf(name.text, sizeof(name.text), "secret-values/%s/%s/%s/%" PRIu64,
             hex_of_digest(&secret->owner).text, secret->application, secret->name, version);
    return name;
}

/* --- in memory --- */

static int place_compare(const struct secret *secret, const struct secret_owner *whose,
                         struct bytes name)
{
    int order = memcmp(secret->owner.bytes, whose->owner.bytes, sizeof(whose->owner.bytes));
    if (order == 0)
        order = strcmp(secret->application, whose->application);
    if (order == 0 && name.size > 0) /* empty: before all, and without an address */
        order = memcmp(secret->name, name.data, MIN(name.size, strlen(secret->name)));
    if (order == 0)
        order = strlen(secret->name) < name.size ? -1 : strlen(secret->name) > name.size;
    return order;
}

/* The first that does not come before. */
static size_t place_of(const struct secrets *secrets, const struct secret_owner *whose,
                       struct bytes name)
{
    size_t low = 0, high = secrets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(secrets->list[middle], whose, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct secret *secret_find(const struct secrets *secrets, const struct secret_owner *whose,
                                  struct bytes name)
{
    size_t place = place_of(secrets, whose, name);
    if (place == secrets->count || place_compare(secrets->list[place], whose, name) != 0)
        return NULL;
    return secrets->list[place];
}

static bool is_of(const struct secret *secret, const struct secret_owner *whose)
{
    return digest32_equal(&secret->owner, &whose->owner) &&
           strcmp(secret->application, whose->application) == 0;
}

static bool room_make(struct secrets *secrets, struct error *error)
{
    if (secrets->count < secrets->capacity)
        return true;
    size_t capacity = MAX((size_t)16, 2 * secrets->capacity);
    struct secret **list = realloc(secrets->list, capacity * sizeof(struct secret *));
    if (list == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for secrets");
    secrets->list = list;
    secrets->capacity = capacity;
    return true;
}

/* Takes over `secret`; in the place of the one before. */
static void secret_keep(struct secrets *secrets, struct secret *secret)
{
    struct secret_owner whose = { secret->application, secret->owner };
    struct bytes name = bytes_of_string(secret->name);
    size_t place = place_of(secrets, &whose, name);
    if (place < secrets->count && place_compare(secrets->list[place], &whose, name) == 0) {
        secret_free(secrets->list[place]);
    } else {
        ASSERT(secrets->count < secrets->capacity);
        memmove(&secrets->list[place + 1], &secrets->list[place],
                (secrets->count - place) * sizeof(struct secret *));
        secrets->count++;
    }
    secrets->list[place] = secret;
}

/* --- opening --- */

static bool secret_load(struct secrets *secrets, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct secret *secret = NULL;
    uint64_t revision;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!room_make(secrets, error) ||
        !store_get(secrets->store, (struct store_key){ STORE_SPACE_NODE, record }, &text, &revision,
                   error) ||
        !secret_read(&secret, buffer_view(&text), error))
        return error_within(error, "record %s", record);
    secret->revision = revision;
    secret_keep(secrets, secret);
    return true;
}

bool secrets_open(struct secrets **secrets, struct store *store, struct audit *audit,
                  struct error *error)
{
    AUTO(secrets) struct secrets *made = calloc(1, sizeof(*made));
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for secrets");
    made->store = store;
    made->audit = audit;
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(store, (struct store_key){ STORE_SPACE_NODE, "secrets/" },
                        after[0] == '\0' ? NULL : after, STORE_LIST_MAX, &page, error))
            return error_within(error, "secrets");
        for (size_t i = 0; i < page.count; i++) {
            if (!secret_load(made, page.entries[i].key, error))
                return false;
        }
        more = page.more && page.count > 0;
        if (more)
            snprintf(after, sizeof(after), "%s", page.entries[page.count - 1].key);
    }
    *secrets = TAKE(made);
    return true;
}

void secrets_free(struct secrets *secrets)
{
    if (secrets == NULL)
        return;
    for (size_t i = 0; i < secrets->count; i++)
        secret_free(secrets->list[i]);
    free(secrets->list);
    free(secrets);
}

/* --- changing --- */

/* Writes the record with an entry of the audit log, beside what is in the batch; takes over the
 * draft when it is on the disk. */
static bool draft_apply(struct secrets *secrets, struct secret **draft, struct batch *batch,
                        const struct change *change, const struct audit_event *event,
                        struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct record_name name = head_record(*draft);
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!room_make(secrets, error) || !secret_write(&text, *draft, error))
        return false;
    size_t head = batch_put(batch, name.text, buffer_view(&text), (*draft)->revision);
    if (!audit_apply(secrets->audit, batch, secrets->store, change, event, error))
        return false;
    (*draft)->revision = batch->writes[head].revision;
    secret_keep(secrets, TAKE(*draft));
    return true;
}

static void version_drop(struct secret *secret, size_t index, struct batch *batch)
{
    struct record_name value = value_record(secret, secret->versions[index].number);
    batch_delete(batch, value.text, STORE_REVISION_ANY);
    buffer_done(&secret->versions[index].sealed);
    secret->version_count--;
    memmove(&secret->versions[index], &secret->versions[index + 1],
            (secret->version_count - index) * sizeof(secret->versions[0]));
}

static bool has_ended(const struct secret_version *version, int64_t now_s)
{
    return version->ends_s != 0 && version->ends_s <= now_s;
}

struct object_text {
    char text[NAME_SIZE_MAX + 1 + SECRET_NAME_SIZE_MAX + 24];
};

static struct object_text object_of(const struct secret *secret, uint64_t version)
{
    struct object_text object;
    if (version == 0)
        snprintf(object.text, sizeof(object.text), "%s/%s", secret->application, secret->name);
    else
        snprintf(object.text, sizeof(object.text), "%s/%s:%" PRIu64, secret->application,
                 secret->name, version);
    return object;
}

/* A copy to change; a new one when there is none. */
static bool draft_begin(struct secret **draft, const struct secret *known,
                        const struct secret_place *place, struct error *error)
{
    if (known != NULL)
        return secret_copy(draft, known, error);
    struct secret *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    snprintf(made->application, sizeof(made->application), "%s", place->application);
    snprintf(made->name, sizeof(made->name), "%s", place->name);
    made->owner = place->owner;
    *draft = made;
    return true;
}

/* Whether the application may have this one more. */
static bool room_check(const struct secrets *secrets, const struct secret_owner *whose,
                       const struct secret *draft, size_t size, struct error *error)
{
    size_t live = 0, records = 0;
    uint64_t total = size;
    for (size_t i = place_of(secrets, whose, (struct bytes){ 0 });
         i < secrets->count && is_of(secrets->list[i], whose); i++) {
        const struct secret *other = secrets->list[i];
        bool is_same = strcmp(other->name, draft->name) == 0;
        const struct secret *counted = is_same ? draft : other;
        records += is_same ? 0 : 1;
        live += !is_same && other->version_count > 0;
        for (size_t n = 0; n < counted->version_count; n++)
            total += counted->versions[n].size;
    }
    if (live >= SECRET_COUNT_MAX || records >= SECRET_RECORD_COUNT_MAX)
        return error_set(error, ERROR_LIMIT,
                         "an application has at most %d secrets, %d with those that were removed",
                         SECRET_COUNT_MAX, SECRET_RECORD_COUNT_MAX);
    if (draft->version_count == SECRET_VERSION_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d versions of a secret are readable at once",
                         SECRET_VERSION_COUNT_MAX);
    if (total > SECRETS_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the secrets of an application have at most %d bytes",
                         SECRETS_SIZE_MAX);
    return true;
}

static struct secret_version *version_present(struct secret *secret)
{
    struct secret_version *last =
        secret->version_count == 0 ? NULL : &secret->versions[secret->version_count - 1];
    return last != NULL && last->ends_s == 0 ? last : NULL;
}

/* What the present version becomes when another one follows. */
static bool version_follow(struct secret *draft, const struct secret_put *put, int64_t now_s,
                           struct batch *batch, struct error *error)
{
    struct secret_version *present = version_present(draft);
    if (put->place.version != draft->last + 1)
        return error_set(error, ERROR_CONFLICT,
                         "the next version of secret %s is %" PRIu64 ", not %" PRIu64, draft->name,
                         draft->last + 1, put->place.version);
    if (put->overlap_s < 0 || put->overlap_s > SECRET_OVERLAP_S_MAX)
        return error_set(error, ERROR_INVALID, "an overlap has up to %lld seconds",
                         (long long)SECRET_OVERLAP_S_MAX);
    if (put->is_rotation && present == NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no secret %s to rotate", draft->name);
    if (put->is_rotation && put->overlap_s > 0) {
        present->ends_s = now_s + put->overlap_s;
        return true;
    }
    while (draft->version_count > 0) /* nothing before is readable */
        version_drop(draft, 0, batch);
    return true;
}

bool secrets_put(struct secrets *secrets, const struct secret_put *put, const struct change *change,
                 struct error *error)
{
    const struct secret_place *place = &put->place;
    struct secret_owner whose = { place->application, place->owner };
    AUTO(secret) struct secret *draft = NULL;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (!secret_place_check(place, error) ||
        !draft_begin(&draft, secret_find(secrets, &whose, bytes_of_string(place->name)), place,
                     error))
        return false;
    for (size_t i = draft->version_count; i-- > 0;) {
        if (has_ended(&draft->versions[i], change->now_s))
            version_drop(draft, i, &batch);
    }
    if (!version_follow(draft, put, change->now_s, &batch, error) ||
        !room_check(secrets, &whose, draft, put->size, error))
        return false;
    struct secret_version *added = &draft->versions[draft->version_count++];
    *added = (struct secret_version){ .number = place->version,
                                      .set_s = change->now_s,
                                      .size = put->size };
    snprintf(added->actor, sizeof(added->actor), "%s", change->actor);
    buffer_init(&added->sealed, STORE_VALUE_SIZE_MAX);
    draft->last = place->version;
    const char *action = put->is_rotation ? "rotate" : "set";
    secret_change_add(draft, action, place->version, change);
    struct record_name value = value_record(draft, place->version);
    batch_put(&batch, value.text, put->sealed, 0);
    struct object_text object = object_of(draft, place->version);
    char detail[40] = "";
    if (put->is_rotation)
        snprintf(detail, sizeof(detail), "overlap %" PRId64 " s", put->overlap_s);
    struct audit_event event = { put->is_rotation ? "secret-rotate" : "secret-set", object.text,
                                 detail };
    return draft_apply(secrets, &draft, &batch, change, &event, error);
}

bool secrets_remove(struct secrets *secrets, const struct secret_owner *whose, const char *name,
                    const struct change *change, struct error *error)
{
    struct secret *known = secret_find(secrets, whose, bytes_of_string(name));
    AUTO(secret) struct secret *draft = NULL;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    if (known == NULL || known->version_count == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no secret %s",
                         error_quote(bytes_of_string(name)).text);
    if (!secret_copy(&draft, known, error))
        return false;
    while (draft->version_count > 0)
        version_drop(draft, 0, &batch);
    secret_change_add(draft, "remove", draft->last, change);
    struct object_text object = object_of(draft, 0);
    struct audit_event event = { "secret-remove", object.text, "" };
    return draft_apply(secrets, &draft, &batch, change, &event, error);
}

bool secrets_forget(struct secrets *secrets, const struct secret_owner *whose, int64_t now_s,
                    struct error *error)
{
    struct change change = { whose->owner, "node", now_s };
    for (size_t i = place_of(secrets, whose, (struct bytes){ 0 });
         i < secrets->count && is_of(secrets->list[i], whose); i++) {
        char name[SECRET_NAME_SIZE_MAX + 1];
        snprintf(name, sizeof(name), "%s", secrets->list[i]->name);
        if (secrets->list[i]->version_count > 0 &&
            !secrets_remove(secrets, whose, name, &change, error))
            return false;
    }
    return true;
}

/* --- reading --- */

static struct secret_version *version_find(struct secret *secret, uint64_t number, int64_t now_s)
{
    if (number == 0)
        return version_present(secret);
    for (size_t i = 0; i < secret->version_count; i++) {
        if (secret->versions[i].number == number && !has_ended(&secret->versions[i], now_s))
            return &secret->versions[i];
    }
    return NULL;
}

static bool value_load(struct secrets *secrets, const struct secret *secret,
                       struct secret_version *version, struct error *error)
{
    struct record_name name = value_record(secret, version->number);
    uint64_t revision;
    if (version->sealed.size > 0)
        return true;
    if (store_get(secrets->store, (struct store_key){ STORE_SPACE_NODE, name.text },
                  &version->sealed, &revision, error))
        return true;
    buffer_done(&version->sealed);
    if (error->code == ERROR_NOT_FOUND)
        return error_set(error, ERROR_CORRUPT, "the value of a secret is not there");
    return false;
}

bool secrets_find(struct secrets *secrets, const struct secret_owner *whose, struct bytes name,
                  uint64_t version, int64_t now_s, struct secret_found *found, struct error *error)
{
    struct secret *secret = secret_find(secrets, whose, name);
    struct secret_version *of = secret == NULL ? NULL : version_find(secret, version, now_s);
    if (of == NULL && version == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no secret %s", error_quote(name).text);
    if (of == NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no version %" PRIu64 " of secret %s",
                         version, error_quote(name).text);
    if (!value_load(secrets, secret, of, error))
        return false;
    struct secret_found made = { .place = { .owner = secret->owner, .version = of->number },
                                 .sealed = buffer_view(&of->sealed) };
    snprintf(made.place.application, sizeof(made.place.application), "%s", secret->application);
    snprintf(made.place.name, sizeof(made.place.name), "%s", secret->name);
    *found = made;
    return true;
}

/* --- releases --- */

static struct secret_releases *releases_find(struct secret *secret, uint64_t version,
                                             const struct secret_receiver *receiver)
{
    for (size_t i = secret->release_count; i-- > 0;) {
        struct secret_releases *row = &secret->releases[i];
        if (row->secret_version == version && digest32_equal(&row->manifest, &receiver->manifest) &&
            strcmp(row->function, receiver->function) == 0)
            return row;
    }
    return NULL;
}

static struct secret_releases *releases_add(struct secret *secret, uint64_t version,
                                            const struct secret_receiver *receiver)
{
    if (secret->release_count == SECRET_RELEASE_COUNT_MAX) {
        secret->release_count--;
        memmove(&secret->releases[0], &secret->releases[1],
                secret->release_count * sizeof(secret->releases[0]));
    }
    struct secret_releases *row = &secret->releases[secret->release_count++];
    *row = (struct secret_releases){ .secret_version = version, .manifest = receiver->manifest };
    snprintf(row->function, sizeof(row->function), "%s", receiver->function);
    snprintf(row->version, sizeof(row->version), "%s", receiver->version);
    return row;
}

static bool first_release(struct secrets *secrets, const struct secret *secret, uint64_t version,
                          const struct secret_receiver *receiver, int64_t now_s,
                          struct error *error)
{
    AUTO(secret) struct secret *draft = NULL;
    AUTO_BATCH struct batch batch;
    char detail[NAME_SIZE_MAX + VERSION_SIZE_MAX + 120];
    struct change change = { secret->owner, "node", now_s };
    batch_init(&batch);
    if (!secret_copy(&draft, secret, error))
        return false;
    struct secret_releases *row = releases_add(draft, version, receiver);
    row->count = row->written = 1;
    row->first_s = row->last_s = now_s;
    struct object_text object = object_of(draft, version);
    snprintf(detail, sizeof(detail), "first to function %s of version %s, manifest %s",
             receiver->function, receiver->version, hex_of_digest(&receiver->manifest).text);
    struct audit_event event = { "secret-release", object.text, detail };
    return draft_apply(secrets, &draft, &batch, &change, &event, error);
}

bool secrets_release(struct secrets *secrets, const struct secret_place *place,
                     const struct secret_receiver *receiver, int64_t now_s, struct error *error)
{
    struct secret_owner whose = { place->application, place->owner };
    struct secret *secret = secret_find(secrets, &whose, bytes_of_string(place->name));
    if (secret == NULL || version_find(secret, place->version, now_s) == NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no version %" PRIu64 " of secret %s",
                         place->version, place->name);
    struct secret_releases *row = releases_find(secret, place->version, receiver);
    if (row == NULL)
        return first_release(secrets, secret, place->version, receiver, now_s, error);
    row->count++;
    row->last_s = now_s;
    return true;
}

/* --- what people see --- */

static json_t *secret_json(const struct secret *secret, int64_t now_s)
{
    json_t *versions = secret_versions_json(secret);
    for (size_t i = json_array_size(versions); i-- > 0;) {
        if (has_ended(&secret->versions[i], now_s))
            json_array_remove(versions, i);
    }
    return json_pack("{s:s, s:I, s:o}", "name", secret->name, "next", (json_int_t)secret->last + 1,
                     "versions", versions);
}

bool secrets_list(struct secrets *secrets, const struct secret_owner *whose, const char *name,
                  int64_t now_s, json_t **list, struct error *error)
{
    json_t *rows = json_array();
    bool failed = rows == NULL;
    for (size_t i = place_of(secrets, whose, (struct bytes){ 0 });
         i < secrets->count && is_of(secrets->list[i], whose); i++) {
        const struct secret *secret = secrets->list[i];
        if (name != NULL && strcmp(secret->name, name) != 0)
            continue;
        json_t *row = secret_json(secret, now_s);
        if (name != NULL) {
            json_object_set_new(row, "history", secret_changes_json(secret));
            json_object_set_new(row, "releases", secret_releases_json(secret));
        }
        failed = failed || json_array_append_new(rows, row) != 0;
    }
    json_t *made =
        json_pack("{s:s, s:o}", "owner", hex_of_digest(&whose->owner).text, "secrets", rows);
    if (made == NULL || failed) {
        json_decref(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a list of secrets");
    }
    if (name != NULL && json_array_size(rows) == 0) {
        json_decref(made);
        return error_set(error, ERROR_NOT_FOUND, "there is no secret %s",
                         error_quote(bytes_of_string(name)).text);
    }
    *list = made;
    return true;
}

/* --- with time --- */

static bool secret_sweep(struct secrets *secrets, const struct secret *secret, int64_t now_s,
                         struct error *error)
{
    AUTO(secret) struct secret *draft = NULL;
    AUTO_BATCH struct batch batch;
    struct change change = { secret->owner, "node", now_s };
    char detail[120];
    uint64_t ended = 0, released = 0;
    batch_init(&batch);
    for (size_t i = 0; i < secret->version_count; i++)
        ended += has_ended(&secret->versions[i], now_s);
    for (size_t i = 0; i < secret->release_count; i++)
        released += secret->releases[i].count - secret->releases[i].written;
    if (ended == 0 && released == 0)
        return true;
    if (!secret_copy(&draft, secret, error))
        return false;
    for (size_t i = draft->version_count; i-- > 0;) {
        if (!has_ended(&draft->versions[i], now_s))
            continue;
        secret_change_add(draft, "end", draft->versions[i].number, &change);
        version_drop(draft, i, &batch);
    }
    for (size_t i = 0; i < draft->release_count; i++)
        draft->releases[i].written = draft->releases[i].count;
    snprintf(detail, sizeof(detail), "%" PRIu64 " versions ended, %" PRIu64 " further releases",
             ended, released);
    struct object_text object = object_of(draft, 0);
    struct audit_event event = { "secret-sweep", object.text, detail };
    return draft_apply(secrets, &draft, &batch, &change, &event, error);
}

bool secrets_sweep(struct secrets *secrets, int64_t now_s, struct error *error)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (!secret_sweep(secrets, secrets->list[i], now_s, error))
            return error_within(error, "secrets");
    }
    return true;
}
