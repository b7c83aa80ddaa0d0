/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/quota.h"
#include "base/json.h"
#include "core/hex.h"
#include "functions/limits.h"

#include <stdlib.h>
#include <string.h>

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
    bool is_kept; /* on the disk as it is here */
};

#define COUNTS_PLACE ((struct store_key){ STORE_SPACE_NODE, "quota-invocations" })

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
    quotas->is_kept = false;
    return true;
}

uint64_t quotas_invocations(const struct quotas *quotas, const struct digest32 *owner,
                            int64_t now_s)
{
    const struct counter *known = quotas == NULL ? NULL : counter_find(quotas, owner);
    return known == NULL || known->window != now_s / WINDOW_S ? 0 : known->count;
}

static bool counts_write(struct buffer *text, const struct quotas *quotas, struct error *error)
{
    AUTO_JSON json_t *tree = json_object();
    bool complete = tree != NULL;
    for (size_t i = 0; i < quotas->counter_count; i++) {
        const struct counter *counter = &quotas->counters[i];
        complete = complete && json_object_set_new(tree, hex_of_digest(&counter->owner).text,
                                                   json_pack("[I, I]", (json_int_t)counter->window,
                                                             (json_int_t)counter->count)) == 0;
    }
    return complete ? json_canonical(text, tree, error)
                    : error_set(error, ERROR_NO_MEMORY, "no memory for quotas");
}

bool quotas_keep(struct quotas *quotas, struct store *store, struct error *error)
{
    uint64_t revision;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (quotas == NULL || quotas->counter_count == 0 || quotas->is_kept)
        return true;
    if (!counts_write(&text, quotas, error) ||
        !store_put(store, COUNTS_PLACE, buffer_view(&text), STORE_REVISION_ANY, &revision, error))
        return error_within(error, "quotas");
    quotas->is_kept = true;
    return true;
}

static bool counter_read(struct counter *counter, const char *owner, const json_t *row)
{
    json_int_t window = json_integer_value(json_array_get(row, 0));
    json_int_t count = json_integer_value(json_array_get(row, 1));
    counter->window = window;
    counter->count = (uint64_t)count;
    return json_array_size(row) == 2 && window >= 0 && count >= 0 &&
           strlen(owner) == 2 * sizeof(counter->owner.bytes) &&
           hex_decode(counter->owner.bytes, sizeof(counter->owner.bytes), bytes_of_string(owner));
}

bool quotas_load(struct quotas *quotas, struct store *store, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    struct error absent = { 0 };
    uint64_t revision;
    const char *owner;
    json_t *row;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    if (!store_get(store, COUNTS_PLACE, &text, &revision, &absent)) {
        if (absent.code != ERROR_NOT_FOUND)
            *error = absent;
        return absent.code == ERROR_NOT_FOUND;
    }
    if (!json_parse(&tree, buffer_view(&text), error))
        return error_within(error, "quotas");
    quotas->counter_count = 0;
    json_object_foreach(tree, owner, row)
    {
        if (quotas->counter_count == OWNER_COUNT_MAX ||
            !counter_read(&quotas->counters[quotas->counter_count], owner, row))
            return error_set(error, ERROR_CORRUPT, "record quota-invocations is malformed");
        quotas->counter_count++;
    }
    quotas->is_kept = true;
    return true;
}
