/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/tiering.h"
#include "functions/compiler.h"

#include <stdio.h>

/* Loud enough to pay for itself: the optimiser needs about 10 ms per KB of code. */
#define TIER_SPENT_NS UINT64_C(1000000000)

enum {
    TIER_WHOLE_SIZE = 64 << 10, /* of a module that is optimised whole, in bytes */
    TIER_SAMPLES_MIN = 50,
    TIER_SHARE_PERCENT = 95 /* of the samples that are to be optimised */
};

static bool is_candidate(const struct house *house, uint32_t function)
{
    const struct application *application = house->application;
    return house->invoker->options.hot != NULL && house->is_served && !house->is_hot[function] &&
           application->manifest->functions[function].kind == FUNCTION_WASM &&
           (application->images[function].flags & FUNCTION_IMAGE_OPTIMISED) == 0;
}

static void tell(struct house *house, uint32_t function, const char *list)
{
    const struct invoker_options *options = &house->invoker->options;
    house->is_hot[function] = true;
    options->hot(options->hot_context, house->application, function, list);
}

void tiering_note(struct house *house, uint32_t function, uint64_t duration_ns)
{
    struct error error;
    if (!is_candidate(house, function))
        return;
    house->spent_ns[function] += duration_ns;
    if (house->spent_ns[function] < TIER_SPENT_NS)
        return;
    if (house->application->images[function].code_size <= TIER_WHOLE_SIZE) {
        tell(house, function, NULL);
        return;
    }
    if (house->opening || house->is_loading || house->is_profiling)
        return;
    house->is_profiling = worker_profile_begin(house->worker, function, &error);
    house->profiling = function;
    house->asked_ns = clock_monotonic_ns(house->invoker->options.clock);
}

bool tiering_choose(char *list, size_t size, const struct worker_profile *profile)
{
    uint64_t all = 0, covered = 0;
    size_t used = 0;
    for (uint32_t i = 0; i < profile->count; i++)
        all += profile->rows[i].samples;
    if (all < TIER_SAMPLES_MIN)
        return false;
    for (uint32_t i = 0; i < profile->count && covered * 100 < all * TIER_SHARE_PERCENT; i++) {
        int written = snprintf(list + used, size - used, "%s%u", used == 0 ? "" : ",",
                               profile->rows[i].function);
        if (written < 0 || (size_t)written >= size - used) {
            list[used] = '\0';
            break;
        }
        used += (size_t)written;
        covered += profile->rows[i].samples;
    }
    return used > 0;
}

void tiering_profiled(struct house *house, bool is_answered)
{
    static char list[COMPILER_LIST_SIZE_MAX];
    uint32_t function = house->profiling;
    house->is_profiling = false;
    if (!is_candidate(house, function))
        return;
    if (!is_answered)
        house->is_hot[function] = true; /* it won't be told another time either */
    else if (tiering_choose(list, sizeof(list), worker_profile(house->worker)))
        tell(house, function, list);
    else
        house->spent_ns[function] = 0; /* asked again after as much time */
}
