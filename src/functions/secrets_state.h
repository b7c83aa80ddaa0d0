/* SPDX-License-Identifier: Apache-2.0 */
/* Inside functions: a secret in memory and as a record. */
#ifndef FUNCTIONS_SECRETS_STATE_H
#define FUNCTIONS_SECRETS_STATE_H

#include "functions/secrets.h"

struct secret_version {
    uint64_t number;
    int64_t set_s;
    int64_t ends_s; /* 0: the present one */
    uint64_t size;  /* of the value */
    char actor[ACTOR_SIZE_MAX + 1];
    struct buffer sealed; /* empty: not read yet */
};

struct secret_change {
    char action[8]; /* set, rotate, remove, end */
    uint64_t version;
    int64_t time_s;
    char actor[ACTOR_SIZE_MAX + 1];
};

/* All that one version of a function got of one version of a secret. */
struct secret_releases {
    uint64_t secret_version;
    char function[NAME_SIZE_MAX + 1];
    char version[VERSION_SIZE_MAX + 1];
    struct digest32 manifest;
    uint64_t count, written;
    int64_t first_s, last_s;
};

struct secret {
    char application[NAME_SIZE_MAX + 1];
    struct digest32 owner;
    char name[SECRET_NAME_SIZE_MAX + 1];
    uint64_t last; /* number of the last version ever */
    struct secret_version
        versions[SECRET_VERSION_COUNT_MAX]; /* ascending; the last may be present */
    size_t version_count;
    struct secret_change changes[SECRET_HISTORY_COUNT_MAX]; /* the latest, oldest first */
    size_t change_count;
    struct secret_releases releases[SECRET_RELEASE_COUNT_MAX]; /* the latest, oldest first */
    size_t release_count;
    uint64_t revision; /* of the record */
};

/* The values' memory. */
void secret_free(struct secret *secret);
DEFINE_AUTO(secret, secret_free)
/* Without the values' memory. */
MUST_CHECK bool secret_copy(struct secret **copy, const struct secret *secret, struct error *error);
void secret_change_add(struct secret *secret, const char *action, uint64_t version,
                       const struct change *change);
/* The record; and back. */
MUST_CHECK bool secret_write(struct buffer *text, const struct secret *secret, struct error *error);
MUST_CHECK bool secret_read(struct secret **secret, struct bytes text, struct error *error);
/* Parts of it for people too; NULL without memory. */
json_t *secret_versions_json(const struct secret *secret);
json_t *secret_changes_json(const struct secret *secret);
json_t *secret_releases_json(const struct secret *secret);

#endif
