/* SPDX-License-Identifier: Apache-2.0 */
/* fd_read, fd_write and their positioned forms, on streams and files. */
#include "guest/content.h"
#include "guest/memory.h"
#include "guest/stdio.h"
#include "guest/wasi.h"

/* A file's offset is a signed number outside. */
#define OFFSET_MAX ((uint64_t)INT64_MAX)

/* From `offset` on; *total bytes were there. */
static enum wasi_errno file_read(uint32_t node, uint64_t offset, const struct buffers *buffers,
                                 uint64_t *total)
{
    *total = 0;
    for (uint32_t i = 0; i < buffers->count; i++) {
        uint64_t size;
        uint8_t *at;
        if (!buffers_at(buffers, i, &at, &size))
            return WASI_FAULT;
        uint64_t part = content_read(node, offset + *total, at, size);
        *total += part;
        if (part < size)
            break;
    }
    return WASI_SUCCESS;
}

/* As much as there is room for; an error only when that is nothing. */
static enum wasi_errno file_write(uint32_t node, uint64_t offset, const struct buffers *buffers,
                                  uint64_t *total)
{
    enum wasi_errno error = WASI_SUCCESS;
    *total = 0;
    for (uint32_t i = 0; error == WASI_SUCCESS && i < buffers->count; i++) {
        uint64_t size, part;
        uint8_t *at;
        if (!buffers_at(buffers, i, &at, &size))
            return WASI_FAULT;
        error = content_write(node, offset + *total, at, size, &part);
        *total += part;
        if (part < size)
            break;
    }
    return *total > 0 ? WASI_SUCCESS : error;
}

/* What both directions and both forms check first: descriptor, rights, buffers, and where the
 * number of bytes goes. */
static enum wasi_errno transfer_check(struct instance *instance, const uint64_t *slots,
                                      uint64_t result, struct buffers *buffers)
{
    uint32_t total;
    uint8_t *at;
    enum wasi_errno error =
        buffers_check(buffers, instance, (uint32_t)slots[1], (uint32_t)slots[2], &total);
    if (error != WASI_SUCCESS)
        return error;
    return memory_range(instance, result, 4, &at) ? WASI_SUCCESS : WASI_FAULT;
}

static enum wasi_errno stream_write(enum descriptor_kind stream, const struct buffers *buffers,
                                    uint64_t *total)
{
    *total = 0;
    for (uint32_t i = 0; i < buffers->count; i++) {
        uint64_t size;
        uint8_t *at;
        if (!buffers_at(buffers, i, &at, &size))
            return WASI_FAULT;
        stdio_write(stream, at, size);
        *total += size;
    }
    return WASI_SUCCESS;
}

static enum wasi_errno write_all(struct instance *instance, const uint64_t *slots, uint64_t *total)
{
    struct descriptor *descriptor = descriptor_at((uint32_t)slots[0]);
    struct buffers buffers;
    if (descriptor == NULL || descriptor->kind == DESCRIPTOR_INPUT)
        return WASI_BADF;
    if ((descriptor->rights & WASI_RIGHT_WRITE) == 0)
        return WASI_NOTCAPABLE;
    enum wasi_errno error = transfer_check(instance, slots, (uint32_t)slots[3], &buffers);
    if (error != WASI_SUCCESS)
        return error;
    if (descriptor->kind != DESCRIPTOR_FILE)
        return stream_write((enum descriptor_kind)descriptor->kind, &buffers, total);
    if ((descriptor->flags & WASI_FD_APPEND) != 0)
        descriptor->offset = node_facts(descriptor->node).size;
    error = file_write(descriptor->node, descriptor->offset, &buffers, total);
    if (error == WASI_SUCCESS)
        descriptor->offset += *total;
    return error;
}

static enum wasi_errno read_all(struct instance *instance, const uint64_t *slots, uint64_t *total)
{
    struct descriptor *descriptor = descriptor_at((uint32_t)slots[0]);
    struct buffers buffers;
    if (descriptor == NULL || descriptor->kind == DESCRIPTOR_OUTPUT ||
        descriptor->kind == DESCRIPTOR_ERRORS)
        return WASI_BADF;
    if ((descriptor->rights & WASI_RIGHT_READ) == 0)
        return WASI_NOTCAPABLE;
    enum wasi_errno error = transfer_check(instance, slots, (uint32_t)slots[3], &buffers);
    if (error != WASI_SUCCESS)
        return error;
    if (descriptor->kind == DESCRIPTOR_INPUT)
        return stdio_read(&buffers, total) ? WASI_SUCCESS : WASI_FAULT;
    error = file_read(descriptor->node, descriptor->offset, &buffers, total);
    if (error == WASI_SUCCESS)
        descriptor->offset += *total;
    return error;
}

/* pread and pwrite: slots are descriptor, list, count, offset, result. */
static enum wasi_errno transfer_at(struct instance *instance, const uint64_t *slots,
                                   enum wasi_rights right, uint64_t *total)
{
    struct descriptor *descriptor;
    struct buffers buffers;
    enum wasi_errno error =
        descriptor_file((uint32_t)slots[0], (uint64_t)right | WASI_RIGHT_SEEK, &descriptor);
    if (error == WASI_SUCCESS)
        error = transfer_check(instance, slots, (uint32_t)slots[4], &buffers);
    if (error == WASI_SUCCESS && slots[3] > OFFSET_MAX)
        error = WASI_INVAL;
    if (error != WASI_SUCCESS)
        return error;
    return right == WASI_RIGHT_READ ? file_read(descriptor->node, slots[3], &buffers, total)
                                    : file_write(descriptor->node, slots[3], &buffers, total);
}

static void answer(struct instance *instance, uint64_t *slots, uint64_t result,
                   enum wasi_errno error, uint64_t total)
{
    if (error == WASI_SUCCESS && !memory_store_u32(instance, (uint32_t)result, (uint32_t)total))
        error = WASI_FAULT;
    slots[0] = error;
}

void wasi_fd_write(struct instance *instance, uint64_t *slots)
{
    uint64_t total = 0;
    enum wasi_errno error = write_all(instance, slots, &total);
    answer(instance, slots, slots[3], error, total);
}

void wasi_fd_read(struct instance *instance, uint64_t *slots)
{
    uint64_t total = 0;
    enum wasi_errno error = read_all(instance, slots, &total);
    answer(instance, slots, slots[3], error, total);
}

void wasi_fd_pwrite(struct instance *instance, uint64_t *slots)
{
    uint64_t total = 0;
    enum wasi_errno error = transfer_at(instance, slots, WASI_RIGHT_WRITE, &total);
    answer(instance, slots, slots[4], error, total);
}

void wasi_fd_pread(struct instance *instance, uint64_t *slots)
{
    uint64_t total = 0;
    enum wasi_errno error = transfer_at(instance, slots, WASI_RIGHT_READ, &total);
    answer(instance, slots, slots[4], error, total);
}
