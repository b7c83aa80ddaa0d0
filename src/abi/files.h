/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a function: one flat, read-only archive of folders, regular files and symbolic
 * links.
 *
 * Written by files (which gathers them), checked by slipstream, mapped at LAYOUT_FILES and read by
 * the guest.  Little-endian, in this order and without space between, so that one tree has exactly
 * one form and the digest of the archive is the digest of the tree:
 *
 *   header    FILES_HEADER_SIZE bytes: magic, version, preopen count, node count, 0 (u32 each),
 *             sizes of strings and content (u64 each), zeros
 *   nodes     FILES_NODE_SIZE bytes each, see struct files_node
 *   strings   names and targets in the order of the nodes, each node's name before its target
 *   content   the regular files' bytes in the order of the nodes
 *
 * The first nodes are the preopened folders, in the order in which the guest numbers them; their
 * names are guest paths ("/", "/data").  Then come the children of node 0, of node 1 and so on,
 * each folder's together and sorted by the bytes of their names.  A name is 1 to 255 bytes of UTF-8
 * without '/' and NUL, and neither "." nor "..". */
#ifndef ABI_FILES_H
#define ABI_FILES_H

#include "core/bytes.h"
#include "core/writer.h"

#define FILES_MAGIC   "S3NFILES"
#define FILES_VERSION 1u

enum {
    FILES_HEADER_SIZE = 64,
    FILES_NODE_SIZE = 48,
    FILES_NAME_SIZE_MAX = 255,
    FILES_PREOPEN_SIZE_MAX = 1024, /* of a preopened folder's name */
    FILES_TARGET_SIZE_MAX = 4095,
    FILES_PREOPEN_COUNT_MAX = 16,
    FILES_NODE_COUNT_MAX = 1 << 16,
    FILES_SIZE_MAX = 64 << 20 /* of the whole archive */
};

enum files_kind {
    FILES_FOLDER = 1, /* offset: index of its first child; size: how many */
    FILES_REGULAR,    /* offset, size: in the content */
    FILES_LINK        /* offset, size: of the target, in the strings */
};

/* u32 kind, parent, name offset, name size; u64 modified, offset, size; u64 0. */
struct files_node {
    uint32_t kind;   /* enum files_kind */
    uint32_t parent; /* index of the folder; of a preopened folder its own */
    uint32_t name_offset;
    uint32_t name_size;
    uint64_t modified_ns; /* since 1970 */
    uint64_t offset;
    uint64_t size;
};

/* A view; everything borrows the source. */
struct files {
    uint32_t preopen_count;
    uint32_t node_count;
    struct bytes nodes;
    struct bytes strings;
    struct bytes content;
};

/* Checks all there is: code after this may use the view without checks, and finds no cycles.
 * false: *reason says what is wrong (a constant text). */
MUST_CHECK bool files_parse(struct files *files, struct bytes source, const char **reason);
/* The parts by the header alone, of an archive that was checked before.  false: not even that. */
MUST_CHECK bool files_view(struct files *files, struct bytes source);
struct files_node files_node_at(const struct files *files, uint32_t index);
struct bytes files_name(const struct files *files, const struct files_node *node);
/* A regular file's bytes or a link's target. */
struct bytes files_data(const struct files *files, const struct files_node *node);
/* The child called `name`; false when there is none. */
bool files_find(const struct files *files, uint32_t folder, struct bytes name, uint32_t *index);
/* Whether it may stand in a folder. */
bool files_is_name(struct bytes name);
/* <0, 0, >0: the order of a folder's children. */
int files_compare(struct bytes left, struct bytes right);

void files_header_write(struct writer *writer, const struct files *files);
void files_node_write(struct writer *writer, const struct files_node *node);

#endif
