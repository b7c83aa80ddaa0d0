/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state_test_support.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

uint64_t test_wall_ms = 1700000000000, test_monotonic_ms = 5000;

static uint64_t test_realtime(const struct clock *clock)
{
    (void)clock;
    return test_wall_ms * 1000000;
}
static uint64_t test_monotonic(const struct clock *clock)
{
    (void)clock;
    return test_monotonic_ms * 1000000;
}
const struct clock test_clock = { test_realtime, test_monotonic };

struct kv_key test_key(const char *key)
{
    return (struct kv_key){ BYTES_LITERAL("n"), bytes_of_string(key) };
}

struct transaction *test_begin(struct state *state)
{
    struct error error = { 0 };
    struct transaction *made = NULL;
    CHECK_NOTE(transaction_begin(&made, state, &error), "%s", error.text);
    return made;
}

bool test_set(struct transaction *transaction, const char *key, const char *value)
{
    struct error error = { 0 };
    return transaction_set(transaction, test_key(key), bytes_of_string(value), 0, &error);
}

/* "-" when there is none. */
const char *test_get(struct transaction *transaction, const char *key)
{
    static char text[128];
    struct error error = { 0 };
    struct kv_entry entry;
    bool found = false;
    if (!transaction_get(transaction, test_key(key), &entry, &found, &error))
        return error_name(error.code);
    snprintf(text, sizeof(text), "%.*s", found ? (int)entry.value.size : 1,
             found ? (const char *)entry.value.data : "-");
    return text;
}

enum error_code test_commit(struct transaction *transaction, struct transaction_outcome *outcome)
{
    struct error error = { 0 };
    struct transaction_outcome ignored;
    AUTO(state_change) struct state_change *change = NULL;
    bool done =
        transaction_commit(transaction, &change, outcome == NULL ? &ignored : outcome, &error);
    transaction_end(transaction);
    return done ? ERROR_NONE : error.code;
}

void test_set_now(struct state *state, const char *key, const char *value)
{
    struct transaction *transaction = test_begin(state);
    CHECK(test_set(transaction, key, value));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

struct listing {
    char text[512];
    size_t count_max, count;
};

static bool listing_take(void *context, const struct kv_entry *entry)
{
    struct listing *listing = context;
    if (listing->count_max != 0 && listing->count == listing->count_max)
        return false;
    listing->count++;
    size_t size = strlen(listing->text);
    snprintf(listing->text + size, sizeof(listing->text) - size, "%.*s=%.*s;", (int)entry->key.size,
             (const char *)entry->key.data, (int)entry->value.size,
             (const char *)entry->value.data);
    return true;
}

/* "a=1;b=2;", with "+" behind when there is more. */
const char *test_list(struct transaction *transaction, const char *prefix, const char *after,
                      size_t limit, size_t take_max)
{
    static struct listing listing;
    struct error error = { 0 };
    bool more = false;
    listing = (struct listing){ .count_max = take_max };
    struct kv_range range = { test_key(prefix), bytes_of_string(after), limit };
    if (!transaction_list(transaction, &range, listing_take, &listing, &more, &error))
        return error_name(error.code);
    size_t size = strlen(listing.text);
    snprintf(listing.text + size, sizeof(listing.text) - size, "%s", more ? "+" : "");
    return listing.text;
}
