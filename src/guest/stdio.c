/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/stdio.h"

#include "guest/errno.h"
#include "guest/guest.h"
#include "guest/memory.h"
#include "guest/wasi.h"

static struct {
    enum stream streams[STDIO_COUNT];
    uint16_t flags[STDIO_COUNT];
    uint64_t rights[STDIO_COUNT];
    uint32_t input_at; /* next unread byte of the input area */
    bool input_ended;
} stdio;

static uint64_t stream_rights(enum stream stream)
{
    uint64_t common = WASI_RIGHT_FLAGS | WASI_RIGHT_FILESTAT | WASI_RIGHT_POLL;
    return common | (stream == STREAM_INPUT ? WASI_RIGHT_READ : WASI_RIGHT_WRITE);
}

void stdio_rewind(bool is_reactor)
{
    stdio.input_at = is_reactor ? UINT32_MAX : 0;
    stdio.input_ended = is_reactor;
}

void stdio_init(bool is_reactor)
{
    for (unsigned fd = 0; fd < STDIO_COUNT; fd++) {
        stdio.streams[fd] = is_reactor && fd == 1 ? STREAM_ERRORS : STREAM_INPUT + fd;
        stdio.flags[fd] = 0;
        stdio.rights[fd] = stream_rights(stdio.streams[fd]);
    }
}

enum stream stdio_stream(uint32_t fd)
{
    return fd < STDIO_COUNT ? stdio.streams[fd] : STREAM_CLOSED;
}

static bool streaming(void)
{
    return (guest.control->flags & CONTROL_STREAMING) != 0;
}

uint64_t stdio_input_left(void)
{
    uint32_t size = MIN(guest.mailbox->input.size, guest.mailbox->input.capacity);
    return size > stdio.input_at ? size - stdio.input_at : 0;
}

/* In streaming mode asks the host for more when the area is read up. */
static uint64_t input_wait(void)
{
    if (stdio_input_left() == 0 && streaming() && !stdio.input_ended) {
        stdio.input_at = 0;
        guest.mailbox->input.size = 0;
        guest_leave(GUEST_EXIT_INPUT, 0, 0);
        stdio.input_ended = guest.mailbox->input.size == 0;
    }
    return stdio_input_left();
}

void stdio_write(enum stream stream, const uint8_t *from, uint64_t size)
{
    struct mailbox_area *area =
        stream == STREAM_OUTPUT ? &guest.mailbox->output : &guest.mailbox->errors;
    uint64_t number = stream == STREAM_OUTPUT ? 1 : 2;
    while (size > 0) {
        uint64_t room = area->capacity > area->size ? area->capacity - area->size : 0;
        uint64_t part = MIN(room, size);
        copy_bytes((uint8_t *)guest.mailbox + area->offset + area->size, from, part);
        area->size += (uint32_t)part;
        from += part;
        size -= part;
        if (size > 0)
            guest_leave(streaming() ? GUEST_EXIT_OUTPUT : GUEST_EXIT_LIMIT, number, 0);
    }
}

/* The vector of `count` buffers at `address`, or NULL-less failure. */
static bool vector_range(const struct instance *instance, uint64_t address, uint64_t count,
                         uint8_t **vector)
{
    return memory_range(instance, address, count * 8, vector);
}

void wasi_fd_write(struct instance *instance, uint64_t *slots)
{
    enum stream stream = stdio_stream((uint32_t)slots[0]);
    uint64_t count = (uint32_t)slots[2], total = 0;
    uint8_t *vector, *buffer;
    if (stream != STREAM_OUTPUT && stream != STREAM_ERRORS) {
        slots[0] = WASI_BADF;
        return;
    }
    slots[0] = WASI_FAULT;
    if (!vector_range(instance, (uint32_t)slots[1], count, &vector))
        return;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size = load_u32(vector + 8 * i + 4);
        if (!memory_range(instance, load_u32(vector + 8 * i), size, &buffer))
            return;
        total += size;
    }
    if (total > UINT32_MAX) {
        slots[0] = WASI_INVAL;
        return;
    }
    if (!memory_store_u32(instance, (uint32_t)slots[3], (uint32_t)total))
        return;
    for (uint64_t i = 0; i < count; i++) {
        /* Storing the total may have changed the vector: check again. */
        uint64_t size = load_u32(vector + 8 * i + 4);
        if (!memory_range(instance, load_u32(vector + 8 * i), size, &buffer))
            return;
        stdio_write(stream, buffer, size);
    }
    slots[0] = WASI_SUCCESS;
}

void wasi_fd_read(struct instance *instance, uint64_t *slots)
{
    uint64_t count = (uint32_t)slots[2], total = 0;
    uint8_t *vector, *buffer;
    if (stdio_stream((uint32_t)slots[0]) != STREAM_INPUT) {
        slots[0] = WASI_BADF;
        return;
    }
    slots[0] = WASI_FAULT;
    if (!vector_range(instance, (uint32_t)slots[1], count, &vector))
        return;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size = load_u32(vector + 8 * i + 4);
        if (!memory_range(instance, load_u32(vector + 8 * i), size, &buffer))
            return;
        /* Only the first bytes may wait for the host. */
        uint64_t left = size > 0 && total == 0 ? input_wait() : stdio_input_left();
        uint64_t part = MIN(left, size);
        copy_bytes(buffer, (uint8_t *)guest.mailbox + guest.mailbox->input.offset + stdio.input_at,
                   part);
        stdio.input_at += (uint32_t)part;
        total += part;
        if (part < size)
            break;
    }
    if (memory_store_u32(instance, (uint32_t)slots[3], (uint32_t)total))
        slots[0] = WASI_SUCCESS;
}

void wasi_fd_close(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    slots[0] = stdio_stream(fd) == STREAM_CLOSED ? WASI_BADF : WASI_SUCCESS;
    if (slots[0] == WASI_SUCCESS)
        stdio.streams[fd] = STREAM_CLOSED;
}

void wasi_fd_renumber(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t from = (uint32_t)slots[0], to = (uint32_t)slots[1];
    if (stdio_stream(from) == STREAM_CLOSED || stdio_stream(to) == STREAM_CLOSED) {
        slots[0] = WASI_BADF;
        return;
    }
    slots[0] = WASI_SUCCESS;
    if (from == to)
        return;
    stdio.streams[to] = stdio.streams[from];
    stdio.flags[to] = stdio.flags[from];
    stdio.rights[to] = stdio.rights[from];
    stdio.streams[from] = STREAM_CLOSED;
}

void wasi_fd_fdstat_get(struct instance *instance, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    uint8_t *at;
    if (stdio_stream(fd) == STREAM_CLOSED) {
        slots[0] = WASI_BADF;
    } else if (!memory_range(instance, (uint32_t)slots[1], 24, &at)) {
        slots[0] = WASI_FAULT;
    } else {
        fill_bytes(at, 0, 24);
        at[0] = WASI_FILE_UNKNOWN;
        store_u16(at + 2, stdio.flags[fd]);
        store_u64(at + 8, stdio.rights[fd]);
        slots[0] = WASI_SUCCESS;
    }
}

void wasi_fd_fdstat_set_flags(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0], flags = (uint32_t)slots[1];
    if (stdio_stream(fd) == STREAM_CLOSED) {
        slots[0] = WASI_BADF;
    } else if (flags & ~(uint32_t)(WASI_FD_APPEND | WASI_FD_NONBLOCK)) {
        slots[0] = WASI_NOTSUP;
    } else {
        stdio.flags[fd] = (uint16_t)flags;
        slots[0] = WASI_SUCCESS;
    }
}

void wasi_fd_fdstat_set_rights(struct instance *instance UNUSED, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    if (stdio_stream(fd) == STREAM_CLOSED) {
        slots[0] = WASI_BADF;
    } else if ((slots[1] & ~stdio.rights[fd]) != 0 || slots[2] != 0) {
        slots[0] = WASI_NOTCAPABLE;
    } else {
        stdio.rights[fd] = slots[1];
        slots[0] = WASI_SUCCESS;
    }
}

void wasi_fd_filestat_get(struct instance *instance, uint64_t *slots)
{
    uint32_t fd = (uint32_t)slots[0];
    uint8_t *at;
    if (stdio_stream(fd) == STREAM_CLOSED) {
        slots[0] = WASI_BADF;
    } else if (!memory_range(instance, (uint32_t)slots[1], 64, &at)) {
        slots[0] = WASI_FAULT;
    } else {
        fill_bytes(at, 0, 64);
        store_u64(at + 8, fd + 1); /* inode */
        at[16] = WASI_FILE_UNKNOWN;
        store_u64(at + 24, 1); /* links */
        slots[0] = WASI_SUCCESS;
    }
}
