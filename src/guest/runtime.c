/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/calls.h"
#include "guest/clock.h"
#include "guest/foretold.h"
#include "guest/guest.h"
#include "guest/random.h"
#include "guest/stdio.h"
#include "guest/volume.h"

#include "abi/layout.h"

struct guest guest;

void guest_init(const struct control *control, struct mailbox *mailbox, struct instance *instance)
{
    guest.control = control;
    guest.mailbox = mailbox;
    guest.instance = instance;
    guest.frames = (uint64_t *)LAYOUT_FRAMES;
    for (unsigned i = 0; i < HELPER_COUNT; i++)
        instance->helpers[i] = (uint64_t)helper_table[i];
    instance->bindings = (uint64_t)binding_table;
    instance->frame_limit = control->frame_limit;
    instance->frame_top = LAYOUT_FRAMES;
    instance->memory_base = control->memory_base;
    instance->memory_limit = control->memory_limit;
    instance->fuel = settings_fuel(&control->settings);
    random_init(control->seed);
    bool is_reactor = control->entry == ENTRY_HANDLE || control->entry == ENTRY_INITIALISE ||
                      control->entry == ENTRY_NATIVE || control->entry == ENTRY_NATIVE_INITIALISE;
    if (!guest.is_ready)
        descriptor_init(is_reactor);
    stdio_rewind(is_reactor);
    calls_rewind();
    foretold_begin();
    volume_init();
    guest.is_ready = true;
    guest.start_ns = clock_now_ns(CLOCK_ID_MONOTONIC);
}

void guest_exit(uint32_t code)
{
    if ((guest.control->flags & CONTROL_BATCH) != 0)
        batch_end(code);
    guest_leave(GUEST_EXIT_DONE, code, 0);
    __builtin_unreachable();
}

void guest_trap(enum trap_reason reason, uint64_t address)
{
    guest_leave(GUEST_EXIT_TRAP, reason, address);
    __builtin_unreachable();
}
