/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/collateral_source.h"
#include "base/file.h"
#include "base/toml.h"
#include "cmd/s3n/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONFIG_SIZE_MAX = 64 << 10,
    AUTHORITIES_SIZE_MAX = 1 << 20,
    KEY_SIZE_MAX = 256,
    TIMEOUT_S_MAX = 600
};

void collateral_source_done(struct collateral_source *source)
{
    buffer_done(&source->authorities);
    buffer_done(&source->intel_key);
    json_decref(source->file);
    *source = (struct collateral_source){ 0 };
}

static const char *const keys[] = { "fetch",     "intel_url",  "root_crl_url", "amd_url",
                                    "update",    "service_ca", "intel_key",    "cache",
                                    "timeout_s", NULL };

static bool file_read_toml(struct collateral_source *source, struct error *error)
{
    char path[4096];
    AUTO_BUFFER struct buffer text;
    AUTO_TOML struct toml_document document = { 0 };
    buffer_init(&text, CONFIG_SIZE_MAX);
    /* Without a home there is no file either. */
    if (!profile_path(path, sizeof(path), "collateral.toml", error)) {
        source->file = json_object();
        return source->file != NULL;
    }
    if (!file_read(&text, path, error)) {
        source->file = json_object();
        return error->code == ERROR_NOT_FOUND;
    }
    if (!toml_parse(&document, path, buffer_view(&text), error) ||
        (!json_check_keys(document.root, keys, "collateral", error) &&
         !error_within(error, "%s", path)))
        return false;
    source->file = json_incref(document.root);
    return true;
}

/* A word of the command, or else of the file; NULL for neither. */
static bool text_choose(const char **target, const char *word,
                        const struct collateral_source *source, const char *key,
                        struct error *error)
{
    *target = word;
    if (word != NULL || json_object_get(source->file, key) == NULL)
        return true;
    return json_get_string(source->file, key, target, error) ||
           error_within(error, "collateral.toml");
}

static bool url_choose(const char **target, const char *word,
                       const struct collateral_source *source, const char *key, struct error *error)
{
    if (!text_choose(target, word, source, key, error))
        return false;
    if (*target == NULL || strncmp(*target, "https://", 8) == 0 ||
        strncmp(*target, "http://", 7) == 0)
        return true;
    return error_set(error, word != NULL ? ERROR_USAGE : ERROR_INVALID,
                     "%s must begin with https:// or http://", key);
}

static bool choice_read(const struct collateral_source *source, const char *key, const char *first,
                        const char *second, const char **found, struct error *error)
{
    if (!text_choose(found, NULL, source, key, error))
        return false;
    return *found == NULL || strcmp(*found, first) == 0 || strcmp(*found, second) == 0 ||
           error_set(error, ERROR_INVALID, "collateral.toml: %s must be \"%s\" or \"%s\"", key,
                     first, second);
}

/* $XDG_CACHE_HOME/s3n/collateral; without a home there is no cache. */
static bool cache_choose(struct collateral_source *source, const char *word, struct error *error)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *chosen;
    int size = 0;
    if (!text_choose(&chosen, word, source, "cache", error))
        return false;
    if (chosen != NULL)
        size = snprintf(source->cache, sizeof(source->cache), "%s", chosen);
    else if (base != NULL && base[0] == '/')
        size = snprintf(source->cache, sizeof(source->cache), "%s/s3n/collateral", base);
    else if (home != NULL && home[0] == '/')
        size = snprintf(source->cache, sizeof(source->cache), "%s/.cache/s3n/collateral", home);
    if (size >= (int)sizeof(source->cache))
        return error_set(error, ERROR_USAGE, "the cache's path is too long");
    source->options.folder = size > 0 ? source->cache : NULL;
    return true;
}

static bool network_choose(struct collateral_source *source, const struct collateral_words *words,
                           struct error *error)
{
    const char *authorities, *key;
    int64_t timeout_s = 0;
    if (!text_choose(&authorities, words->authorities, source, "service_ca", error) ||
        !text_choose(&key, NULL, source, "intel_key", error) ||
        (authorities != NULL && !file_read(&source->authorities, authorities, error)) ||
        (key != NULL && !file_read(&source->intel_key, key, error)) ||
        (json_object_get(source->file, "timeout_s") != NULL &&
         !json_get_integer(source->file, "timeout_s", 1, TIMEOUT_S_MAX, &timeout_s, error)))
        return false;
    source->options.timeout_ms = (unsigned)timeout_s * 1000;
    source->options.network.authorities = buffer_view(&source->authorities);
    if (key == NULL)
        return true;
    struct buffer *text = &source->intel_key;
    while (text->size > 0 &&
           (text->data[text->size - 1] == '\n' || text->data[text->size - 1] == ' '))
        text->size--;
    buffer_append(text, bytes_of("", 1));
    source->options.network.intel_key = (const char *)text->data;
    return !text->failed || error_set(error, ERROR_INVALID, "intel_key: no key is that long");
}

bool collateral_source_open(struct collateral_source *source, const struct collateral_words *words,
                            struct error *error)
{
    struct collateral_places *places = &source->options.places;
    const char *fetch;
    *source = (struct collateral_source){ .options.network = collateral_network_system };
    buffer_init(&source->authorities, AUTHORITIES_SIZE_MAX);
    buffer_init(&source->intel_key, KEY_SIZE_MAX);
    if (!file_read_toml(source, error) ||
        !choice_read(source, "fetch", "always", "asked", &fetch, error) ||
        !choice_read(source, "update", "standard", "early", &places->update, error) ||
        !url_choose(&places->intel_url, words->intel_url, source, "intel_url", error) ||
        !url_choose(&places->root_crl_url, words->root_crl_url, source, "root_crl_url", error) ||
        !url_choose(&places->amd_url, words->amd_url, source, "amd_url", error) ||
        !cache_choose(source, words->cache, error) || !network_choose(source, words, error))
        return false;
    source->is_always = fetch != NULL && strcmp(fetch, "always") == 0;
    source->is_used = words->fetch || words->offline;
    source->options.is_offline = words->offline;
    source->options.is_stale_allowed = words->allow_stale;
    return true;
}
