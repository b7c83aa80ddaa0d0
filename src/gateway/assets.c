/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/assets.h"

#include "core/hex.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    TAG_SIZE = 16
};

struct tag {
    bool is_known;
    uint8_t bytes[TAG_SIZE];
};

struct assets {
    struct files files;
    struct tag *tags; /* by node */
};

bool assets_new(struct assets **assets, struct bytes archive, struct error *error)
{
    struct assets *made = calloc(1, sizeof(*made));
    if (made == NULL || !files_view(&made->files, archive)) {
        assets_free(made);
        return error_set(error, ERROR_CORRUPT, "not an archive of files");
    }
    made->tags = calloc(MAX(made->files.node_count, 1u), sizeof(*made->tags));
    if (made->tags == NULL) {
        assets_free(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for files");
    }
    *assets = made;
    return true;
}

void assets_free(struct assets *assets)
{
    if (assets == NULL)
        return;
    free(assets->tags);
    free(assets);
}

/* A segment as a name; false: it can't be one. */
static bool name_decode(uint8_t name[FILES_NAME_SIZE_MAX], size_t *size, struct bytes segment)
{
    *size = 0;
    for (size_t i = 0; i < segment.size; i++) {
        uint8_t byte = segment.data[i];
        if (byte == '%') {
            if (!hex_decode(&byte, 1, bytes_part(segment, i + 1, 2)))
                return false;
            i += 2;
        }
        if (*size == FILES_NAME_SIZE_MAX)
            return false;
        name[(*size)++] = byte;
    }
    return files_is_name(bytes_of(name, *size));
}

static bool descend(const struct files *files, uint32_t *node, struct bytes path)
{
    for (bool more = path.size > 0; more;) {
        uint8_t name[FILES_NAME_SIZE_MAX];
        size_t size;
        struct bytes segment = bytes_part(path, 0, bytes_find(path, '/'));
        more = segment.size < path.size; /* behind a last slash is an empty name */
        path = bytes_part(path, segment.size + 1, path.size);
        if (files_node_at(files, *node).kind != FILES_FOLDER ||
            !name_decode(name, &size, segment) ||
            !files_find(files, *node, bytes_of(name, size), node))
            return false;
    }
    return true;
}

/* The file beside it whose name goes on so. */
static bool beside(const struct files *files, const struct files_node *node, const char *ending,
                   uint32_t *index)
{
    uint8_t name[FILES_NAME_SIZE_MAX + 8];
    struct bytes own = files_name(files, node);
    size_t more = strlen(ending);
    memcpy(name, own.data, own.size);
    memcpy(name + own.size, ending, more);
    return files_find(files, node->parent, bytes_of(name, own.size + more), index) &&
           files_node_at(files, *index).kind == FILES_REGULAR;
}

static void tag_write(struct assets *assets, uint32_t index, struct bytes content, char *etag)
{
    struct tag *tag = &assets->tags[index];
    if (!tag->is_known) {
        struct digest32 digest = sha256_of(content);
        memcpy(tag->bytes, digest.bytes, sizeof(tag->bytes));
        tag->is_known = true;
    }
    etag[0] = '"';
    hex_encode(etag + 1, BYTES_OF(tag->bytes));
    etag[1 + 2 * TAG_SIZE] = '"';
    etag[2 + 2 * TAG_SIZE] = '\0';
}

/* Below the folder; "" and what ends in a slash name a folder, whose index it is then. */
static bool find_node(const struct files *files, const char *folder, struct bytes path,
                      const char *index, uint32_t *node)
{
    *node = 0;
    if (files->node_count == 0 || !descend(files, node, bytes_of_string(folder)))
        return false;
    if (path.size == 0 && files_node_at(files, *node).kind == FILES_REGULAR)
        return true; /* a route of one file */
    bool names_folder = path.size == 0 || path.data[path.size - 1] == '/';
    if (names_folder && path.size > 0)
        path.size--;
    return descend(files, node, path) &&
           (!names_folder || descend(files, node, bytes_of_string(index)));
}

bool assets_find(struct assets *assets, const char *folder, struct bytes path, const char *index,
                 struct bytes accept_encoding, struct asset *asset)
{
    static const char *const endings[ENCODING_COUNT] = { "", ".gz", ".br" };
    const struct files *files = &assets->files;
    uint32_t nodes[ENCODING_COUNT];
    unsigned available = 1u << ENCODING_IDENTITY;
    if (!find_node(files, folder, path, index, &nodes[ENCODING_IDENTITY]))
        return false;
    struct files_node node = files_node_at(files, nodes[ENCODING_IDENTITY]);
    if (node.kind != FILES_REGULAR)
        return false;
    for (unsigned i = ENCODING_GZIP; i < ENCODING_COUNT; i++)
        available |= (unsigned)beside(files, &node, endings[i], &nodes[i]) << i;
    asset->name = files_name(files, &node);
    asset->has_variants = available != 1u << ENCODING_IDENTITY;
    asset->encoding = encoding_choose(accept_encoding, available);
    struct files_node chosen = files_node_at(files, nodes[asset->encoding]);
    asset->content = files_data(files, &chosen);
    tag_write(assets, nodes[asset->encoding], asset->content, asset->etag);
    return true;
}
