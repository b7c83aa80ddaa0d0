/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/profile.h"
#include "base/file.h"
#include "base/secret.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct path {
    char text[PATH_MAX];
};

static const char *chosen_folder;

void profile_use_folder(const char *folder)
{
    chosen_folder = folder;
}

static bool folder_of(struct path *folder, struct error *error)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const char *between = "";
    if (base == NULL || base[0] != '/') {
        base = home;
        between = "/.config";
    }
    if (base == NULL || base[0] != '/')
        return error_set(error, ERROR_INVALID, "neither $XDG_CONFIG_HOME nor $HOME is a path");
    if (snprintf(folder->text, sizeof(folder->text), "%s%s/s3n", base, between) >=
        (int)sizeof(folder->text))
        return error_set(error, ERROR_INVALID, "the configuration folder's path is too long");
    return true;
}

static bool path_of(struct path *path, const char *name, struct error *error)
{
    struct path folder;
    if (chosen_folder == NULL && !folder_of(&folder, error))
        return false;
    const char *used = chosen_folder == NULL ? folder.text : chosen_folder;
    if (snprintf(path->text, sizeof(path->text), "%s/%s", used, name) >= (int)sizeof(path->text))
        return error_set(error, ERROR_INVALID, "the configuration folder's path is too long");
    return file_make_folder(used, 0700, error);
}

bool profile_path(char *path, size_t size, const char *name, struct error *error)
{
    struct path made;
    if (!path_of(&made, name, error))
        return false;
    return snprintf(path, size, "%s", made.text) < (int)size ||
           error_set(error, ERROR_INVALID, "the configuration folder's path is too long");
}

void profile_init(struct profile *profile)
{
    *profile = (struct profile){ .code = json_object() };
    buffer_init(&profile->keyset, PROFILE_SIZE_MAX);
    buffer_init(&profile->policy, PROFILE_SIZE_MAX);
    buffer_init(&profile->root, PROFILE_SIZE_MAX);
}

void profile_done(struct profile *profile)
{
    buffer_done(&profile->keyset);
    buffer_done(&profile->policy);
    buffer_done(&profile->root);
    json_decref(profile->code);
    profile->code = NULL;
}

/* What earlier logins did not keep. */
static bool trust_parse(struct profile *profile, const json_t *root, struct error *error)
{
    const char *policy = json_string_value(json_object_get(root, "policy"));
    const char *encoded = json_string_value(json_object_get(root, "root"));
    buffer_clear(&profile->policy);
    buffer_clear(&profile->root);
    buffer_append_string(&profile->policy, policy == NULL ? "" : policy);
    size_t capacity = encoded == NULL ? 0 : strlen(encoded), size = 0;
    uint8_t *room = buffer_reserve(&profile->root, capacity + 1);
    if (room == NULL || profile->policy.failed ||
        (encoded != NULL && !base64_decode(room, capacity, &size, bytes_of_string(encoded))))
        return error_set(error, ERROR_INVALID, "policy or root is malformed");
    profile->root.size = size;
    return true;
}

static bool profile_parse(struct profile *profile, struct bytes text, struct error *error)
{
    static const char *const keys[] = { "url",   "trust_simulated", "policy", "root",
                                        "fetch", "keyset",          "code",   NULL };
    AUTO_JSON json_t *root = NULL;
    const char *url, *keyset;
    json_t *code;
    if (!json_parse(&root, text, error) || !json_check_keys(root, keys, "profile", error) ||
        !json_get_string(root, "url", &url, error) ||
        !json_get_string(root, "keyset", &keyset, error) ||
        !json_get_object(root, "code", &code, error))
        return false;
    if (strlen(url) > PROFILE_URL_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "url is too long");
    snprintf(profile->url, sizeof(profile->url), "%s", url);
    profile->fetches = json_is_true(json_object_get(root, "fetch"));
    profile->trust_simulated = json_is_true(json_object_get(root, "trust_simulated"));
    buffer_clear(&profile->keyset);
    buffer_append_string(&profile->keyset, keyset);
    json_decref(profile->code);
    profile->code = json_incref(code);
    return trust_parse(profile, root, error);
}

/* Nothing for what was not said. */
static bool trust_write(const struct profile *profile, json_t *root, struct error *error)
{
    struct bytes policy = buffer_view(&profile->policy);
    AUTO_BUFFER struct buffer encoded;
    buffer_init(&encoded, PROFILE_SIZE_MAX);
    base64_append(&encoded, buffer_view(&profile->root));
    bool done = policy.size == 0 ||
                json_object_set_new(root, "policy",
                                    json_stringn((const char *)policy.data, policy.size)) == 0;
    done = done && (encoded.size == 0 ||
                    json_object_set_new(
                        root, "root", json_stringn((const char *)encoded.data, encoded.size)) == 0);
    return done || error_set(error, ERROR_INVALID, "the policy can't be kept: it is not UTF-8");
}

bool profile_read(struct profile *profile, struct error *error)
{
    struct path path;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, PROFILE_SIZE_MAX);
    if (!path_of(&path, "profile.json", error))
        return false;
    if (!file_read(&text, path.text, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(error, ERROR_NOT_FOUND, "you are not logged in to a node");
        return false;
    }
    return profile_parse(profile, buffer_view(&text), error) ||
           error_within(error, "%s", path.text);
}

bool profile_write(const struct profile *profile, struct error *error)
{
    struct path path;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, PROFILE_SIZE_MAX);
    AUTO_JSON json_t *root =
        json_pack("{s:s, s:b, s:b, s:s%, s:O}", "url", profile->url, "fetch", (int)profile->fetches,
                  "trust_simulated", (int)profile->trust_simulated, "keyset",
                  (const char *)profile->keyset.data, profile->keyset.size, "code", profile->code);
    if (root == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the profile");
    return trust_write(profile, root, error) && path_of(&path, "profile.json", error) &&
           json_canonical(&text, root, error) &&
           file_replace(path.text, buffer_view(&text), 0600, error);
}

bool profile_code(const struct profile *profile, const char *name, struct digest32 *code)
{
    const char *hex = json_string_value(json_object_get(profile->code, name));
    return hex != NULL && hex_decode(code->bytes, sizeof(code->bytes), bytes_of_string(hex));
}

void profile_set_code(struct profile *profile, const char *name, const struct digest32 *code)
{
    json_object_set_new(profile->code, name, json_string(hex_of_digest(code).text));
}

void profile_forget(struct profile *profile, const char *application)
{
    const char *key;
    json_t *value;
    void *next;
    size_t size = strlen(application);
    json_object_foreach_safe(profile->code, next, key, value)
    {
        if (strncmp(key, application, size) == 0 && key[size] == '/')
            json_object_del(profile->code, key);
    }
}

static bool key_make(struct ecdsa_key **key, const char *path, struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *made = NULL;
    AUTO_SECRET_BUFFER struct secret_buffer pem = { 0 };
    if (!ecdsa_key_generate(&made, error) || !ecdsa_key_to_pem(&pem, made, error) ||
        !file_replace(path, bytes_of(pem.data, pem.size), 0600, error))
        return error_within(error, "owner's key");
    *key = TAKE(made);
    return true;
}

static bool key_open(struct ecdsa_key **key, const char *name, struct error *error)
{
    struct path path;
    AUTO_BUFFER struct buffer pem;
    buffer_init(&pem, 16 << 10);
    if (!path_of(&path, name, error))
        return false;
    if (!file_read(&pem, path.text, error))
        return error->code == ERROR_NOT_FOUND && key_make(key, path.text, error);
    bool opened = ecdsa_key_from_pem(key, buffer_view(&pem), error);
    secret_wipe(pem.data, pem.size);
    return opened || error_within(error, "%s", path.text);
}

bool owner_key_open(struct ecdsa_key **key, struct error *error)
{
    return key_open(key, "owner.key", error);
}

bool owner_key_next(struct ecdsa_key **key, struct error *error)
{
    return key_open(key, "owner.key.new", error);
}

static void name_before(char name[32], unsigned index)
{
    if (index == 0)
        snprintf(name, 32, "owner.key.old");
    else
        snprintf(name, 32, "owner.key.old.%u", index);
}

/* The latest of those before is owner.key.old; the others move to where nothing is. */
static bool key_before_move(struct error *error)
{
    struct path latest, place;
    char name[32];
    if (!path_of(&latest, "owner.key.old", error))
        return false;
    if (access(latest.text, F_OK) != 0)
        return true;
    for (unsigned i = 1; i < OWNER_KEYS_BEFORE_MAX; i++) {
        name_before(name, i);
        if (!path_of(&place, name, error))
            return false;
        if (access(place.text, F_OK) != 0)
            return rename(latest.text, place.text) == 0 ||
                   error_system(error, "rename %s", latest.text);
    }
    return error_set(error, ERROR_LIMIT, "there are %d keys of before in %s.*",
                     OWNER_KEYS_BEFORE_MAX, latest.text);
}

/* A key is in its place throughout, where files can have two names. */
bool owner_key_switch(struct error *error)
{
    struct path present, next, before;
    if (!path_of(&present, "owner.key", error) || !path_of(&next, "owner.key.new", error) ||
        !path_of(&before, "owner.key.old", error) || !key_before_move(error))
        return false;
    bool is_kept = link(present.text, before.text) == 0 || rename(present.text, before.text) == 0;
    return (is_kept && rename(next.text, present.text) == 0) ||
           error_system(error, "rename %s", next.text);
}

static bool key_before_read(struct ecdsa_key **key, unsigned index, struct error *error)
{
    AUTO_BUFFER struct buffer pem;
    struct path path;
    char name[32];
    buffer_init(&pem, 16 << 10);
    name_before(name, index);
    if (!path_of(&path, name, error) || !file_read(&pem, path.text, error))
        return false;
    bool opened = ecdsa_key_from_pem(key, buffer_view(&pem), error);
    secret_wipe(pem.data, pem.size);
    return opened || error_within(error, "%s", path.text);
}

/* Any of them may be missing: a switch was cut off, or somebody put one away. */
bool owner_keys_before(struct owner_keys_before *keys, struct error *error)
{
    struct owner_keys_before found = { 0 };
    for (unsigned i = 0; i < OWNER_KEYS_BEFORE_MAX; i++) {
        if (key_before_read(&found.items[found.count], i, error)) {
            found.count++;
        } else if (error->code != ERROR_NOT_FOUND) {
            owner_keys_before_done(&found);
            return false;
        }
    }
    *keys = found;
    return true;
}

void owner_keys_before_done(struct owner_keys_before *keys)
{
    while (keys->count > 0)
        ecdsa_key_free(keys->items[--keys->count]);
}
