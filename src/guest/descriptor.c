/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/descriptor.h"

#include "guest/node.h"
#include "guest/volume.h"

static struct descriptor streams[DESCRIPTOR_STREAM_COUNT];

void descriptor_init(bool is_reactor)
{
    const uint64_t common = WASI_RIGHT_FLAGS | WASI_RIGHT_FILESTAT | WASI_RIGHT_POLL;
    for (unsigned fd = 0; fd < DESCRIPTOR_STREAM_COUNT; fd++) {
        streams[fd] = (struct descriptor){ .kind = (uint8_t)(DESCRIPTOR_INPUT + fd) };
        streams[fd].rights = common | (fd == 0 ? WASI_RIGHT_READ : WASI_RIGHT_WRITE);
    }
    if (is_reactor)
        streams[1].kind = DESCRIPTOR_ERRORS;
}

static struct descriptor preopened(uint32_t index)
{
    return (struct descriptor){ .kind = DESCRIPTOR_FOLDER,
                                .preopen = (uint8_t)(index + 1),
                                .node = index,
                                .rights = WASI_RIGHTS_FOLDER,
                                .rights_inheriting = WASI_RIGHTS_ALL };
}

void descriptor_open_preopened(struct volume *volume, const struct files *files)
{
    for (uint32_t i = 0; i < files->preopen_count; i++)
        volume->descriptors[i] = preopened(i);
    volume->descriptor_end = DESCRIPTOR_STREAM_COUNT + files->preopen_count;
}

/* The place of a number, open or not. */
static struct descriptor *place_of(uint32_t fd)
{
    if (fd < DESCRIPTOR_STREAM_COUNT)
        return &streams[fd];
    struct volume *volume = fd < DESCRIPTOR_COUNT_MAX ? volume_get() : NULL;
    return volume == NULL ? NULL : &volume->descriptors[fd - DESCRIPTOR_STREAM_COUNT];
}

struct descriptor *descriptor_at(uint32_t fd)
{
    struct descriptor *place = place_of(fd);
    return place == NULL || place->kind == DESCRIPTOR_CLOSED ? NULL : place;
}

bool descriptor_peek(uint32_t fd, struct descriptor *descriptor)
{
    if (fd >= DESCRIPTOR_STREAM_COUNT && volume_exists() && !volume_is_touched()) {
        uint32_t index = fd - DESCRIPTOR_STREAM_COUNT;
        if (index >= volume_files()->preopen_count)
            return false;
        *descriptor = preopened(index);
        return true;
    }
    const struct descriptor *found = descriptor_at(fd);
    if (found == NULL)
        return false;
    *descriptor = *found;
    return true;
}

/* A right to write without one to read and so on is the module's own choice: what is asked for must
 * be there, all of it. */
static enum wasi_errno check(struct descriptor *descriptor, uint64_t rights)
{
    return (rights & ~descriptor->rights) == 0 ? WASI_SUCCESS : WASI_NOTCAPABLE;
}

enum wasi_errno descriptor_file(uint32_t fd, uint64_t rights, struct descriptor **descriptor)
{
    struct descriptor *found = descriptor_at(fd);
    if (found == NULL)
        return WASI_BADF;
    if (found->kind != DESCRIPTOR_FILE && found->kind != DESCRIPTOR_FOLDER)
        return WASI_SPIPE;
    *descriptor = found;
    return check(found, rights);
}

enum wasi_errno descriptor_folder(uint32_t fd, uint64_t rights, struct descriptor **descriptor)
{
    struct descriptor *found = descriptor_at(fd);
    if (found == NULL)
        return WASI_BADF;
    if (found->kind != DESCRIPTOR_FOLDER)
        return WASI_NOTDIR;
    *descriptor = found;
    return check(found, rights);
}

enum wasi_errno descriptor_free(uint32_t *fd)
{
    for (uint32_t i = 0; i < DESCRIPTOR_COUNT_MAX; i++) {
        const struct descriptor *place = place_of(i);
        if (place == NULL || place->kind != DESCRIPTOR_CLOSED)
            continue;
        *fd = i;
        return WASI_SUCCESS;
    }
    return WASI_MFILE;
}

void descriptor_open(uint32_t fd, const struct descriptor *descriptor)
{
    *place_of(fd) = *descriptor;
    struct volume *volume = volume_get();
    if (volume != NULL)
        volume->descriptor_end = MAX(volume->descriptor_end, fd + 1);
}

bool descriptor_refers_to(uint32_t node)
{
    uint32_t end = volume_is_touched() ? volume_get()->descriptor_end : DESCRIPTOR_STREAM_COUNT;
    for (uint32_t fd = 0; fd < end; fd++) {
        const struct descriptor *place = place_of(fd);
        if (place->kind >= DESCRIPTOR_FILE && place->node == node)
            return true;
    }
    return false;
}

void descriptor_close(uint32_t fd)
{
    struct descriptor *place = place_of(fd);
    struct descriptor closed = *place;
    *place = (struct descriptor){ 0 };
    if (closed.kind >= DESCRIPTOR_FILE)
        node_release(closed.node);
}
