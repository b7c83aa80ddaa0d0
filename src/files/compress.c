/* SPDX-License-Identifier: Apache-2.0 */
#include "files/compress.h"

#include "files/tree.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16, /* with gzip's frame */
    GZIP_MEMORY = 9,
    LEAST_SIZE = 256, /* below it the fields cost more than they save */
};

bool compress_gzip(struct buffer *target, struct bytes content, struct error *error)
{
    z_stream stream = { 0 };
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(error, ERROR_NO_MEMORY, "no memory to compress");
    size_t most = deflateBound(&stream, content.size);
    uint8_t *space = malloc(most);
    if (space == NULL) {
        deflateEnd(&stream);
        return error_set(error, ERROR_NO_MEMORY, "no memory to compress");
    }
    stream.next_in = (uint8_t *)(uintptr_t)content.data;
    stream.avail_in = (uInt)content.size;
    stream.next_out = space;
    stream.avail_out = (uInt)most;
    int status = deflate(&stream, Z_FINISH);
    buffer_append(target, bytes_of(space, most - stream.avail_out));
    deflateEnd(&stream);
    free(space);
    return status == Z_STREAM_END || error_set(error, ERROR_INTERNAL, "zlib did not end");
}

bool compress_brotli(struct buffer *target, struct bytes content, struct error *error)
{
    size_t size = BrotliEncoderMaxCompressedSize(content.size);
    uint8_t *space = size == 0 ? NULL : malloc(size);
    bool done = space != NULL && BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_DEFAULT_WINDOW,
                                                       BROTLI_DEFAULT_MODE, content.size,
                                                       content.data, &size, space) == BROTLI_TRUE;
    if (done)
        buffer_append(target, bytes_of(space, size));
    free(space);
    return done || error_set(error, ERROR_NO_MEMORY, "no memory to compress");
}

/* ---- a whole archive ---- */

struct copying {
    struct tree *tree;
    struct files files;
    const char *const *folders;
    size_t count;
};

static bool is_below(const struct copying *copying, struct bytes path)
{
    for (size_t i = 0; i < copying->count; i++) {
        struct bytes folder = bytes_of_string(copying->folders[i]);
        if (bytes_starts_with(path, folder) &&
            (path.size == folder.size || path.data[folder.size] == '/'))
            return true;
    }
    return false;
}

static bool has_ending(struct bytes name, const char *ending)
{
    size_t size = strlen(ending);
    return name.size > size && bytes_equal_string(bytes_part(name, name.size - size, size), ending);
}

static bool add_variant(const struct copying *copying, uint32_t parent, uint32_t old_parent,
                        struct bytes name, struct bytes content, bool is_brotli,
                        struct error *error)
{
    char longer[FILES_NAME_SIZE_MAX + 4];
    const char *ending = is_brotli ? ".br" : ".gz";
    uint32_t known;
    AUTO_BUFFER struct buffer small;
    buffer_init(&small, content.size - content.size / 10);
    if (name.size + 3 > FILES_NAME_SIZE_MAX)
        return true;
    memcpy(longer, name.data, name.size);
    memcpy(longer + name.size, ending, 3);
    struct bytes full = bytes_of(longer, name.size + 3);
    if (files_find(&copying->files, old_parent, full, &known))
        return true;
    if (!(is_brotli ? compress_brotli(&small, content, error)
                    : compress_gzip(&small, content, error)))
        return false;
    return small.failed ||
           tree_add_file(copying->tree, parent, full, 0, buffer_view(&small), error);
}

static bool add_variants(const struct copying *copying, uint32_t parent,
                         const struct files_node *node, struct error *error)
{
    struct bytes name = files_name(&copying->files, node);
    struct bytes content = files_data(&copying->files, node);
    if (content.size < LEAST_SIZE || has_ending(name, ".gz") || has_ending(name, ".br"))
        return true;
    return add_variant(copying, parent, node->parent, name, content, false, error) &&
           add_variant(copying, parent, node->parent, name, content, true, error);
}

/* Folders are within FILES_DEPTH of each other, as gather.h has it. */
static bool copy_folder(const struct copying *copying, uint32_t folder, uint32_t to,
                        const char *path, struct error *error)
{
    struct files_node node = files_node_at(&copying->files, folder);
    for (uint64_t i = 0; i < node.size; i++) {
        struct files_node child = files_node_at(&copying->files, (uint32_t)(node.offset + i));
        struct bytes name = files_name(&copying->files, &child);
        struct bytes data = files_data(&copying->files, &child);
        AUTO_BUFFER struct buffer longer;
        uint32_t made;
        buffer_init(&longer, FILES_SIZE_MAX);
        buffer_format(&longer, "%s%s%.*s", path, path[0] == '\0' ? "" : "/", (int)name.size,
                      (const char *)name.data);
        buffer_append(&longer, bytes_of("", 1));
        if (longer.failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory for files");
        struct bytes full = bytes_of(longer.data, longer.size - 1);
        bool added = true;
        if (child.kind == FILES_FOLDER)
            added = tree_add_folder(copying->tree, to, name, child.modified_ns, &made, error) &&
                    copy_folder(copying, (uint32_t)(node.offset + i), made,
                                (const char *)longer.data, error);
        else if (child.kind == FILES_LINK)
            added = tree_add_link(copying->tree, to, name, child.modified_ns, data, error);
        else
            added = tree_add_file(copying->tree, to, name, child.modified_ns, data, error) &&
                    (!is_below(copying, full) || add_variants(copying, to, &child, error));
        if (!added)
            return false;
    }
    return true;
}

bool compress_archive(struct buffer *target, struct bytes archive, const char *const *folders,
                      size_t count, struct error *error)
{
    AUTO(tree) struct tree *tree = NULL;
    struct copying copying = { .folders = folders, .count = count };
    const char *reason = "";
    uint32_t root;
    if (!files_parse(&copying.files, archive, &reason) || copying.files.preopen_count != 1)
        return error_set(error, ERROR_INVALID, "the archive of files is %s", reason);
    if (!tree_new(&tree, error) || !tree_add_preopened(tree, "/", &root, error))
        return false;
    copying.tree = tree;
    return copy_folder(&copying, 0, root, "", error) && tree_write(target, tree, error);
}
