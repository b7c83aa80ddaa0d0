/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/limiter.h"

#include "crypto/hash.h"
#include "crypto/random.h"
#include "gateway/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 8, /* places where one bucket may stand */
    SET_COUNT = GATEWAY_BUCKET_COUNT_MAX / WAYS
};

struct bucket {
    uint64_t tag;     /* of its name */
    uint64_t full_us; /* when it is full again */
};

struct limiter {
    uint8_t seed[16];
    struct bucket buckets[GATEWAY_BUCKET_COUNT_MAX];
};

bool limiter_new(struct limiter **limiter, struct error *error)
{
    *limiter = calloc(1, sizeof(**limiter));
    if (*limiter == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for rates");
    random_bytes((*limiter)->seed, sizeof((*limiter)->seed));
    return true;
}

void limiter_free(struct limiter *limiter)
{
    free(limiter);
}

/* The bucket of that name, or the one that loses least by becoming it. */
static struct bucket *bucket_of(struct limiter *limiter, struct bytes name)
{
    uint8_t text[sizeof(limiter->seed) + GATEWAY_BUCKET_NAME_SIZE_MAX];
    uint64_t tag;
    uint32_t place;
    ASSERT(name.size <= GATEWAY_BUCKET_NAME_SIZE_MAX);
    memcpy(text, limiter->seed, sizeof(limiter->seed));
    memcpy(text + sizeof(limiter->seed), name.data, name.size);
    struct digest32 digest = sha256_of(bytes_of(text, sizeof(limiter->seed) + name.size));
    memcpy(&tag, digest.bytes, sizeof(tag));
    memcpy(&place, digest.bytes + sizeof(tag), sizeof(place));
    struct bucket *set = &limiter->buckets[(size_t)(place % SET_COUNT) * WAYS], *least = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
        if (set[i].full_us < least->full_us)
            least = &set[i];
    }
    *least = (struct bucket){ .tag = tag };
    return least;
}

bool limiter_take(struct limiter *limiter, struct bytes name, const struct gateway_rate *rate,
                  uint64_t now_ms, uint64_t *wait_ms)
{
    uint64_t now_us = now_ms * 1000, token_us = UINT64_C(60000000) / rate->per_minute;
    uint64_t room_us = token_us * (rate->burst > 0 ? rate->burst - 1 : 0);
    struct bucket *bucket = bucket_of(limiter, name);
    uint64_t full_us = bucket->full_us < now_us ? now_us : bucket->full_us;
    if (full_us > now_us + room_us) {
        *wait_ms = (full_us - room_us - now_us + 999) / 1000;
        return false;
    }
    bucket->full_us = full_us + token_us;
    return true;
}
