/* SPDX-License-Identifier: Apache-2.0 */
#include "net/padding.h"
#include "core/checked.h"
#include "crypto/tls.h"
#include "net/http.h"

enum {
    POWER_MIN = 1024
};

static uint64_t class_of(uint32_t size, uint64_t bytes)
{
    if (size != HTTP_PAD_POWER_OF_TWO)
        return round_up_to(bytes, size);
    uint64_t class = POWER_MIN;
    while (class < bytes)
        class *= 2;
    return class;
}

void padding_begin(struct padding *padding, uint32_t size, uint64_t expected)
{
    if (!padding->is_active)
        *padding = (struct padding){ .is_active = true };
    padding->size = MAX(padding->size, size);
    padding->expected += expected;
    padding->open++;
}

void padding_end(struct padding *padding)
{
    padding->open--;
}

/* In the middle of answers every part gets its share, since a record carries at most so much and
 * needs a byte; full records, and room for what is still to come. */
static uint64_t wanted_so_far(const struct padding *padding)
{
    uint64_t expected = MAX(padding->expected, padding->plain);
    uint64_t whole = class_of(padding->size, expected);
    uint64_t share = (uint64_t)((unsigned __int128)padding->plain * whole / expected);
    uint64_t room = whole - (expected - padding->plain);
    uint64_t records = MIN(share, room) / TLS_PADDED_RECORD_SIZE;
    return MAX(records * TLS_PADDED_RECORD_SIZE,
               round_up_to(padding->sent, TLS_PADDED_RECORD_SIZE));
}

uint64_t padding_take(struct padding *padding, size_t size)
{
    if (!padding->is_active || size == 0)
        return 0;
    padding->plain += size;
    padding->sent += size;
    uint64_t wanted =
        padding->open > 0 ? wanted_so_far(padding) : class_of(padding->size, padding->sent);
    uint64_t missing = wanted - padding->sent;
    padding->sent = wanted;
    padding->is_active = padding->open > 0;
    return missing;
}
