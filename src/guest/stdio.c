/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/stdio.h"

#include "guest/guest.h"
#include "guest/memory.h"

static struct {
    uint32_t input_at; /* next unread byte of the input area */
    bool input_ended;
} stdio;

void stdio_rewind(bool is_reactor)
{
    stdio.input_at = is_reactor ? UINT32_MAX : 0;
    stdio.input_ended = is_reactor;
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

void stdio_write(enum descriptor_kind stream, const uint8_t *from, uint64_t size)
{
    struct mailbox_area *area =
        stream == DESCRIPTOR_OUTPUT ? &guest.mailbox->output : &guest.mailbox->errors;
    uint64_t number = stream == DESCRIPTOR_OUTPUT ? 1 : 2;
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

bool stdio_read(const struct buffers *buffers, uint64_t *total)
{
    *total = 0;
    for (uint32_t i = 0; i < buffers->count; i++) {
        uint64_t size;
        uint8_t *buffer;
        if (!buffers_at(buffers, i, &buffer, &size))
            return false;
        /* Only the first bytes may wait for the host. */
        uint64_t left = size > 0 && *total == 0 ? input_wait() : stdio_input_left();
        uint64_t part = MIN(left, size);
        copy_bytes(buffer, (uint8_t *)guest.mailbox + guest.mailbox->input.offset + stdio.input_at,
                   part);
        stdio.input_at += (uint32_t)part;
        *total += part;
        if (part < size)
            break;
    }
    return true;
}
