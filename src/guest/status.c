/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of descriptors and files, and what of it can be set. */
#include "guest/memory.h"
#include "guest/path.h"
#include "guest/wasi.h"

enum {
    DEVICE = 1, /* all files are on it */
    FOLDER_SIZE = 4096,
    STREAM_FLAGS = WASI_FD_APPEND | WASI_FD_NONBLOCK
};

static uint8_t type_of_kind(uint32_t kind)
{
    return kind == FILES_FOLDER    ? WASI_FILE_FOLDER
           : kind == FILES_REGULAR ? WASI_FILE_REGULAR
                                   : WASI_FILE_LINK;
}

void wasi_fd_fdstat_get(struct instance *instance, uint64_t *slots)
{
    struct descriptor descriptor;
    uint8_t *at;
    if (!descriptor_peek((uint32_t)slots[0], &descriptor)) {
        slots[0] = WASI_BADF;
    } else if (!memory_range(instance, (uint32_t)slots[1], WASI_FDSTAT_SIZE, &at)) {
        slots[0] = WASI_FAULT;
    } else {
        fill_bytes(at, 0, WASI_FDSTAT_SIZE);
        at[0] = descriptor.kind == DESCRIPTOR_FOLDER ? WASI_FILE_FOLDER
                : descriptor.kind == DESCRIPTOR_FILE ? WASI_FILE_REGULAR
                                                     : WASI_FILE_UNKNOWN;
        store_u16(at + 2, descriptor.flags);
        store_u64(at + 8, descriptor.rights);
        store_u64(at + 16, descriptor.rights_inheriting);
        slots[0] = WASI_SUCCESS;
    }
}

void wasi_fd_fdstat_set_flags(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor = descriptor_at((uint32_t)slots[0]);
    uint32_t flags = (uint32_t)slots[1];
    if (descriptor == NULL)
        slots[0] = WASI_BADF;
    else if ((flags & ~(uint32_t)WASI_FD_FLAGS) != 0)
        slots[0] = WASI_INVAL;
    else if (descriptor->kind < DESCRIPTOR_FILE && (flags & ~(uint32_t)STREAM_FLAGS) != 0)
        slots[0] = WASI_NOTSUP;
    else if ((descriptor->rights & WASI_RIGHT_FLAGS) == 0)
        slots[0] = WASI_NOTCAPABLE;
    else {
        descriptor->flags = (uint16_t)flags;
        slots[0] = WASI_SUCCESS;
    }
}

/* Rights can only be given up. */
void wasi_fd_fdstat_set_rights(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor = descriptor_at((uint32_t)slots[0]);
    if (descriptor == NULL) {
        slots[0] = WASI_BADF;
    } else if ((slots[1] & ~descriptor->rights) != 0 ||
               (slots[2] & ~descriptor->rights_inheriting) != 0) {
        slots[0] = WASI_NOTCAPABLE;
    } else {
        descriptor->rights = slots[1];
        descriptor->rights_inheriting = slots[2];
        slots[0] = WASI_SUCCESS;
    }
}

static void filestat_store(uint8_t *at, uint32_t number)
{
    struct node_facts facts = node_facts(number);
    fill_bytes(at, 0, WASI_FILESTAT_SIZE);
    store_u64(at, DEVICE);
    store_u64(at + 8, (uint64_t)number + 1);
    at[16] = type_of_kind(facts.kind);
    store_u64(at + 24, facts.links);
    store_u64(at + 32, facts.kind == FILES_FOLDER ? FOLDER_SIZE : facts.size);
    store_u64(at + 40, facts.accessed_ns);
    store_u64(at + 48, facts.modified_ns);
    store_u64(at + 56, facts.changed_ns);
}

void wasi_fd_filestat_get(struct instance *instance, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    const struct descriptor *descriptor = descriptor_at(fd);
    uint8_t *at;
    if (descriptor == NULL) {
        slots[0] = WASI_BADF;
    } else if ((descriptor->rights & WASI_RIGHT_FILESTAT) == 0) {
        slots[0] = WASI_NOTCAPABLE;
    } else if (!memory_range(instance, (uint32_t)slots[1], WASI_FILESTAT_SIZE, &at)) {
        slots[0] = WASI_FAULT;
    } else if (descriptor->kind >= DESCRIPTOR_FILE) {
        filestat_store(at, descriptor->node);
        slots[0] = WASI_SUCCESS;
    } else {
        fill_bytes(at, 0, WASI_FILESTAT_SIZE);
        store_u64(at + 8, fd + 1); /* inode */
        at[16] = WASI_FILE_UNKNOWN;
        store_u64(at + 24, 1); /* links */
        slots[0] = WASI_SUCCESS;
    }
}

/* `times`: access, modification, flags, as they stand in the slots of both calls. */
static enum wasi_errno times_set(uint32_t number, const uint64_t *times)
{
    uint32_t flags = (uint32_t)times[2];
    const uint32_t access = WASI_TIMES_ACCESS | WASI_TIMES_ACCESS_NOW;
    const uint32_t modify = WASI_TIMES_MODIFY | WASI_TIMES_MODIFY_NOW;
    if ((flags & ~(uint32_t)WASI_TIMES_FLAGS) != 0 || (flags & access) == access ||
        (flags & modify) == modify)
        return WASI_INVAL;
    struct node *node = node_change(number);
    if (node == NULL)
        return WASI_NOSPC;
    uint64_t now_ns = node_now_ns();
    if ((flags & access) != 0)
        node->accessed_ns = (flags & WASI_TIMES_ACCESS) != 0 ? times[0] : now_ns;
    if ((flags & modify) != 0)
        node->modified_ns = (flags & WASI_TIMES_MODIFY) != 0 ? times[1] : now_ns;
    node->changed_ns = now_ns;
    return WASI_SUCCESS;
}

void wasi_fd_filestat_set_times(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    enum wasi_errno error = descriptor_file((uint32_t)slots[0], WASI_RIGHT_TIMES, &descriptor);
    if (error == WASI_SUCCESS)
        error = times_set(descriptor->node, slots + 1);
    slots[0] = error == WASI_SPIPE ? WASI_NOTSUP : error;
}

/* The file that slots 0 to 3 name: descriptor, lookup flags, path, its size. */
static enum wasi_errno named(const struct instance *instance, const uint64_t *slots,
                             enum wasi_rights right, uint32_t *number)
{
    struct descriptor *folder;
    struct place place;
    uint8_t *path;
    uint32_t flags = (uint32_t)slots[1];
    enum wasi_errno error = descriptor_folder((uint32_t)slots[0], (uint64_t)right, &folder);
    if (error != WASI_SUCCESS)
        return error;
    if (!memory_range(instance, (uint32_t)slots[2], (uint32_t)slots[3], &path))
        return WASI_FAULT;
    if ((flags & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0)
        return WASI_INVAL;
    unsigned follow = (flags & WASI_LOOKUP_FOLLOW) != 0 ? PATH_FOLLOW : 0;
    error = path_find(folder->node, bytes_of(path, (uint32_t)slots[3]), follow | PATH_FOLLOW_SLASH,
                      &place);
    if (error != WASI_SUCCESS)
        return error;
    if (place.node == NODE_NONE)
        return WASI_NOENT;
    if (place.is_folder && !node_is_folder(place.node))
        return WASI_NOTDIR;
    *number = place.node;
    return WASI_SUCCESS;
}

void wasi_path_filestat_get(struct instance *instance, uint64_t *slots)
{
    uint32_t number;
    uint8_t *at;
    enum wasi_errno error = named(instance, slots, WASI_RIGHT_PATH_FILESTAT, &number);
    if (error == WASI_SUCCESS &&
        !memory_range(instance, (uint32_t)slots[4], WASI_FILESTAT_SIZE, &at))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS)
        filestat_store(at, number);
    slots[0] = error;
}

void wasi_path_filestat_set_times(struct instance *instance, uint64_t *slots)
{
    uint32_t number;
    enum wasi_errno error = named(instance, slots, WASI_RIGHT_PATH_TIMES, &number);
    if (error == WASI_SUCCESS)
        error = times_set(number, slots + 4);
    slots[0] = error;
}

/* The name of the preopened folder behind a descriptor. */
static bool preopen_name(uint32_t fd, struct bytes *name)
{
    struct descriptor descriptor;
    if (!descriptor_peek(fd, &descriptor) || descriptor.preopen == 0)
        return false;
    struct files_node node = files_node_at(volume_files(), descriptor.preopen - 1u);
    *name = files_name(volume_files(), &node);
    return true;
}

void wasi_fd_prestat_get(struct instance *instance, uint64_t *slots)
{
    struct bytes name;
    uint8_t *at;
    if (!preopen_name((uint32_t)slots[0], &name)) {
        slots[0] = WASI_BADF;
    } else if (!memory_range(instance, (uint32_t)slots[1], WASI_PRESTAT_SIZE, &at)) {
        slots[0] = WASI_FAULT;
    } else {
        fill_bytes(at, 0, WASI_PRESTAT_SIZE); /* the tag: a folder */
        store_u32(at + 4, (uint32_t)name.size);
        slots[0] = WASI_SUCCESS;
    }
}

void wasi_fd_prestat_dir_name(struct instance *instance, uint64_t *slots)
{
    struct bytes name;
    uint8_t *at;
    if (!preopen_name((uint32_t)slots[0], &name)) {
        slots[0] = WASI_BADF;
    } else if ((uint32_t)slots[2] < name.size) {
        slots[0] = WASI_NAMETOOLONG;
    } else if (!memory_range(instance, (uint32_t)slots[1], name.size, &at)) {
        slots[0] = WASI_FAULT;
    } else {
        copy_bytes(at, name.data, name.size);
        slots[0] = WASI_SUCCESS;
    }
}
