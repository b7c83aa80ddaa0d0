/* SPDX-License-Identifier: Apache-2.0 */
/* From the entry to the exit, inside the micro-VM only. */
#include "guest/guest.h"
#include "guest/memory.h"
#include "guest/native.h"

#include "abi/layout.h"

_Static_assert(CONTROL_ADDRESS == LAYOUT_CONTROL, "entry.S reads the gate there");

/* assert_failed of core/compiler.h; there is nowhere to print to. */
void assert_failed(const char *fact UNUSED, const char *file UNUSED, int line)
{
    guest_trap(TRAP_ASSERTION, (uint64_t)line);
}

/* Readies a new micro-VM: every page named is touched once. */
static NORETURN void touch_pages(const struct control *control)
{
    for (uint32_t i = 0; i + 1 < control->argument_count; i += 2) {
        uint64_t size = control->arguments[i + 1];
        volatile uint8_t *at = (volatile uint8_t *)control->arguments[i];
        for (uint64_t done = 0; done + 1 < size; done += LAYOUT_PAGE_SIZE) {
            uint8_t held = at[done];
            if ((size & CONTROL_TOUCH_WRITE) != 0)
                at[done] = held;
        }
    }
    guest_leave(GUEST_EXIT_DONE, __builtin_ia32_rdtsc(), 0);
    __builtin_unreachable();
}

static NORETURN void initialise(const struct control *control)
{
    for (uint32_t i = 0; i < control->argument_count; i++)
        guest_call(control->arguments[i], guest.frames, control->memory_base, guest.instance);
    guest_leave(GUEST_EXIT_READY, 0, 0);
    __builtin_unreachable();
}

void guest_start(const struct control *control)
{
    if (control->entry == ENTRY_INITIALISE)
        initialise(control);
    if (control->entry == ENTRY_HANDLE) {
        reactor_handle(control);
        guest_exit(0);
    }
    if (control->entry == ENTRY_NATIVE) {
        native_run(control, NATIVE_PHASE_HANDLE);
        guest_exit(0);
    }
    if (control->entry == ENTRY_NATIVE_INITIALISE) {
        native_run(control, NATIVE_PHASE_INITIALISE);
        guest_leave(GUEST_EXIT_READY, 0, 0);
    }
    uint64_t *frame = guest.frames;
    if (control->entry == ENTRY_CALL)
        copy_bytes(frame, control->arguments, control->argument_count * sizeof(uint64_t));
    if (control->code != 0)
        guest_call(control->code, frame, control->memory_base, guest.instance);
    if (control->entry == ENTRY_CALL) {
        struct mailbox *mailbox = guest.mailbox;
        copy_bytes(mailbox->results, frame, control->result_count * sizeof(uint64_t));
        mailbox->result_count = control->result_count;
    }
    guest_exit(0);
}

void guest_main(void)
{
    const struct control *control = (const struct control *)LAYOUT_CONTROL;
    struct mailbox *mailbox = (struct mailbox *)control->mailbox;
    struct instance *instance = (struct instance *)control->instance;
    if (control->entry == ENTRY_TOUCH)
        touch_pages(control);
    if ((control->flags & CONTROL_BATCH) != 0)
        batch_serve(control, instance);
    guest_init(control, mailbox, instance);
    guest_start(control);
}
