/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/settings.h"

#include "tests/harness.h"

#include <string.h>

static const struct settings all = {
    .memory_size_max = 1,
    .scratch_size_max = 2,
    .fuel = 3,
    .clock_resolution_ns = 4,
    .timeout_ms = 5,
    .stack_size = 6,
    .output_size_max = 7,
    .errors_size_max = 8,
    .host_call_count_max = 9,
    .entry = SETTINGS_ENTRY_REACTOR,
    .flags = SETTINGS_FLAGS,
};

static void round_trip(void)
{
    uint8_t bytes[SETTINGS_SIZE];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    settings_write(&writer, &all);
    CHECK(!writer.failed);
    CHECK_NUMBER(writer.size, SETTINGS_SIZE);
    struct reader reader = reader_of(BYTES_OF(bytes));
    struct settings read;
    CHECK(settings_read(&reader, &read));
    CHECK(memcmp(&read, &all, sizeof(all)) == 0);
}

static void truncated(void)
{
    uint8_t bytes[SETTINGS_SIZE];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    settings_write(&writer, &all);
    for (size_t size = 0; size < sizeof(bytes); size++) {
        struct reader reader = reader_of(bytes_of(bytes, size));
        struct settings read;
        CHECK(!settings_read(&reader, &read));
    }
}

static void unknown(void)
{
    /* the last byte of entry, of flags, of what is reserved */
    static const size_t places[] = { 55, 59, 63 };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        uint8_t bytes[SETTINGS_SIZE];
        struct writer writer = writer_into(bytes, sizeof(bytes));
        settings_write(&writer, &all);
        bytes[places[i]] = 1;
        struct reader reader = reader_of(BYTES_OF(bytes));
        struct settings read;
        CHECK(!settings_read(&reader, &read));
    }
}

static const struct test tests[] = { TEST(round_trip), TEST(truncated), TEST(unknown) };
TEST_MAIN(tests)
