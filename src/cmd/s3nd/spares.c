/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/spares.h"

#include "base/file.h"

#include <string.h>

enum {
    DELAY_MS_MIN = 100,
    DELAY_MS_MAX = 10000
};

static const uint64_t ms_ns = 1000000u;

static unsigned wanted_at(struct spares *spares, uint64_t now_ns)
{
    return demand_wanted(&spares->demand, now_ns, spares->count_min, spares->count_max);
}

static struct spare remove_at(struct spares *spares, unsigned at)
{
    struct spare spare = spares->list[at];
    spares->count--;
    memmove(spares->list + at, spares->list + at + 1,
            (spares->count - at) * sizeof(spares->list[0]));
    return spare;
}

void spares_add(struct spares *spares, struct spare spare)
{
    spares->list[spares->count++] = spare;
}

bool spares_take(struct spares *spares, uint64_t now_ns, struct spare *spare)
{
    demand_add(&spares->demand, now_ns, SPARE_BUSY_MS * ms_ns);
    spares->delay_ms = 0;
    if (spares->count == 0)
        return false;
    *spare = remove_at(spares, 0);
    return true;
}

bool spares_want_more(struct spares *spares, uint64_t now_ns)
{
    return now_ns >= spares->start_at_ns && spares->count < wanted_at(spares, now_ns);
}

bool spares_surplus(struct spares *spares, uint64_t now_ns, struct spare *spare)
{
    if (spares->count <= wanted_at(spares, now_ns))
        return false;
    *spare = remove_at(spares, spares->count - 1);
    return true;
}

uint64_t spares_due_ns(struct spares *spares, uint64_t now_ns)
{
    if (spares->count < wanted_at(spares, now_ns))
        return spares->start_at_ns;
    return spares->count > spares->count_min ? now_ns + DEMAND_STEP_MS * ms_ns : UINT64_MAX;
}

bool spares_have(const struct spares *spares, pid_t pid)
{
    for (unsigned i = 0; i < spares->count; i++) {
        if (spares->list[i].pid == pid)
            return true;
    }
    return false;
}

void spares_failed(struct spares *spares, pid_t pid, uint64_t now_ns)
{
    for (unsigned i = spares->count; i-- > 0;) {
        if (spares->list[i].pid == pid) {
            struct spare spare = remove_at(spares, i);
            file_close(&spare.socket);
        }
    }
    spares->start_at_ns = now_ns + spares->delay_ms * ms_ns;
    spares->delay_ms =
        MIN(MAX(spares->delay_ms * 2, (unsigned)DELAY_MS_MIN), (unsigned)DELAY_MS_MAX);
}

void spares_drop(struct spares *spares)
{
    while (spares->count > 0) {
        struct spare spare = remove_at(spares, spares->count - 1);
        file_close(&spare.socket);
    }
}
