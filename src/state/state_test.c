/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"
#include "state/state_parts.h"
#include "state/state_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_transaction_sees_its_own_writes_and_nobody_elses(void)
{
    STATE();
    test_set_now(state, "a", "1");
    struct transaction *first = test_begin(state), *second = test_begin(state);
    CHECK(test_set(first, "a", "2") && test_set(first, "b", "3"));
    CHECK_STRING(test_get(first, "a"), "2");
    CHECK_STRING(test_get(first, "b"), "3");
    CHECK_STRING(test_get(second, "a"), "1");
    CHECK_STRING(test_get(second, "b"), "-");
    CHECK_NUMBER(test_commit(first, NULL), ERROR_NONE);
    CHECK_STRING(test_get(second, "a"), "1"); /* its snapshot */
    CHECK_STRING(test_list(second, "", "", 10, 0), "a=1;");
    struct transaction *third = test_begin(state);
    CHECK_STRING(test_get(third, "a"), "2");
    transaction_end(third);
    CHECK_NUMBER(test_commit(second, NULL), ERROR_NONE); /* it only read */
    struct state_facts facts = state_facts(state);
    CHECK_NUMBER(facts.garbage, 0);
    CHECK_NUMBER(facts.transactions, 0);
    CHECK_NUMBER(facts.count, 2);
}

static void what_was_not_committed_leaves_nothing(void)
{
    STATE();
    test_set_now(state, "a", "1");
    struct digest32 before = state_facts(state).head.digest;
    struct transaction *transaction = test_begin(state);
    bool found;
    struct error error;
    CHECK(test_set(transaction, "a", "2") && test_set(transaction, "b", "3"));
    CHECK(transaction_delete(transaction, test_key("a"), &found, &error) && found);
    transaction_end(transaction);
    struct state_facts facts = state_facts(state);
    CHECK(digest32_equal(&before, &facts.head.digest));
    CHECK_NUMBER(facts.head.revision, 1);
    CHECK_NUMBER(facts.size, 3 + 1 + KV_ENTRY_OVERHEAD);
}

static void writes_without_reads_do_not_conflict(void)
{
    STATE();
    struct transaction *first = test_begin(state), *second = test_begin(state);
    CHECK(test_set(first, "a", "1") && test_set(second, "a", "2"));
    CHECK_NUMBER(test_commit(second, NULL), ERROR_NONE);
    CHECK_NUMBER(test_commit(first, NULL), ERROR_NONE);
    struct transaction *third = test_begin(state);
    CHECK_STRING(test_get(third, "a"), "1");
    transaction_end(third);
}

static void a_list_notices_what_comes_and_goes_in_its_range(void)
{
    static const struct {
        const char *prefix, *after;
        size_t limit;
        const char *listed, *changed;
        bool conflicts;
    } cases[] = {
        { "k", "", 10, "ka=1;kb=2;kd=3;", "kc", true },
        { "k", "", 10, "ka=1;kb=2;kd=3;", "l", false },
        { "k", "", 10, "ka=1;kb=2;kd=3;", "k", true },
        { "k", "ka", 10, "kb=2;kd=3;", "ka", false },
        { "k", "ka", 10, "kb=2;kd=3;", "ka0", true },
        { "k", "", 1, "ka=1;+", "kaa", true }, /* that there is more was told by kb */
        { "k", "", 1, "ka=1;+", "kc", false },
        { "kz", "", 1, "", "kz1", true },
        { "kz", "", 1, "", "ky", false },
        { "", "", 10, "ka=1;kb=2;kd=3;", "z", true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        STATE();
        test_set_now(state, "ka", "1");
        test_set_now(state, "kb", "2");
        test_set_now(state, "kd", "3");
        struct transaction *transaction = test_begin(state);
        CHECK_STRING(test_list(transaction, cases[i].prefix, cases[i].after, cases[i].limit, 0),
                     cases[i].listed);
        CHECK(test_set(transaction, "result", "x"));
        test_set_now(state, cases[i].changed, "new");
        CHECK_NOTE((test_commit(transaction, NULL) == ERROR_CONFLICT) == cases[i].conflicts,
                   "case %zu", i);
    }
}

static void a_deleted_key_is_a_conflict_too(void)
{
    STATE();
    bool found;
    struct error error;
    test_set_now(state, "a", "1");
    struct transaction *reader = test_begin(state), *lister = test_begin(state),
                       *missing = test_begin(state);
    CHECK_STRING(test_get(reader, "a"), "1");
    CHECK_STRING(test_list(lister, "a", "", 5, 0), "a=1;");
    CHECK_STRING(test_get(missing, "b"), "-");
    CHECK(test_set(reader, "r", "1") && test_set(lister, "r", "1") && test_set(missing, "r", "1"));
    struct transaction *other = test_begin(state);
    CHECK(transaction_delete(other, test_key("a"), &found, &error) && found);
    CHECK(test_set(other, "b", "1"));
    CHECK_NUMBER(test_commit(other, NULL), ERROR_NONE);
    CHECK_NUMBER(test_commit(reader, NULL), ERROR_CONFLICT);
    CHECK_NUMBER(test_commit(lister, NULL), ERROR_CONFLICT);
    CHECK_NUMBER(test_commit(missing, NULL), ERROR_CONFLICT);
    CHECK_NUMBER(state->table.count, 1);
}

static void lists_merge_what_the_transaction_wrote(void)
{
    STATE();
    bool found;
    struct error error;
    test_set_now(state, "a", "1");
    test_set_now(state, "c", "3");
    test_set_now(state, "e", "5");
    struct transaction *transaction = test_begin(state);
    CHECK(test_set(transaction, "b", "2") && test_set(transaction, "c", "C") &&
          test_set(transaction, "f", "6"));
    CHECK(transaction_delete(transaction, test_key("e"), &found, &error) && found);
    CHECK(transaction_delete(transaction, test_key("x"), &found, &error) && !found);
    CHECK_STRING(test_list(transaction, "", "", 10, 0), "a=1;b=2;c=C;f=6;");
    CHECK_STRING(test_list(transaction, "", "", 2, 0), "a=1;b=2;+");
    CHECK_STRING(test_list(transaction, "", "b", 2, 0), "c=C;f=6;");
    CHECK_STRING(test_list(transaction, "", "", 10, 3), "a=1;b=2;c=C;+");
    CHECK_STRING(test_list(transaction, "c", "", 10, 0), "c=C;");
    CHECK_STRING(test_list(transaction, "", "f", 10, 0), "");
    CHECK_STRING(test_list(transaction, "", "", 0, 0), "invalid");
    CHECK_STRING(test_list(transaction, "", "", KV_LIST_MAX + 1, 0), "invalid");
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

static void compare_and_set_compares_presence_and_bytes(void)
{
    STATE();
    struct error error;
    bool swapped;
    struct bytes one = BYTES_LITERAL("1"), two = BYTES_LITERAL("2"), empty = { 0 };
    struct transaction *transaction = test_begin(state);
    CHECK(transaction_compare_and_set(transaction, test_key("a"), &one, two, 0, &swapped, &error));
    CHECK(!swapped);
    CHECK(
        transaction_compare_and_set(transaction, test_key("a"), &empty, two, 0, &swapped, &error));
    CHECK(!swapped); /* an empty value is one */
    CHECK(transaction_compare_and_set(transaction, test_key("a"), NULL, one, 0, &swapped, &error));
    CHECK(swapped);
    CHECK(transaction_compare_and_set(transaction, test_key("a"), NULL, two, 0, &swapped, &error));
    CHECK(!swapped);
    CHECK(transaction_compare_and_set(transaction, test_key("a"), &one, two, 0, &swapped, &error));
    CHECK(swapped);
    CHECK_STRING(test_get(transaction, "a"), "2");
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

static void digests_chain_and_say_what_is_there(void)
{
    STATE();
    struct transaction_outcome first, second, third, reading;
    struct transaction *transaction = test_begin(state);
    struct digest32 nothing = { { 0 } };
    CHECK(test_set(transaction, "a", "1"));
    CHECK_NUMBER(test_commit(transaction, &first), ERROR_NONE);
    CHECK(digest32_equal(&first.before, &nothing));
    CHECK_NUMBER(first.revision, 1);
    transaction = test_begin(state);
    CHECK(test_set(transaction, "b", "2"));
    CHECK_NUMBER(test_commit(transaction, &second), ERROR_NONE);
    CHECK(digest32_equal(&second.before, &first.after));
    CHECK(!digest32_equal(&second.after, &first.after));
    transaction = test_begin(state);
    CHECK_STRING(test_get(transaction, "a"), "1");
    CHECK_NUMBER(test_commit(transaction, &reading), ERROR_NONE);
    CHECK(!reading.has_written && reading.revision == 2);
    CHECK(digest32_equal(&reading.before, &second.after) &&
          digest32_equal(&reading.after, &second.after));
    transaction = test_begin(state);
    bool found;
    struct error error;
    CHECK(transaction_delete(transaction, test_key("b"), &found, &error));
    CHECK_NUMBER(test_commit(transaction, &third), ERROR_NONE);
    CHECK(digest32_equal(&third.after, &first.after)); /* the same content, another history */

    /* Of one entry, as the header defines it. */
    uint8_t leaf[65] = { 0 }, hash[41] = { 2 };
    struct digest32 value = sha256_of(BYTES_LITERAL("1"));
    struct digest32 path = sha256_of(bytes_of("n\0a", 3));
    memcpy(hash + 9, value.bytes, 32);
    struct digest32 content = sha256_of(BYTES_OF(hash));
    memcpy(leaf + 1, path.bytes, 32);
    memcpy(leaf + 33, content.bytes, 32);
    struct digest32 expected = sha256_of(BYTES_OF(leaf));
    CHECK_BYTES(BYTES_OF(first.after.bytes), BYTES_OF(expected.bytes));
}

static void hostile_keys_and_values_are_refused(void)
{
    STATE();
    struct error error;
    static const uint8_t big[KV_VALUE_SIZE_MAX + 1];
    char long_key[KV_KEY_SIZE_MAX + 2], long_space[KV_NAMESPACE_SIZE_MAX + 2];
    memset(long_key, 'k', sizeof(long_key));
    memset(long_space, 's', sizeof(long_space));
    static const char *const bad_keys[] = {
        "", "a\nb", "\x7f", "\xff", "\xc0\x80", "\xed\xa0\x80"
    };
    struct transaction *transaction = test_begin(state);
    for (size_t i = 0; i < ARRAY_COUNT(bad_keys); i++) {
        CHECK(!transaction_set(transaction, test_key(bad_keys[i]), BYTES_LITERAL("v"), 0, &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
    }
    struct kv_key nul = { BYTES_LITERAL("n"), BYTES_LITERAL("a\0b") };
    CHECK(!transaction_set(transaction, nul, BYTES_LITERAL("v"), 0, &error));
    struct kv_key key = { BYTES_LITERAL("n"), bytes_of(long_key, KV_KEY_SIZE_MAX) };
    CHECK(transaction_set(transaction, key, bytes_of(big, KV_VALUE_SIZE_MAX), 0, &error));
    key.key.size++;
    CHECK(!transaction_set(transaction, key, BYTES_LITERAL("v"), 0, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(!transaction_set(transaction, test_key("k"), BYTES_OF(big), 0, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    key = (struct kv_key){ bytes_of(long_space, KV_NAMESPACE_SIZE_MAX), BYTES_LITERAL("k") };
    CHECK(transaction_set(transaction, key, BYTES_LITERAL("v"), 0, &error));
    key.space.size++;
    CHECK(!transaction_set(transaction, key, BYTES_LITERAL("v"), 0, &error));
    static const char *const bad_spaces[] = { "", "A", "a/b", "a b", "\xc3\xa4" };
    for (size_t i = 0; i < ARRAY_COUNT(bad_spaces); i++) {
        key.space = bytes_of_string(bad_spaces[i]);
        CHECK(!transaction_set(transaction, key, BYTES_LITERAL("v"), 0, &error));
        CHECK_NUMBER(error.code, ERROR_INVALID);
    }
    CHECK(!transaction_set(transaction, test_key("k"), BYTES_LITERAL("v"), -1, &error));
    CHECK(!transaction_set(transaction, test_key("k"), BYTES_LITERAL("v"), KV_TTL_MS_MAX + 1,
                           &error));
    CHECK(transaction_set(transaction, test_key("k"), BYTES_LITERAL("v"), KV_TTL_MS_MAX, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

static bool take_none(void *context UNUSED, const struct kv_entry *entry UNUSED)
{
    return false;
}

static void namespaces_of_the_node_are_nobody_elses(void)
{
    STATE();
    struct error error;
    struct kv_entry entry;
    bool found, more;
    struct kv_key own = { BYTES_LITERAL("s3n.results"), BYTES_LITERAL("k"), .is_node = true };
    struct transaction *transaction = test_begin(state);
    CHECK(transaction_set(transaction, own, BYTES_LITERAL("kept"), 0, &error));
    static const char *const spaces[] = { "s3n.results", "s3n.", "s3n.x" };
    for (size_t i = 0; i < ARRAY_COUNT(spaces); i++) {
        struct kv_key key = { bytes_of_string(spaces[i]), BYTES_LITERAL("k") };
        struct kv_range range = { .prefix = { .space = key.space }, .limit = 1 };
        struct bytes value = BYTES_LITERAL("kept");
        CHECK(!transaction_get(transaction, key, &entry, &found, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
        CHECK(!transaction_set(transaction, key, value, 0, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
        CHECK(!transaction_delete(transaction, key, &found, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
        CHECK(!transaction_compare_and_set(transaction, key, &value, value, 0, &found, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
        CHECK(!transaction_list(transaction, &range, take_none, NULL, &more, &error));
        CHECK_NUMBER(error.code, ERROR_DENIED);
    }
    CHECK(transaction_get(transaction, own, &entry, &found, &error) && found);
    CHECK_BYTES(entry.value, BYTES_LITERAL("kept"));
    struct kv_key near = { BYTES_LITERAL("s3n"), BYTES_LITERAL("k") };
    CHECK(transaction_set(transaction, near, BYTES_LITERAL("v"), 0, &error));
    near.space = BYTES_LITERAL("as3n.");
    CHECK(transaction_set(transaction, near, BYTES_LITERAL("v"), 0, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

static void a_hash_stands_for_its_entry_in_the_digest(void)
{
    STATE();
    AUTO(state) struct state *hidden = NULL;
    struct error error;
    struct bytes name = BYTES_LITERAL("s3n.x\0k"), value = BYTES_LITERAL("kept");
    struct digest32 hash = kv_entry_hash(value, 5);
    REQUIRE(state_new(&hidden, &test_clock, &error));
    CHECK(state_load_entry(state, BYTES_LITERAL("n\0k"), value, 0, &error));
    CHECK(state_load_entry(hidden, BYTES_LITERAL("n\0k"), value, 0, &error));
    CHECK(state_load_entry(state, name, value, 5, &error));
    CHECK(state_load_hash(hidden, name, &hash, &error));
    CHECK(!state_load_hash(hidden, name, &hash, &error));
    struct state_head head = state_facts(state).head;
    CHECK(state_load_end(hidden, &head, &error));
    hash.bytes[0] ^= 1;
    CHECK(state_load_hash(hidden, BYTES_LITERAL("s3n.x\0l"), &hash, &error));
    CHECK(!state_load_end(hidden, &head, &error));
}

static void transactions_have_limits(void)
{
    STATE();
    struct error error = { 0 };
    struct kv_entry entry;
    bool found;
    char name[32];
    struct transaction *transaction = test_begin(state);
    for (unsigned i = 0; i < TRANSACTION_WRITES_MAX; i++) {
        snprintf(name, sizeof(name), "%u", i);
        CHECK(test_set(transaction, name, "v"));
    }
    CHECK(test_set(transaction, "0", "again"));
    CHECK(!transaction_set(transaction, test_key("more"), BYTES_LITERAL("v"), 0, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    for (unsigned i = 0; i < TRANSACTION_READS_MAX; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        REQUIRE(transaction_get(transaction, test_key(name), &entry, &found, &error));
        REQUIRE(transaction_get(transaction, test_key(name), &entry, &found, &error));
    }
    CHECK(!transaction_get(transaction, test_key("r"), &entry, &found, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
    static const uint8_t big[KV_VALUE_SIZE_MAX];
    transaction = test_begin(state);
    for (unsigned i = 0; i < TRANSACTION_BYTES_MAX / KV_VALUE_SIZE_MAX - 1; i++) {
        snprintf(name, sizeof(name), "big%u", i);
        CHECK(transaction_set(transaction, test_key(name), BYTES_OF(big), 0, &error));
    }
    CHECK(transaction_set(transaction, test_key("big0"), BYTES_OF(big), 0, &error));
    CHECK(!transaction_set(transaction, test_key("last"), BYTES_OF(big), 0, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    transaction_end(transaction);
}

static void quotas_hold_to_the_byte(void)
{
    STATE();
    struct error error;
    bool found;
    uint64_t each = 3 + 1 + KV_ENTRY_OVERHEAD; /* "n\0a" and one byte */
    state_set_quota(state, &(struct state_quota){ 2 * each, 100 });
    struct transaction *transaction = test_begin(state);
    CHECK(test_set(transaction, "a", "1") && test_set(transaction, "b", "2"));
    CHECK(!transaction_set(transaction, test_key("c"), BYTES_LITERAL(""), 0, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(!transaction_set(transaction, test_key("a"), BYTES_LITERAL("12"), 0, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
    CHECK_NUMBER(state_facts(state).size, 2 * each);
    transaction = test_begin(state);
    CHECK(transaction_delete(transaction, test_key("a"), &found, &error));
    CHECK(test_set(transaction, "c", "3"));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
    /* Two that fit alone, not together: the later one finds out at its end. */
    state_set_quota(state, &(struct state_quota){ 3 * each, 100 });
    struct transaction *first = test_begin(state), *second = test_begin(state);
    CHECK(test_set(first, "d", "1") && test_set(second, "e", "1"));
    CHECK_NUMBER(test_commit(first, NULL), ERROR_NONE);
    CHECK_NUMBER(test_commit(second, NULL), ERROR_LIMIT);
    CHECK_NUMBER(state_facts(state).size, 3 * each);
    /* A quota that was lowered refuses growth, not shrinking. */
    state_set_quota(state, &(struct state_quota){ each, 1 });
    transaction = test_begin(state);
    CHECK(test_set(transaction, "d", ""));
    CHECK(!transaction_set(transaction, test_key("d"), BYTES_LITERAL("22"), 0, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
    state_set_quota(state, &(struct state_quota){ 1 << 20, 3 });
    transaction = test_begin(state);
    CHECK(!transaction_set(transaction, test_key("z"), BYTES_LITERAL("1"), 0, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    transaction_end(transaction);
}

static void set_for(struct state *state, const char *key, int64_t ttl_ms)
{
    struct error error;
    struct transaction *transaction = test_begin(state);
    CHECK(transaction_set(transaction, test_key(key), BYTES_LITERAL("v"), ttl_ms, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_NONE);
}

static const char *get_now(struct state *state, const char *key)
{
    struct transaction *transaction = test_begin(state);
    const char *value = test_get(transaction, key);
    transaction_end(transaction);
    return value;
}

static void entries_expire_whatever_the_clock_does(void)
{
    STATE();
    set_for(state, "a", 1000);
    set_for(state, "b", 5000);
    set_for(state, "c", 0);
    test_wall_ms += 999;
    test_monotonic_ms += 999;
    CHECK_STRING(get_now(state, "a"), "v");
    struct transaction *early = test_begin(state);
    test_wall_ms += 1;
    test_monotonic_ms += 1;
    CHECK_STRING(get_now(state, "a"), "-");
    CHECK_STRING(test_get(early, "a"), "v"); /* its time is that of its begin */
    transaction_end(early);
    test_wall_ms -= 3600000; /* set back an hour: nothing lives again */
    CHECK_STRING(get_now(state, "a"), "-");
    CHECK_STRING(get_now(state, "b"), "v");
    test_monotonic_ms += 4000; /* and time goes on */
    CHECK_STRING(get_now(state, "b"), "-");
    set_for(state, "d", 1000);
    CHECK_STRING(get_now(state, "d"), "v");
    CHECK_NUMBER(state_facts(state).count, 2); /* swept by that commit */
    test_wall_ms += 2 * 3600000 + 10000;       /* ahead by an hour */
    CHECK_STRING(get_now(state, "d"), "-");
    CHECK_STRING(get_now(state, "c"), "v");
    set_for(state, "e", 1000);
    test_wall_ms -= 3600000; /* and right again */
    test_monotonic_ms += 999;
    CHECK_STRING(get_now(state, "e"), "v");
    test_monotonic_ms += 1;
    CHECK_STRING(get_now(state, "e"), "-");
}

static void expired_entries_do_not_count_against_a_quota(void)
{
    STATE();
    char name[16];
    uint64_t each = 2 + 4 + 1 + KV_ENTRY_OVERHEAD;
    state_set_quota(state, &(struct state_quota){ 1000 * each, 1000 });
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            snprintf(name, sizeof(name), "%u%03u", round, i);
            set_for(state, name, 1000);
        }
        test_wall_ms += 1000;
        test_monotonic_ms += 1000;
    }
    CHECK(state_facts(state).count <= 1000);
    for (unsigned i = 0; i < 40; i++)
        set_for(state, "z", 0);
    CHECK_NUMBER(state_facts(state).count, 1);
    CHECK_NUMBER(state_facts(state).garbage, 0);
    CHECK_NUMBER(state->table.count, 1);
}

static void a_reader_that_saw_what_expired_conflicts_once_it_is_swept(void)
{
    STATE();
    set_for(state, "a", 1000);
    struct transaction *reader = test_begin(state);
    CHECK_STRING(test_get(reader, "a"), "v");
    CHECK(test_set(reader, "b", "1"));
    test_wall_ms += 2000;
    test_monotonic_ms += 2000;
    set_for(state, "c", 0);
    CHECK_STRING(test_get(reader, "a"), "v");
    CHECK_NUMBER(test_commit(reader, NULL), ERROR_CONFLICT);
}

static void what_is_spoilt_answers_conflict(void)
{
    STATE();
    test_set_now(state, "a", "1");
    struct error error;
    struct transaction *transaction = test_begin(state), *refused;
    CHECK_STRING(test_get(transaction, "a"), "1");
    state_spoil(state);
    CHECK_STRING(test_get(transaction, "a"), "conflict");
    CHECK(!transaction_begin(&refused, state, &error));
    CHECK_NUMBER(test_commit(transaction, NULL), ERROR_CONFLICT);
}

static const struct test tests[] = {
    TEST(a_transaction_sees_its_own_writes_and_nobody_elses),
    TEST(what_was_not_committed_leaves_nothing),
    TEST(writes_without_reads_do_not_conflict),
    TEST(a_list_notices_what_comes_and_goes_in_its_range),
    TEST(a_deleted_key_is_a_conflict_too),
    TEST(lists_merge_what_the_transaction_wrote),
    TEST(compare_and_set_compares_presence_and_bytes),
    TEST(digests_chain_and_say_what_is_there),
    TEST(hostile_keys_and_values_are_refused),
    TEST(namespaces_of_the_node_are_nobody_elses),
    TEST(a_hash_stands_for_its_entry_in_the_digest),
    TEST(transactions_have_limits),
    TEST(quotas_hold_to_the_byte),
    TEST(entries_expire_whatever_the_clock_does),
    TEST(expired_entries_do_not_count_against_a_quota),
    TEST(a_reader_that_saw_what_expired_conflicts_once_it_is_swept),
    TEST(what_is_spoilt_answers_conflict),
};
TEST_MAIN(tests)
