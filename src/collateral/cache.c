/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/cache.h"

#include "base/file.h"
#include "base/json.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CACHE_VERSION = 1
};

struct path {
    char text[PATH_MAX];
};

static bool path_of(struct path *path, const char *folder, const char *prefix, struct bytes name,
                    struct error *error)
{
    struct digest32 digest = sha256_of(name);
    return snprintf(path->text, sizeof(path->text), "%s/%s%.40s", folder, prefix,
                    hex_of_digest(&digest).text) < (int)sizeof(path->text) ||
           error_set(error, ERROR_INVALID, "the cache's path is too long");
}

static const char *const keys[] = { "s3n_collateral", "url",   "fetched", "max_age",
                                    "body",           "chain", NULL };

static bool entry_parse(struct collateral_entry *entry, const struct collateral_wish *wish,
                        const json_t *root, struct error *error)
{
    const char *url, *body, *chain;
    int64_t version;
    AUTO_BUFFER struct buffer space;
    buffer_init(&space, COLLATERAL_FILE_SIZE_MAX);
    if (!json_check_keys(root, keys, "collateral", error) ||
        !json_get_integer(root, "s3n_collateral", CACHE_VERSION, CACHE_VERSION, &version, error) ||
        !json_get_string(root, "url", &url, error) ||
        !json_get_string(root, "body", &body, error) ||
        !json_get_string(root, "chain", &chain, error) ||
        !json_get_integer(root, "fetched", 0, INT64_MAX, &entry->fetched_s, error) ||
        !json_get_integer(root, "max_age", -1, INT64_MAX, &entry->max_age_s, error))
        return false;
    size_t capacity = strlen(body), size = 0;
    uint8_t *room = buffer_reserve(&space, capacity + 1);
    if (room == NULL || strcmp(url, wish->url) != 0 ||
        !base64_decode(room, capacity, &size, bytes_of_string(body)))
        return error_set(error, ERROR_INVALID, "no collateral of this address");
    return collateral_piece_read(&entry->piece, wish, bytes_of(room, size), bytes_of_string(chain),
                                 error);
}

bool collateral_cache_get(struct collateral_entry *entry, const char *folder,
                          const struct collateral_wish *wish)
{
    struct path path;
    struct error unused;
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *root = NULL;
    buffer_init(&text, COLLATERAL_FILE_SIZE_MAX);
    return folder != NULL && path_of(&path, folder, "", bytes_of_string(wish->url), &unused) &&
           file_read(&text, path.text, &unused) && json_parse(&root, buffer_view(&text), &unused) &&
           entry_parse(entry, wish, root, &unused);
}

/* Removes the file that was written first, when there are as many as there may be. */
static void make_room(const char *folder)
{
    DIR *list = opendir(folder);
    const struct dirent *item;
    struct timespec oldest = { .tv_sec = 0 };
    char name[NAME_MAX + 1] = "";
    size_t count = 0;
    while (list != NULL && (item = readdir(list)) != NULL) {
        struct stat status;
        if (item->d_name[0] == '.' ||
            fstatat(dirfd(list), item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        count++;
        bool is_older =
            name[0] == '\0' || status.st_mtim.tv_sec < oldest.tv_sec ||
            (status.st_mtim.tv_sec == oldest.tv_sec && status.st_mtim.tv_nsec < oldest.tv_nsec);
        if (is_older) {
            oldest = status.st_mtim;
            snprintf(name, sizeof(name), "%s", item->d_name);
        }
    }
    if (list != NULL && count >= COLLATERAL_FILE_COUNT_MAX)
        (void)unlinkat(dirfd(list), name, 0);
    if (list != NULL)
        closedir(list);
}

bool collateral_cache_put(const struct collateral_entry *entry, const char *folder,
                          const struct collateral_wish *wish, struct error *error)
{
    struct path path;
    AUTO_BUFFER struct buffer text, encoded;
    const struct buffer *chain = &entry->piece.chain;
    buffer_init(&text, COLLATERAL_FILE_SIZE_MAX);
    buffer_init(&encoded, COLLATERAL_FILE_SIZE_MAX);
    base64_append(&encoded, buffer_view(&entry->piece.body));
    AUTO_JSON json_t *root =
        json_pack("{s:i, s:s, s:I, s:I, s:s%, s:s%}", keys[0], CACHE_VERSION, keys[1], wish->url,
                  keys[2], (json_int_t)entry->fetched_s, keys[3], (json_int_t)entry->max_age_s,
                  keys[4], (const char *)encoded.data, encoded.size, keys[5],
                  chain->size == 0 ? "" : (const char *)chain->data, chain->size);
    if (root == NULL || encoded.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory to keep collateral");
    if (!path_of(&path, folder, "", bytes_of_string(wish->url), error) ||
        !file_make_folder(folder, 0700, error) || !json_canonical(&text, root, error))
        return false;
    if (access(path.text, F_OK) != 0)
        make_room(folder);
    return file_replace(path.text, buffer_view(&text), 0600, error);
}

int64_t collateral_refresh_s(const struct collateral_entry *entry, enum collateral_part part)
{
    const struct collateral_piece *piece = &entry->piece;
    bool is_certificate =
        part == COLLATERAL_PCK_CHAIN || part == COLLATERAL_VEK || part == COLLATERAL_INTERMEDIATE;
    int64_t age_s = is_certificate ? COLLATERAL_CERTIFICATE_AGE_S : COLLATERAL_LIST_AGE_S;
    if (entry->max_age_s >= 0)
        age_s = MAX(MIN(age_s, entry->max_age_s), (int64_t)COLLATERAL_AGE_S_MIN);
    int64_t margin_s =
        MIN((piece->next_update_s - piece->issued_s) / 4, (int64_t)COLLATERAL_MARGIN_S_MAX);
    int64_t early_s = piece->next_update_s - MAX(margin_s, 0);
    /* Close to its end it is asked for again and again, but not all the time. */
    return MIN(entry->fetched_s + age_s, MAX(early_s, entry->fetched_s + COLLATERAL_AGE_S_MIN));
}

/* "https://host:port" of an address. */
static struct bytes service_of(const char *url)
{
    struct bytes text = bytes_of_string(url);
    size_t scheme = bytes_find(text, ':') + 3;
    struct bytes rest = bytes_part(text, scheme, SIZE_MAX);
    return bytes_part(text, 0, scheme + bytes_find(rest, '/'));
}

int64_t collateral_cache_refused_until(const char *folder, const char *url)
{
    struct path path;
    struct error unused;
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *root = NULL;
    int64_t until_s = 0;
    buffer_init(&text, 256);
    if (folder == NULL || !path_of(&path, folder, "wait-", service_of(url), &unused) ||
        !file_read(&text, path.text, &unused) || !json_parse(&root, buffer_view(&text), &unused) ||
        !json_get_integer(root, "until", 0, INT64_MAX, &until_s, &unused))
        return 0;
    return until_s;
}

void collateral_cache_refuse(const char *folder, const char *url, int64_t until_s)
{
    struct path path;
    struct error unused;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 256);
    buffer_format(&text, "{\"until\":%lld}", (long long)until_s);
    if (folder != NULL && path_of(&path, folder, "wait-", service_of(url), &unused) &&
        file_make_folder(folder, 0700, &unused))
        (void)!file_replace(path.text, buffer_view(&text), 0600, &unused);
}
