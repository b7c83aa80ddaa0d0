/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/logs_seen.h"

#include "base/file.h"
#include "base/json.h"
#include "cmd/s3n/profile.h"
#include "core/hex.h"

#include <limits.h>
#include <stdio.h>

enum {
    SEEN_SIZE_MAX = 4 << 20,
    PLACE_SIZE = 100 + 1 + 64 + 1
};

static void place_of(char place[PLACE_SIZE], const char *node, const struct digest32 *stream)
{
    snprintf(place, PLACE_SIZE, "%.100s/%s", node, hex_of_digest(stream).text);
}

/* An empty object when there is no file. */
static bool file_open(json_t **root, char path[PATH_MAX], struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, SEEN_SIZE_MAX);
    if (!profile_path(path, PATH_MAX, "logs.json", error))
        return false;
    if (!file_read(&text, path, error)) {
        *root = json_object();
        return error->code == ERROR_NOT_FOUND;
    }
    return json_parse(root, buffer_view(&text), error) || error_within(error, "%s", path);
}

bool logs_seen_read(struct log_chain *seen, const char *node, const struct digest32 *stream,
                    struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    char path[PATH_MAX], place[PLACE_SIZE];
    int64_t number;
    json_t *entry;
    *seen = (struct log_chain){ .stream = *stream };
    place_of(place, node, stream);
    if (!file_open(&root, path, error))
        return false;
    if (json_object_get(root, place) == NULL)
        return true;
    if (!json_get_object(root, place, &entry, error) ||
        !json_get_integer(entry, "number", 1, INT64_MAX, &number, error) ||
        !json_get_hex(entry, "digest", seen->digest.bytes, sizeof(seen->digest.bytes), error))
        return error_within(error, "%s", path);
    seen->number = (uint64_t)number;
    seen->is_begun = true;
    return true;
}

bool logs_seen_write(const struct log_chain *seen, const char *node, struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    AUTO_BUFFER struct buffer text;
    char path[PATH_MAX], place[PLACE_SIZE];
    buffer_init(&text, SEEN_SIZE_MAX);
    place_of(place, node, &seen->stream);
    if (!file_open(&root, path, error))
        return false;
    if (json_object_set_new(root, place,
                            json_pack("{s:I, s:s}", "number", (json_int_t)seen->number, "digest",
                                      hex_of_digest(&seen->digest).text)) != 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    return json_canonical(&text, root, error) &&
           file_replace(path, buffer_view(&text), 0600, error);
}
