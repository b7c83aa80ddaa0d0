/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of receipts: from before there was one, made ready ahead, read again, and what is none.
 */
#include "state/states_parts.h"
#include "state/states_test_support.h"
#include "tests/harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OLD_COUNT = 300, /* more than are moved at once */
    READY_COUNT_SEEN = 100
};

static bool put(struct store *store, const char *key, struct bytes value)
{
    struct error error;
    uint64_t revision;
    return store_put(store, (struct store_key){ STATE_SPACE_RECEIPTS, key }, value, 0, &revision,
                     &error);
}

/* How many records the ring has; OLD_COUNT times more for each that is none of it. */
static unsigned places_there(struct store *store)
{
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct error error;
    unsigned count = 0;
    if (!store_list(store, (struct store_key){ STATE_SPACE_RECEIPTS, "" }, "", STORE_LIST_MAX,
                    &page, &error))
        return 0;
    for (size_t i = 0; i < page.count; i++)
        count += page.entries[i].key[0] == '#' ? 1 : 1000 * OLD_COUNT;
    return count;
}

static bool store_made(struct store **store, const char *path)
{
    struct sealer sealer = test_sealer_of(&test_sealing);
    struct error error;
    return store_open_sqlite(store, path, &sealer, &error);
}

static bool add_receipts(struct states *states, unsigned count, long *sum)
{
    struct error error;
    AUTO(state) struct state *state = NULL;
    struct test_outcome outcome = { 0 };
    if (!states_get(states, "app", &state, &error))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (test_increment(states, state, "n", &outcome, sum) != ERROR_NONE)
            return false;
        test_wait_for(states, &outcome, i + 1);
    }
    return outcome.failed == 0;
}

static bool has_number(struct states *states, long number)
{
    char id[32], text[32];
    snprintf(id, sizeof(id), "n-%ld", number);
    snprintf(text, sizeof(text), "%ld", number);
    return test_has_receipt(states, id, text);
}

/* Kept under their ids, as before there was a ring; the oldest first. */
static void those_from_before_are_moved(void)
{
    const char *path = test_store_path("moved");
    AUTO(store) struct store *store = NULL;
    AUTO(states) struct states *states = NULL;
    struct error error;
    long sum = 0;
    REQUIRE(store_made(&store, path));
    for (int i = 0; i < OLD_COUNT; i++) {
        char id[32], text[32];
        snprintf(id, sizeof(id), "n-%d", 1000 + i);
        snprintf(text, sizeof(text), "%d", 1000 + i);
        REQUIRE(put(store, id, bytes_of_string(text)));
    }
    store_close(TAKE(store));
    for (unsigned round = 0; round < 2; round++) {
        REQUIRE(test_states_open(&states, path, &error));
        for (int i = 0; i < OLD_COUNT; i += 13)
            CHECK(has_number(states, 1000 + i));
        CHECK(!has_number(states, 999) && !has_number(states, 1000 + OLD_COUNT));
        REQUIRE(add_receipts(states, 3, &sum));
        CHECK(has_number(states, sum) && has_number(states, 1));
        CHECK_NUMBER(states->receipt_next, OLD_COUNT + 3 * (round + 1));
        states_close(TAKE(states));
    }
    REQUIRE(store_made(&store, path));
    unsigned there = places_there(store);
    CHECK_NOTE(there >= OLD_COUNT + 6 && there < 1000, "%u", there);
}

struct look {
    unsigned there;
    struct test_outcome outcome;
};

static bool look_run(void *context, struct store *store, struct error *error UNUSED)
{
    struct look *look = context;
    look->there = places_there(store);
    return true;
}

static void looked(void *context, const struct error *error)
{
    struct look *look = context;
    test_written(&look->outcome, error);
}

static unsigned look(struct states *states)
{
    struct error error;
    struct look look = { .there = 0 };
    if (!states_run(states, look_run, &look, looked, &error))
        return 0;
    test_wait_for(states, &look.outcome, 1);
    return look.there;
}

static void records_are_made_ready(void)
{
    const char *path = test_store_path("ready");
    AUTO(states) struct states *states = NULL;
    struct error error;
    long sum = 0;
    REQUIRE(test_states_open(&states, path, &error));
    REQUIRE(add_receipts(states, 10, &sum));
    CHECK_NUMBER(look(states), 10);
    REQUIRE(add_receipts(states, 60, &sum));
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (look(states) < READY_COUNT_SEEN &&
           clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(1000000) * TEST_PATIENCE_MS)
        poll(NULL, 0, 5);
    unsigned there = look(states);
    CHECK_NOTE(there >= READY_COUNT_SEEN && there < RECEIPTS_STORED_MAX, "%u", there);
    for (unsigned round = 0; round < 2; round++) {
        for (long i = 1; i <= sum; i++)
            CHECK(has_number(states, i));
        CHECK(!test_has_receipt(states, "", ""));
        states_close(TAKE(states));
        REQUIRE(test_states_open(&states, path, &error));
        CHECK_NUMBER(states->receipt_next, sum);
        CHECK(states->receipt_end >= there);
        REQUIRE(add_receipts(states, 1, &sum));
        CHECK(has_number(states, sum) && has_number(states, 1));
    }
}

static void what_is_no_receipt_is_told(void)
{
    static const uint8_t whole[] = { 1, 2, 3, 0, 0, 0, 'i', 'd', 't', 'x', 't', 0 };
    static const uint8_t version[] = { 2, 2, 3, 0, 0, 0, 'i', 'd', 't', 'x', 't' };
    static const uint8_t large[] = { 1, 2, 0xff, 0xff, 0xff, 0xff, 'i', 'd', 't' };
    static const uint8_t id[1 + 1 + 4 + 33] = { 1, 33, 0, 0, 0, 0 };
    struct bytes text, name;
    struct error error;
    CHECK(receipt_read(BYTES_OF(whole), &name, &text, &error));
    CHECK(bytes_equal_string(name, "id") && bytes_equal_string(text, "txt"));
    for (size_t size = 0; size < sizeof(whole) - 1; size++)
        CHECK(!receipt_read(bytes_of(whole, size), &name, &text, &error) &&
              error.code == ERROR_CORRUPT);
    const struct bytes wrong[] = { BYTES_OF(version), BYTES_OF(large), BYTES_OF(id) };
    for (unsigned i = 0; i < ARRAY_COUNT(wrong); i++) {
        AUTO(store) struct store *store = NULL;
        AUTO(states) struct states *states = NULL;
        char file[32];
        snprintf(file, sizeof(file), "wrong-%u", i);
        const char *path = test_store_path(file);
        REQUIRE(store_made(&store, path) && put(store, "#0fff", wrong[i]));
        store_close(TAKE(store));
        CHECK(!test_states_open(&states, path, &error) && error.code == ERROR_CORRUPT);
    }
}

static void records_have_whole_pieces(void)
{
    static uint8_t text[RECEIPT_TEXT_SIZE_MAX];
    static const size_t sizes[] = { 1, 246, 247, 2200, RECEIPT_TEXT_SIZE_MAX };
    const char *id = "0123456789abcdef0123456789abcdef";
    struct error error;
    memset(text, 't', sizeof(text));
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        AUTO_BUFFER struct buffer record;
        struct bytes name, read;
        buffer_init(&record, 1 << 16);
        receipt_write(&record, i % 2 == 0 ? id : "id", bytes_of(text, sizes[i]), 1000);
        REQUIRE(!record.failed && record.size >= 1000 && record.size % 256 == 0);
        REQUIRE(receipt_read(buffer_view(&record), &name, &read, &error));
        CHECK(bytes_equal_string(name, i % 2 == 0 ? id : "id"));
        CHECK_BYTES(read, bytes_of(text, sizes[i]));
    }
}

static const struct test tests[] = {
    TEST(those_from_before_are_moved),
    TEST(records_are_made_ready),
    TEST(what_is_no_receipt_is_told),
    TEST(records_have_whole_pieces),
};
TEST_MAIN(tests)
