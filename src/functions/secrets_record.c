/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "functions/secrets_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void secret_free(struct secret *secret)
{
    if (secret == NULL)
        return;
    for (size_t i = 0; i < secret->version_count; i++)
        buffer_done(&secret->versions[i].sealed);
    free(secret);
}

bool secret_copy(struct secret **copy, const struct secret *secret, struct error *error)
{
    struct secret *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    *made = *secret;
    for (size_t i = 0; i < made->version_count; i++)
        buffer_init(&made->versions[i].sealed, STORE_VALUE_SIZE_MAX);
    *copy = made;
    return true;
}

void secret_change_add(struct secret *secret, const char *action, uint64_t version,
                       const struct change *change)
{
    if (secret->change_count == SECRET_HISTORY_COUNT_MAX) {
        secret->change_count--;
        memmove(&secret->changes[0], &secret->changes[1],
                secret->change_count * sizeof(secret->changes[0]));
    }
    struct secret_change *added = &secret->changes[secret->change_count++];
    *added = (struct secret_change){ .version = version, .time_s = change->now_s };
    snprintf(added->action, sizeof(added->action), "%s", action);
    snprintf(added->actor, sizeof(added->actor), "%s", change->actor);
}

/* --- to JSON --- */

json_t *secret_versions_json(const struct secret *secret)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < secret->version_count; i++) {
        const struct secret_version *version = &secret->versions[i];
        json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:I, s:I}", "actor", version->actor,
                                              "ends_s", (json_int_t)version->ends_s, "number",
                                              (json_int_t)version->number, "set_s",
                                              (json_int_t)version->set_s, "size",
                                              (json_int_t)version->size));
    }
    return rows;
}

json_t *secret_changes_json(const struct secret *secret)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < secret->change_count; i++) {
        const struct secret_change *change = &secret->changes[i];
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:I, s:I}", "action", change->action, "actor",
                                        change->actor, "time_s", (json_int_t)change->time_s,
                                        "version", (json_int_t)change->version));
    }
    return rows;
}

json_t *secret_releases_json(const struct secret *secret)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < secret->release_count; i++) {
        const struct secret_releases *release = &secret->releases[i];
        json_array_append_new(
            rows, json_pack("{s:I, s:I, s:s, s:I, s:s, s:I, s:s}", "count",
                            (json_int_t)release->count, "first_s", (json_int_t)release->first_s,
                            "function", release->function, "last_s", (json_int_t)release->last_s,
                            "manifest", hex_of_digest(&release->manifest).text, "secret_version",
                            (json_int_t)release->secret_version, "version", release->version));
    }
    return rows;
}

bool secret_write(struct buffer *text, const struct secret *secret, struct error *error)
{
    AUTO_JSON json_t *tree =
        json_pack("{s:s, s:o, s:I, s:s, s:s, s:o, s:o}", "application", secret->application,
                  "history", secret_changes_json(secret), "last", (json_int_t)secret->last, "name",
                  secret->name, "owner", hex_of_digest(&secret->owner).text, "releases",
                  secret_releases_json(secret), "versions", secret_versions_json(secret));
    if (tree == NULL || !json_canonical(text, tree, error))
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret's record");
    return true;
}

/* --- from JSON --- */

static bool text_get(const json_t *row, const char *key, char *target, size_t size,
                     struct error *error)
{
    const char *text;
    if (!json_get_string(row, key, &text, error))
        return false;
    if (strlen(text) >= size)
        return error_set(error, ERROR_CORRUPT, "too long a %s", key);
    memcpy(target, text, strlen(text) + 1);
    return true;
}

static bool number_get(const json_t *row, const char *key, uint64_t *number, struct error *error)
{
    int64_t read;
    if (!json_get_integer(row, key, 0, INT64_MAX, &read, error))
        return false;
    *number = (uint64_t)read;
    return true;
}

static bool version_read(struct secret_version *version, const json_t *row, struct error *error)
{
    buffer_init(&version->sealed, STORE_VALUE_SIZE_MAX);
    return text_get(row, "actor", version->actor, sizeof(version->actor), error) &&
           json_get_integer(row, "ends_s", 0, INT64_MAX, &version->ends_s, error) &&
           number_get(row, "number", &version->number, error) &&
           json_get_integer(row, "set_s", 0, INT64_MAX, &version->set_s, error) &&
           number_get(row, "size", &version->size, error);
}

static bool change_read(struct secret_change *change, const json_t *row, struct error *error)
{
    return text_get(row, "action", change->action, sizeof(change->action), error) &&
           text_get(row, "actor", change->actor, sizeof(change->actor), error) &&
           json_get_integer(row, "time_s", 0, INT64_MAX, &change->time_s, error) &&
           number_get(row, "version", &change->version, error);
}

static bool releases_read(struct secret_releases *release, const json_t *row, struct error *error)
{
    bool done = number_get(row, "count", &release->count, error) &&
                json_get_integer(row, "first_s", 0, INT64_MAX, &release->first_s, error) &&
                text_get(row, "function", release->function, sizeof(release->function), error) &&
                json_get_integer(row, "last_s", 0, INT64_MAX, &release->last_s, error) &&
                json_get_hex(row, "manifest", release->manifest.bytes,
                             sizeof(release->manifest.bytes), error) &&
                number_get(row, "secret_version", &release->secret_version, error) &&
                text_get(row, "version", release->version, sizeof(release->version), error);
    release->written = release->count;
    return done;
}

static bool rows_get(const json_t *tree, const char *key, size_t count_max, json_t **rows,
                     struct error *error)
{
    return json_get_array(tree, key, rows, error) &&
           (json_array_size(*rows) <= count_max ||
            error_set(error, ERROR_CORRUPT, "too many %s", key));
}

static bool rows_read(struct secret *secret, const json_t *tree, struct error *error)
{
    json_t *versions, *changes, *releases;
    if (!rows_get(tree, "versions", SECRET_VERSION_COUNT_MAX, &versions, error) ||
        !rows_get(tree, "history", SECRET_HISTORY_COUNT_MAX, &changes, error) ||
        !rows_get(tree, "releases", SECRET_RELEASE_COUNT_MAX, &releases, error))
        return false;
    for (; secret->version_count < json_array_size(versions); secret->version_count++) {
        if (!version_read(&secret->versions[secret->version_count],
                          json_array_get(versions, secret->version_count), error))
            return false;
    }
    for (; secret->change_count < json_array_size(changes); secret->change_count++) {
        if (!change_read(&secret->changes[secret->change_count],
                         json_array_get(changes, secret->change_count), error))
            return false;
    }
    for (; secret->release_count < json_array_size(releases); secret->release_count++) {
        if (!releases_read(&secret->releases[secret->release_count],
                           json_array_get(releases, secret->release_count), error))
            return false;
    }
    return true;
}

bool secret_read(struct secret **secret, struct bytes text, struct error *error)
{
    AUTO_JSON json_t *tree = NULL;
    AUTO(secret) struct secret *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    if (!json_parse(&tree, text, error) ||
        !text_get(tree, "application", made->application, sizeof(made->application), error) ||
        !number_get(tree, "last", &made->last, error) ||
        !text_get(tree, "name", made->name, sizeof(made->name), error) ||
        !json_get_hex(tree, "owner", made->owner.bytes, sizeof(made->owner.bytes), error) ||
        !rows_read(made, tree, error))
        return false;
    *secret = TAKE(made);
    return true;
}
