/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/local_state.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct local_name name_of(const char *space, const char *key)
{
    return (struct local_name){ bytes_of_string(space), bytes_of_string(key) };
}

static bool set(struct local_state *state, const char *space, const char *key, const char *value,
                int64_t expires_ms)
{
    struct local_name name = name_of(space, key);
    struct error error;
    return local_state_set(state, &name, bytes_of_string(value), expires_ms, &error);
}

static const char *get(const struct local_state *state, const char *space, const char *key,
                       int64_t now_ms)
{
    static char text[64];
    struct local_name name = name_of(space, key);
    const struct local_entry *entry = local_state_find(state, &name, now_ms);
    if (entry == NULL)
        return NULL;
    snprintf(text, sizeof(text), "%.*s", (int)entry->value.size, (const char *)entry->value.data);
    return text;
}

static void entries_stand_in_order(void)
{
    AUTO_LOCAL_STATE struct local_state state = { 0 };
    uint64_t random = 3;
    CHECK(set(&state, "b", "x", "1", 0) && set(&state, "a", "z", "2", 0));
    CHECK(set(&state, "a", "y", "3", 0) && set(&state, "a", "y", "4", 0));
    CHECK_NUMBER(state.count, 3);
    CHECK_STRING(get(&state, "a", "y", 0), "4");
    CHECK(get(&state, "a", "x", 0) == NULL && get(&state, "b", "y", 0) == NULL);
    for (unsigned i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", (unsigned)(test_random(&random) % 50));
        if (test_random(&random) % 3 == 0)
            local_state_remove(&state,
                               &(struct local_name){ BYTES_LITERAL("c"), bytes_of_string(key) });
        else
            CHECK(set(&state, "c", key, key, 0));
    }
    size_t size = 0;
    for (size_t i = 0; i < state.count; i++) {
        const struct local_entry *at = &state.entries[i];
        size +=
            LOCAL_STATE_ENTRY_HEAD_SIZE + at->name.space.size + at->name.key.size + at->value.size;
        CHECK_NUMBER(local_state_from(&state, &at->name), i);
    }
    CHECK_NUMBER(state.size, size);
}

static void what_is_refused_changes_nothing(void)
{
    static char large[LOCAL_STATE_VALUE_SIZE_MAX + 1];
    char key[LOCAL_STATE_KEY_SIZE_MAX + 2];
    AUTO_LOCAL_STATE struct local_state state = { 0 };
    struct local_name name = name_of("a", "k");
    struct error error;
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    CHECK(!set(&state, "a", "", "x", 0) && !set(&state, "a", "a\nb", "x", 0));
    CHECK(!set(&state, "a", "\xff", "x", 0) && !set(&state, "a", key, "x", 0));
    CHECK(set(&state, "a", key + 1, "x", 0));
    CHECK(!local_state_set(&state, &name, BYTES_OF(large), 0, &error) && error.code == ERROR_LIMIT);
    CHECK(local_state_set(&state, &name, bytes_of(large, sizeof(large) - 1), 0, &error));
    unsigned count = 2;
    for (;; count++) {
        snprintf(key, sizeof(key), "%u", count);
        name.key = bytes_of_string(key);
        if (!local_state_set(&state, &name, bytes_of(large, sizeof(large) - 1), 0, &error))
            break;
    }
    CHECK(error.code == ERROR_LIMIT && state.size <= LOCAL_STATE_SIZE_MAX);
    CHECK_NUMBER(state.count, count);
}

static void files_are_snapshots(void)
{
    AUTO_LOCAL_STATE struct local_state state = { 0 }, again = { 0 };
    AUTO_BUFFER struct buffer file;
    struct error error;
    buffer_init(&file, 1 << 20);
    REQUIRE(local_state_read(&again, buffer_view(&file), &error));
    CHECK_NUMBER(again.count, 0);
    CHECK(set(&state, "a", "k", "one", 0) && set(&state, "a", "old", "gone", 50));
    local_state_write(&state, &file, 100);
    size_t first = file.size;
    CHECK(set(&state, "a", "k", "two", 0) && set(&state, "b", "k", "three", 200));
    local_state_write(&state, &file, 100);
    REQUIRE(local_state_read(&again, buffer_view(&file), &error));
    CHECK_NUMBER(again.count, 2);
    CHECK(!again.is_changed);
    CHECK_STRING(get(&again, "a", "k", 100), "two");
    CHECK_STRING(get(&again, "b", "k", 199), "three");
    CHECK(get(&again, "b", "k", 200) == NULL);
    /* One that was cut or changed counts as not written. */
    for (size_t size = first; size < file.size; size++) {
        REQUIRE(local_state_read(&again, bytes_part(buffer_view(&file), 0, size), &error));
        CHECK_STRING(get(&again, "a", "k", 100), "one");
    }
    for (size_t i = first; i < file.size; i++) {
        file.data[i] ^= 0x10;
        if (local_state_read(&again, buffer_view(&file), &error) && again.count > 0)
            CHECK(strcmp(get(&again, "a", "k", 100), "one") == 0 || again.count == 2);
        file.data[i] ^= 0x10;
    }
    CHECK(!local_state_read(&again, BYTES_LITERAL("something else"), &error));
}

static const struct test tests[] = {
    TEST(entries_stand_in_order),
    TEST(what_is_refused_changes_nothing),
    TEST(files_are_snapshots),
};
TEST_MAIN(tests)
