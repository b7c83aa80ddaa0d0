/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/clock.h"

#include "guest/guest.h"

static uint64_t tsc_read(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t clock_read_ns(enum clock_id id)
{
    uint64_t now_ns = clock_now_ns(id);
    uint64_t resolution_ns = guest.control->settings.clock_resolution_ns;
    return resolution_ns > 1 ? now_ns - now_ns % resolution_ns : now_ns;
}

uint64_t clock_resolution_ns(void)
{
    uint64_t resolution_ns = guest.control->settings.clock_resolution_ns;
    return resolution_ns > 1 ? resolution_ns : 1;
}

uint64_t clock_now_ns(enum clock_id id)
{
    const volatile struct control *control = guest.control;
    uint64_t passed_ns = 0;
    if (control->tsc_base == 0) {
        guest_leave(GUEST_EXIT_CLOCK, 0, 0);
    } else {
        uint64_t now = tsc_read();
        uint64_t ticks = now > control->tsc_base ? now - control->tsc_base : 0;
        passed_ns = (uint64_t)((unsigned __int128)ticks * control->tsc_to_ns_mult >> 32);
    }
    if (id == CLOCK_ID_REALTIME)
        return control->realtime_ns + passed_ns;
    uint64_t monotonic_ns = control->monotonic_ns + passed_ns;
    return id == CLOCK_ID_MONOTONIC ? monotonic_ns : monotonic_ns - guest.start_ns;
}
