/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a reactor.  The two functions are the module's: each number they return is checked
 * against linear memory as it is after the call. */
#include "guest/guest.h"
#include "guest/memory.h"
#include "guest/stdio.h"

#include "abi/layout.h"

static uint64_t call(uint64_t code, uint64_t first, uint64_t second)
{
    uint64_t *frame = guest.frames;
    frame[0] = first;
    frame[1] = second;
    guest_call(code, frame, guest.instance->memory_base, guest.instance);
    return frame[0];
}

static void answer_put(const uint8_t *answer, uint64_t size)
{
    struct mailbox_area *area = &guest.mailbox->output;
    if (size > area->capacity) {
        guest_leave(GUEST_EXIT_LIMIT, 1, 0);
        __builtin_unreachable();
    }
    copy_bytes((uint8_t *)guest.mailbox + area->offset, answer, size);
    area->size = (uint32_t)size;
}

void reactor_handle(const struct control *control)
{
    struct mailbox_area request = guest.mailbox->input;
    uint64_t size = MIN(request.size, request.capacity);
    uint8_t *at;
    uint64_t room = (uint32_t)call(control->arguments[0], size, 0);
    if (room == 0 || !memory_range(guest.instance, room, size, &at))
        guest_trap(TRAP_ALLOCATION, 0);
    copy_bytes(at, (const uint8_t *)guest.mailbox + request.offset, size);
    uint64_t answer = call(control->code, room, size);
    if (!memory_range(guest.instance, answer >> 32, (uint32_t)answer, &at))
        guest_trap(TRAP_ANSWER, 0);
    answer_put(at, (uint32_t)answer);
}
