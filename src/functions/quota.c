/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/quota.h"
#include "functions/limits.h"

#include <stdlib.h>

enum {
    WINDOW_S = 3600
};

struct counter {
    struct digest32 owner;
    int64_t window;
    uint64_t count;
};

struct quotas {
    struct quota_limits limits;
    struct counter counters[OWNER_COUNT_MAX];
    size_t counter_count;
};

bool quotas_new(struct quotas **quotas, const struct quota_limits *limits, struct error *error)
{
    struct quotas *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for quotas");
    made->limits = *limits;
    *quotas = made;
    return true;
}

void quotas_free(struct quotas *quotas)
{
    free(quotas);
}

const struct quota_limits *quotas_limits(const struct quotas *quotas)
{
    return &quotas->limits;
}

static bool fits(uint64_t used, uint64_t more, uint64_t limit)
{
    return limit == 0 || more == 0 || (used <= limit && more <= limit - used);
}

bool quotas_check(const struct quotas *quotas, const struct quota_use *used,
                  const struct quota_use *more, struct error *error)
{
    if (quotas == NULL)
        return true;
    const struct quota_limits *limits = &quotas->limits;
    if (!fits(used->applications, more->applications, limits->applications))
        return error_set(error, ERROR_LIMIT, "quotas.applications: an owner has at most %u here",
                         limits->applications);
    if (!fits(used->versions, more->versions, limits->versions))
        return error_set(error, ERROR_LIMIT,
                         "quotas.versions: an owner has at most %u here, and %llu are there",
                         limits->versions, (unsigned long long)used->versions);
    if (!fits(used->bytes, more->bytes, (uint64_t)limits->mib << 20))
        return error_set(error, ERROR_LIMIT,
                         "quotas.mib: an owner has at most %u MiB of modules and files here",
                         limits->mib);
    return true;
}

static const struct counter *counter_find(const struct quotas *quotas, const struct digest32 *owner)
{
    for (size_t i = 0; i < quotas->counter_count; i++) {
        if (digest32_equal(&quotas->counters[i].owner, owner))
            return &quotas->counters[i];
    }
    return NULL;
}

bool quotas_invoke(struct quotas *quotas, const struct digest32 *owner, int64_t now_s,
                   struct error *error)
{
    if (quotas == NULL || quotas->limits.invocations_per_hour == 0)
        return true;
    const struct counter *known = counter_find(quotas, owner);
    if (known == NULL && quotas->counter_count == OWNER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "too many owners");
    struct counter *counter = known != NULL ? &quotas->counters[known - quotas->counters]
                                            : &quotas->counters[quotas->counter_count++];
    if (known == NULL || counter->window != now_s / WINDOW_S)
        *counter = (struct counter){ *owner, now_s / WINDOW_S, 0 };
    if (counter->count >= quotas->limits.invocations_per_hour)
        return error_set(error, ERROR_LIMIT,
                         "quotas.invocations_per_hour: the application's owner has had the %u of "
                         "this hour",
                         quotas->limits.invocations_per_hour);
    counter->count++;
    return true;
}

uint64_t quotas_invocations(const struct quotas *quotas, const struct digest32 *owner,
                            int64_t now_s)
{
    const struct counter *known = quotas == NULL ? NULL : counter_find(quotas, owner);
    return known == NULL || known->window != now_s / WINDOW_S ? 0 : known->count;
}
