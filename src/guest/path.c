/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/path.h"

/* The rest of a path, and of the links on the way to here. */
struct walk {
    struct bytes rest[LINK_HOPS_MAX + 1];
    unsigned count;
    unsigned hops;
    uint32_t folder;
    unsigned depth; /* of `folder` below where it began */
    unsigned flags;
    bool went_up; /* the last name was ".." */
};

static enum wasi_errno path_check(struct bytes path)
{
    if (path.size == 0)
        return WASI_NOENT;
    if (path.size > PATH_SIZE_MAX)
        return WASI_NAMETOOLONG;
    if (bytes_find(path, 0) != path.size)
        return WASI_INVAL;
    if (!bytes_is_utf8(path))
        return WASI_ILSEQ;
    return path.data[0] == '/' ? WASI_NOTCAPABLE : WASI_SUCCESS;
}

static struct bytes skip_slashes(struct bytes path)
{
    size_t size = 0;
    while (size < path.size && path.data[size] == '/')
        size++;
    return bytes_part(path, size, path.size - size);
}

/* The next name; false at the end of everything. */
static bool walk_next(struct walk *walk, struct bytes *name)
{
    while (walk->count > 0) {
        struct bytes *rest = &walk->rest[walk->count - 1];
        *rest = skip_slashes(*rest);
        if (rest->size > 0) {
            size_t size = bytes_find(*rest, '/');
            *name = bytes_part(*rest, 0, size);
            *rest = bytes_part(*rest, size, rest->size - size);
            return true;
        }
        walk->count--;
    }
    return false;
}

static bool walk_is_done(struct walk *walk)
{
    for (unsigned i = 0; i < walk->count; i++)
        if (skip_slashes(walk->rest[i]).size > 0)
            return false;
    return true;
}

/* Behind the name that was taken last. */
static bool walk_has_slash(const struct walk *walk)
{
    for (unsigned i = 0; i < walk->count; i++)
        if (walk->rest[i].size > 0)
            return true;
    return false;
}

static enum wasi_errno walk_link(struct walk *walk, uint32_t link)
{
    struct bytes target = node_target(link);
    if (walk->hops++ >= LINK_HOPS_MAX)
        return WASI_LOOP;
    enum wasi_errno error = path_check(target);
    if (error != WASI_SUCCESS)
        return error;
    walk->rest[walk->count++] = target;
    return WASI_SUCCESS;
}

/* "." and "..". */
static enum wasi_errno walk_dots(struct walk *walk, struct bytes name)
{
    walk->went_up = name.size == 2;
    if (name.size == 1)
        return WASI_SUCCESS;
    if (walk->depth == 0)
        return WASI_NOTCAPABLE;
    walk->depth--;
    walk->folder = folder_parent(walk->folder);
    return WASI_SUCCESS;
}

static bool is_dots(struct bytes name)
{
    return name.data[0] == '.' && (name.size == 1 || (name.size == 2 && name.data[1] == '.'));
}

/* One name.  *is_end: the place is found. */
static enum wasi_errno walk_name(struct walk *walk, struct bytes name, struct place *place,
                                 bool *is_end)
{
    bool is_last = walk_is_done(walk), has_slash = walk_has_slash(walk);
    if (name.size > FILES_NAME_SIZE_MAX)
        return WASI_NAMETOOLONG;
    if (is_last && has_slash && (walk->flags & PATH_NO_SLASH) != 0)
        return WASI_ISDIR;
    uint32_t node = folder_find(walk->folder, name);
    uint32_t kind = node == NODE_NONE ? 0 : node_facts(node).kind;
    bool follows = !is_last || (walk->flags & PATH_FOLLOW) != 0 ||
                   (has_slash && (walk->flags & PATH_FOLLOW_SLASH) != 0);
    if (kind == FILES_LINK && follows)
        return walk_link(walk, node);
    if (is_last) {
        *place = (struct place){
            .folder = walk->folder, .name = name, .node = node, .is_folder = has_slash
        };
        *is_end = true;
        return WASI_SUCCESS;
    }
    if (kind != FILES_FOLDER)
        return node == NODE_NONE ? WASI_NOENT : WASI_NOTDIR;
    walk->folder = node;
    walk->depth++;
    return WASI_SUCCESS;
}

enum wasi_errno path_find(uint32_t folder, struct bytes path, unsigned flags, struct place *place)
{
    struct walk walk = { .rest = { path }, .count = 1, .folder = folder, .flags = flags };
    enum wasi_errno error = path_check(path);
    struct bytes name;
    bool is_end = false;
    while (error == WASI_SUCCESS && !is_end && walk_next(&walk, &name)) {
        /* A folder that was removed while it is open holds nothing, and nothing can be made in it.
         */
        if (node_facts(walk.folder).links == 0)
            error = WASI_NOENT;
        else
            error = is_dots(name) ? walk_dots(&walk, name) : walk_name(&walk, name, place, &is_end);
    }
    if (error == WASI_SUCCESS && !is_end)
        *place = (struct place){ .folder = folder_parent(walk.folder),
                                 .node = walk.folder,
                                 .is_parent = walk.went_up };
    return error;
}
