/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor alone is enough for, but for reading, writing and its status. */
#include "guest/content.h"
#include "guest/folder.h"
#include "guest/memory.h"
#include "guest/wasi.h"

#define OFFSET_MAX ((uint64_t)INT64_MAX)

/* The file behind slot 0 with `rights`; `on_stream` is what streams answer instead. */
static enum wasi_errno file_of(const uint64_t *slots, uint64_t rights, enum wasi_errno on_stream,
                               struct descriptor **descriptor)
{
    enum wasi_errno error = descriptor_file((uint32_t)slots[0], rights, descriptor);
    return error == WASI_SPIPE ? on_stream : error;
}

void wasi_fd_advise(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    enum wasi_errno error = file_of(slots, WASI_RIGHT_ADVISE, WASI_SPIPE, &descriptor);
    if (error == WASI_SUCCESS &&
        ((uint32_t)slots[3] >= WASI_ADVICE_COUNT || slots[1] > OFFSET_MAX || slots[2] > OFFSET_MAX))
        error = WASI_INVAL;
    slots[0] = error;
}

void wasi_fd_allocate(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    enum wasi_errno error = file_of(slots, WASI_RIGHT_ALLOCATE, WASI_NOTSUP, &descriptor);
    if (error == WASI_SUCCESS && (slots[1] > OFFSET_MAX || slots[2] - 1 >= OFFSET_MAX))
        error = WASI_INVAL;
    if (error == WASI_SUCCESS)
        error = content_reserve(descriptor->node, slots[1], slots[2]);
    slots[0] = error;
}

void wasi_fd_close(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    slots[0] = WASI_BADF;
    if (descriptor_at(fd) == NULL)
        return;
    descriptor_close(fd);
    slots[0] = WASI_SUCCESS;
}

/* Nothing is kept elsewhere: what was written is written. */
void wasi_fd_sync(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    slots[0] = file_of(slots, WASI_RIGHT_SYNC, WASI_INVAL, &descriptor);
}

void wasi_fd_datasync(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    slots[0] = file_of(slots, WASI_RIGHT_DATASYNC, WASI_INVAL, &descriptor);
}

void wasi_fd_filestat_set_size(struct instance *instance UNUSED, uint64_t *slots)
{
    struct descriptor *descriptor;
    enum wasi_errno error = file_of(slots, WASI_RIGHT_SIZE, WASI_INVAL, &descriptor);
    if (error == WASI_SUCCESS && slots[1] > OFFSET_MAX)
        error = WASI_INVAL;
    if (error == WASI_SUCCESS)
        error = content_resize(descriptor->node, slots[1]);
    slots[0] = error;
}

void wasi_fd_renumber(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t from = (uint32_t)slots[0], to = (uint32_t)slots[1];
    const struct descriptor *moved = descriptor_at(from);
    if (moved == NULL || descriptor_at(to) == NULL) {
        slots[0] = WASI_BADF;
        return;
    }
    slots[0] = WASI_SUCCESS;
    if (from == to)
        return;
    struct descriptor copy = *moved;
    descriptor_close(to);
    descriptor_open(to, &copy);
    /* The number alone goes: the file stays open under the other. */
    descriptor_close(from);
}

static enum wasi_errno seek(struct descriptor *descriptor, int64_t distance, uint32_t whence)
{
    uint64_t from;
    int64_t offset;
    if (whence == WASI_WHENCE_START)
        from = 0;
    else if (whence == WASI_WHENCE_HERE)
        from = descriptor->offset;
    else if (whence == WASI_WHENCE_END)
        from = node_facts(descriptor->node).size;
    else
        return WASI_INVAL;
    if (__builtin_add_overflow((int64_t)from, distance, &offset) || offset < 0)
        return WASI_INVAL;
    descriptor->offset = (uint64_t)offset;
    return WASI_SUCCESS;
}

/* Slots: descriptor, distance, whence, result. */
void wasi_fd_seek(struct instance *instance, uint64_t *slots)
{
    struct descriptor *descriptor;
    uint32_t whence = (uint32_t)slots[2];
    uint8_t *at;
    bool only_tells = slots[1] == 0 && whence == WASI_WHENCE_HERE;
    enum wasi_errno error = file_of(slots, 0, WASI_SPIPE, &descriptor);
    uint64_t rights = error == WASI_SUCCESS ? descriptor->rights : 0;
    if (error == WASI_SUCCESS && (rights & WASI_RIGHT_SEEK) == 0 &&
        !(only_tells && (rights & WASI_RIGHT_TELL) != 0))
        error = WASI_NOTCAPABLE;
    if (error == WASI_SUCCESS && !memory_range(instance, (uint32_t)slots[3], 8, &at))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS)
        error = seek(descriptor, (int64_t)slots[1], whence);
    if (error == WASI_SUCCESS)
        store_u64(at, descriptor->offset);
    slots[0] = error;
}

/* The right to seek includes the one to tell. */
void wasi_fd_tell(struct instance *instance, uint64_t *slots)
{
    struct descriptor *descriptor;
    enum wasi_errno error = file_of(slots, 0, WASI_SPIPE, &descriptor);
    if (error == WASI_SUCCESS && (descriptor->rights & (WASI_RIGHT_TELL | WASI_RIGHT_SEEK)) == 0)
        error = WASI_NOTCAPABLE;
    if (error == WASI_SUCCESS &&
        !memory_store_u64(instance, (uint32_t)slots[1], descriptor->offset))
        error = WASI_FAULT;
    slots[0] = error;
}

static uint8_t type_of(uint32_t node)
{
    uint32_t kind = node_facts(node).kind;
    return kind == FILES_FOLDER    ? WASI_FILE_FOLDER
           : kind == FILES_REGULAR ? WASI_FILE_REGULAR
                                   : WASI_FILE_LINK;
}

/* As many entries as there is room for; the last one may be cut off, which says that there are
 * more. */
static uint64_t entries_store(uint32_t folder, uint64_t cookie, uint8_t *at, uint64_t size)
{
    struct folder_row row;
    uint64_t used = 0;
    while (used < size && folder_next(folder, cookie, &row)) {
        uint8_t head[WASI_DIRENT_SIZE] = { 0 };
        store_u64(head, row.cookie);
        store_u64(head + 8, (uint64_t)row.node + 1);
        store_u32(head + 16, (uint32_t)row.name.size);
        head[20] = type_of(row.node);
        uint64_t part = MIN(size - used, (uint64_t)sizeof(head));
        copy_bytes(at + used, head, part);
        used += part;
        part = MIN(size - used, (uint64_t)row.name.size);
        copy_bytes(at + used, row.name.data, part);
        used += part;
        cookie = row.cookie;
    }
    return used;
}

/* Slots: descriptor, buffer, its size, cookie, result. */
void wasi_fd_readdir(struct instance *instance, uint64_t *slots)
{
    struct descriptor *descriptor;
    uint64_t size = (uint32_t)slots[2];
    uint8_t *at, *result;
    enum wasi_errno error = descriptor_folder((uint32_t)slots[0], WASI_RIGHT_READDIR, &descriptor);
    if (error == WASI_SUCCESS && (!memory_range(instance, (uint32_t)slots[1], size, &at) ||
                                  !memory_range(instance, (uint32_t)slots[4], 4, &result)))
        error = WASI_FAULT;
    if (error == WASI_SUCCESS)
        store_u32(result, (uint32_t)entries_store(descriptor->node, slots[3], at, size));
    slots[0] = error;
}
