/* SPDX-License-Identifier: Apache-2.0 */
/* What changes names: opening, making, linking, moving, removing. */
#include "guest/content.h"
#include "guest/memory.h"
#include "guest/path.h"
#include "guest/wasi.h"

/* Where the path of `size` bytes at `address` leads from descriptor `fd`, which needs `rights`. */
static enum wasi_errno place_of(const struct instance *instance, uint64_t fd, uint64_t rights,
                                const uint64_t *path, unsigned flags, struct place *place)
{
    struct descriptor *folder;
    uint8_t *text;
    enum wasi_errno error = descriptor_folder((uint32_t)fd, rights, &folder);
    if (error != WASI_SUCCESS)
        return error;
    if (!memory_range(instance, (uint32_t)path[0], (uint32_t)path[1], &text))
        return WASI_FAULT;
    return path_find(folder->node, bytes_of(text, (uint32_t)path[1]), flags, place);
}

/* Gives a node that was just made its name, or takes it back. */
static enum wasi_errno node_place(struct node *node, const struct place *place)
{
    enum wasi_errno error = folder_insert(place->folder, place->name, node->number);
    if (error != WASI_SUCCESS) {
        node->links = 0;
        node_release(node->number);
    }
    return error;
}

struct opening {
    struct place place;
    uint32_t flags;    /* enum wasi_open_flags */
    uint32_t fd_flags; /* enum wasi_fd_flags */
    uint64_t rights;
    uint64_t rights_inheriting;
};

/* What the folder must allow for what is asked. */
static enum wasi_errno open_check(const uint64_t *slots, const struct opening *opening)
{
    struct descriptor *folder;
    uint64_t rights = WASI_RIGHT_OPEN;
    uint64_t inherited = opening->rights | opening->rights_inheriting;
    if ((opening->flags & WASI_OPEN_CREATE) != 0)
        rights |= WASI_RIGHT_CREATE_FILE;
    if ((opening->flags & WASI_OPEN_TRUNCATE) != 0)
        rights |= WASI_RIGHT_PATH_SIZE;
    if ((opening->fd_flags & (WASI_FD_SYNC | WASI_FD_RSYNC)) != 0)
        inherited |= WASI_RIGHT_SYNC;
    if ((opening->fd_flags & WASI_FD_DSYNC) != 0)
        inherited |= WASI_RIGHT_DATASYNC;
    enum wasi_errno error = descriptor_folder((uint32_t)slots[0], rights, &folder);
    if (error != WASI_SUCCESS)
        return error;
    if ((inherited & ~folder->rights_inheriting) != 0)
        return WASI_NOTCAPABLE;
    const uint32_t both = WASI_OPEN_CREATE | WASI_OPEN_FOLDER;
    if (((uint32_t)slots[1] & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0 ||
        (opening->flags & ~(uint32_t)WASI_OPEN_FLAGS) != 0 ||
        (opening->fd_flags & ~(uint32_t)WASI_FD_FLAGS) != 0 || (opening->flags & both) == both)
        return WASI_INVAL;
    return WASI_SUCCESS;
}

static enum wasi_errno open_new(struct opening *opening)
{
    struct place *place = &opening->place;
    if ((opening->flags & WASI_OPEN_CREATE) == 0)
        return WASI_NOENT;
    struct node *node = node_new(FILES_REGULAR, place->folder);
    if (node == NULL)
        return WASI_NOSPC;
    place->node = node->number;
    return node_place(node, place);
}

static enum wasi_errno open_present(const struct opening *opening)
{
    uint32_t kind = node_facts(opening->place.node).kind;
    const uint32_t exclusive = WASI_OPEN_CREATE | WASI_OPEN_EXCLUSIVE;
    bool wants_folder = opening->place.is_folder || (opening->flags & WASI_OPEN_FOLDER) != 0;
    if ((opening->flags & exclusive) == exclusive)
        return WASI_EXIST;
    if (wants_folder && kind != FILES_FOLDER)
        return WASI_NOTDIR;
    if (kind == FILES_LINK)
        return WASI_LOOP;
    if (kind == FILES_FOLDER && ((opening->flags & (WASI_OPEN_CREATE | WASI_OPEN_TRUNCATE)) != 0 ||
                                 (opening->rights & WASI_RIGHT_WRITE) != 0))
        return WASI_ISDIR;
    if ((opening->flags & WASI_OPEN_TRUNCATE) != 0)
        return content_resize(opening->place.node, 0);
    return WASI_SUCCESS;
}

/* Slots: folder, lookup flags, path, its size, open flags, rights, inheriting ones, descriptor
 * flags, result. */
static enum wasi_errno open_path(struct instance *instance, const uint64_t *slots)
{
    struct opening opening = { .flags = (uint32_t)slots[4],
                               .fd_flags = (uint32_t)slots[7],
                               .rights = slots[5],
                               .rights_inheriting = slots[6] };
    uint32_t fd;
    uint8_t *result;
    enum wasi_errno error = open_check(slots, &opening);
    if (error == WASI_SUCCESS && !memory_range(instance, (uint32_t)slots[8], 4, &result))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS)
        error = descriptor_free(&fd);
    if (error != WASI_SUCCESS)
        return error;
    bool is_exclusive =
        (opening.flags & WASI_OPEN_EXCLUSIVE) != 0 && (opening.flags & WASI_OPEN_CREATE) != 0;
    bool follows = ((uint32_t)slots[1] & WASI_LOOKUP_FOLLOW) != 0 && !is_exclusive;
    /* Only folders have a slash behind them, and this makes files. */
    unsigned on_slash = (opening.flags & WASI_OPEN_CREATE) != 0 ? PATH_NO_SLASH : PATH_FOLLOW_SLASH;
    error = place_of(instance, slots[0], 0, slots + 2, on_slash | (follows ? PATH_FOLLOW : 0),
                     &opening.place);
    if (error == WASI_SUCCESS)
        error = opening.place.node == NODE_NONE ? open_new(&opening) : open_present(&opening);
    if (error != WASI_SUCCESS)
        return error;
    bool is_folder = node_is_folder(opening.place.node);
    const struct descriptor opened = {
        .kind = is_folder ? DESCRIPTOR_FOLDER : DESCRIPTOR_FILE,
        .flags = (uint16_t)opening.fd_flags,
        .node = opening.place.node,
        .rights = opening.rights & (is_folder ? WASI_RIGHTS_FOLDER : WASI_RIGHTS_FILE),
        .rights_inheriting = is_folder ? opening.rights_inheriting & WASI_RIGHTS_ALL : 0,
    };
    descriptor_open(fd, &opened);
    store_u32(result, fd);
    return WASI_SUCCESS;
}

void wasi_path_open(struct instance *instance, uint64_t *slots)
{
    slots[0] = open_path(instance, slots);
}

void wasi_path_create_directory(struct instance *instance, uint64_t *slots)
{
    struct place place;
    enum wasi_errno error =
        place_of(instance, slots[0], WASI_RIGHT_CREATE_FOLDER, slots + 1, 0, &place);
    if (error == WASI_SUCCESS && place.node != NODE_NONE)
        error = WASI_EXIST;
    if (error == WASI_SUCCESS) {
        struct node *node = node_new(FILES_FOLDER, place.folder);
        error = node == NULL ? WASI_NOSPC : node_place(node, &place);
    }
    slots[0] = error;
}

/* Slots: target, its size, folder, path, its size. */
void wasi_path_symlink(struct instance *instance, uint64_t *slots)
{
    struct place place;
    uint8_t *text;
    uint64_t size = (uint32_t)slots[1];
    enum wasi_errno error = place_of(instance, slots[2], WASI_RIGHT_SYMLINK, slots + 3, 0, &place);
    if (error == WASI_SUCCESS && !memory_range(instance, (uint32_t)slots[0], size, &text))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS) {
        struct bytes target = bytes_of(text, size);
        if (size == 0)
            error = WASI_NOENT;
        else if (size > FILES_TARGET_SIZE_MAX)
            error = WASI_NAMETOOLONG;
        else if (bytes_find(target, 0) != size)
            error = WASI_INVAL;
        else if (!bytes_is_utf8(target))
            error = WASI_ILSEQ;
        else if (text[0] == '/')
            error = WASI_NOTCAPABLE; /* it could never be followed */
        else if (place.node != NODE_NONE)
            error = WASI_EXIST;
        else if (place.is_folder)
            error = WASI_NOENT;
    }
    struct node *node = error == WASI_SUCCESS ? node_new(FILES_LINK, place.folder) : NULL;
    if (error == WASI_SUCCESS && node == NULL)
        error = WASI_NOSPC;
    if (error == WASI_SUCCESS) {
        node->target = volume_object_new(size);
        node->size = size;
        if (node->target != 0) {
            copy_bytes(volume_object(node->target), text, size);
            error = node_place(node, &place);
        } else {
            node->links = 0;
            node_release(node->number);
            error = WASI_NOSPC;
        }
    }
    slots[0] = error;
}

/* Slots: folder, path, its size, buffer, its size, result. */
void wasi_path_readlink(struct instance *instance, uint64_t *slots)
{
    struct place place;
    uint8_t *at, *result;
    uint64_t size = (uint32_t)slots[4];
    enum wasi_errno error =
        place_of(instance, slots[0], WASI_RIGHT_READLINK, slots + 1, PATH_FOLLOW_SLASH, &place);
    if (error == WASI_SUCCESS && (!memory_range(instance, (uint32_t)slots[3], size, &at) ||
                                  !memory_range(instance, (uint32_t)slots[5], 4, &result)))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS && place.node == NODE_NONE)
        error = WASI_NOENT;
    if (error == WASI_SUCCESS && node_facts(place.node).kind != FILES_LINK)
        error = place.is_folder && !node_is_folder(place.node) ? WASI_NOTDIR : WASI_INVAL;
    if (error == WASI_SUCCESS) {
        struct bytes target = node_target(place.node);
        size = MIN(size, (uint64_t)target.size);
        copy_bytes(at, target.data, size);
        store_u32(result, (uint32_t)size);
    }
    slots[0] = error;
}

/* Takes a name away from what it stands for; the folder is readied first, so that a full volume
 * changes nothing. */
static enum wasi_errno name_remove(const struct place *place)
{
    enum wasi_errno error = folder_change(place->folder);
    if (error == WASI_SUCCESS)
        error = node_unlink(place->node);
    if (error == WASI_SUCCESS)
        folder_remove(place->folder, place->name);
    return error;
}

void wasi_path_unlink_file(struct instance *instance, uint64_t *slots)
{
    struct place place;
    enum wasi_errno error = place_of(instance, slots[0], WASI_RIGHT_UNLINK, slots + 1, 0, &place);
    if (error == WASI_SUCCESS && place.node == NODE_NONE)
        error = WASI_NOENT;
    if (error == WASI_SUCCESS && node_is_folder(place.node))
        error = WASI_ISDIR;
    if (error == WASI_SUCCESS && place.is_folder)
        error = WASI_NOTDIR;
    slots[0] = error == WASI_SUCCESS ? name_remove(&place) : error;
}

void wasi_path_remove_directory(struct instance *instance, uint64_t *slots)
{
    struct place place;
    enum wasi_errno error =
        place_of(instance, slots[0], WASI_RIGHT_REMOVE_FOLDER, slots + 1, 0, &place);
    if (error == WASI_SUCCESS && place.node == NODE_NONE)
        error = WASI_NOENT;
    if (error == WASI_SUCCESS && !node_is_folder(place.node))
        error = WASI_NOTDIR;
    if (error == WASI_SUCCESS && place.name.size == 0)
        error = place.is_parent ? WASI_NOTEMPTY : WASI_INVAL;
    if (error == WASI_SUCCESS && !folder_is_empty(place.node))
        error = WASI_NOTEMPTY;
    slots[0] = error == WASI_SUCCESS ? name_remove(&place) : error;
}

/* Slots: folder, lookup flags, path, its size, folder, path, its size. */
static enum wasi_errno link_path(struct instance *instance, const uint64_t *slots)
{
    struct place from, to;
    uint32_t flags = (uint32_t)slots[1];
    unsigned follow = (flags & WASI_LOOKUP_FOLLOW) != 0 ? PATH_FOLLOW : 0;
    enum wasi_errno error = place_of(instance, slots[0], WASI_RIGHT_LINK_SOURCE, slots + 2,
                                     follow | PATH_FOLLOW_SLASH, &from);
    if (error == WASI_SUCCESS && from.node == NODE_NONE)
        error = WASI_NOENT;
    if (error == WASI_SUCCESS && from.is_folder && !node_is_folder(from.node))
        error = WASI_NOTDIR;
    if (error == WASI_SUCCESS)
        error = place_of(instance, slots[4], WASI_RIGHT_LINK_TARGET, slots + 5, 0, &to);
    if (error != WASI_SUCCESS)
        return error;
    if ((flags & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0)
        return WASI_INVAL;
    if (to.node != NODE_NONE)
        return WASI_EXIST;
    if (to.is_folder)
        return WASI_NOENT;
    if (node_is_folder(from.node))
        return WASI_PERM;
    struct node *node = node_change(from.node);
    if (node == NULL)
        return WASI_NOSPC;
    if (node->links >= LINK_COUNT_MAX)
        return WASI_MLINK;
    error = folder_insert(to.folder, to.name, from.node);
    if (error != WASI_SUCCESS)
        return error;
    node->links++;
    node->changed_ns = node_now_ns();
    return WASI_SUCCESS;
}

void wasi_path_link(struct instance *instance, uint64_t *slots)
{
    slots[0] = link_path(instance, slots);
}

/* Whether `folder` is `above` or stands somewhere below it. */
static bool is_within(uint32_t folder, uint32_t above)
{
    while (folder != above) {
        uint32_t parent = folder_parent(folder);
        if (parent == folder)
            return false;
        folder = parent;
    }
    return true;
}

static enum wasi_errno rename_check(const struct place *from, const struct place *to)
{
    if (from->name.size == 0 || to->name.size == 0)
        return WASI_BUSY;
    if (from->node == NODE_NONE)
        return WASI_NOENT;
    bool is_folder = node_is_folder(from->node);
    if (from->is_folder && !is_folder)
        return WASI_NOTDIR;
    if (to->is_folder && !is_folder)
        return WASI_NOTDIR;
    if (is_folder && is_within(to->folder, from->node))
        return WASI_INVAL;
    if (to->node == NODE_NONE)
        return WASI_SUCCESS;
    if (is_within(from->folder, to->node))
        return WASI_NOTEMPTY;
    bool replaces_folder = node_is_folder(to->node);
    if (is_folder && !replaces_folder)
        return WASI_NOTDIR;
    if (!is_folder && replaces_folder)
        return WASI_ISDIR;
    return is_folder && to->node != from->node && !folder_is_empty(to->node) ? WASI_NOTEMPTY
                                                                             : WASI_SUCCESS;
}

/* All that can fail for want of room comes first. */
static enum wasi_errno rename_apply(const struct place *from, const struct place *to)
{
    enum wasi_errno error = folder_change(from->folder);
    if (error == WASI_SUCCESS)
        error = folder_change(to->folder);
    if (error != WASI_SUCCESS)
        return error;
    struct node *node = node_change(from->node);
    if (node == NULL)
        return WASI_NOSPC;
    if (to->node == NODE_NONE) {
        error = folder_insert(to->folder, to->name, from->node);
    } else {
        error = node_unlink(to->node);
        if (error == WASI_SUCCESS)
            folder_replace(to->folder, to->name, from->node);
    }
    if (error != WASI_SUCCESS)
        return error;
    folder_remove(from->folder, from->name);
    node->parent = to->folder;
    node->changed_ns = node_now_ns();
    return WASI_SUCCESS;
}

/* Slots: folder, path, its size, folder, path, its size. */
void wasi_path_rename(struct instance *instance, uint64_t *slots)
{
    struct place from, to;
    enum wasi_errno error =
        place_of(instance, slots[0], WASI_RIGHT_RENAME_SOURCE, slots + 1, 0, &from);
    if (error == WASI_SUCCESS)
        error = place_of(instance, slots[3], WASI_RIGHT_RENAME_TARGET, slots + 4, 0, &to);
    if (error == WASI_SUCCESS)
        error = rename_check(&from, &to);
    /* Two names of one file: nothing to do. */
    if (error == WASI_SUCCESS && from.node != to.node)
        error = rename_apply(&from, &to);
    slots[0] = error;
}
