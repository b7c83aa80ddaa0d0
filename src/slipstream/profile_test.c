/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/profile.h"

#include "abi/layout.h"
#include "base/file.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

static struct profile_row rows[PROFILE_ROWS_MAX];

/* A profile of the image that the other tests use. */
struct sampled {
    struct program *program;
    const struct image *image;
    struct profile *profile;
};

static bool sampled_make(struct sampled *sampled)
{
    struct error error;
    int descriptor = -1;
    struct test_image options = {
        .memory_size = 65536, .memory_size_max = 65536, .command = TEST_echo, .start = TEST_NONE
    };
    descriptor = test_image_make(&options);
    bool is_open = program_open(&sampled->program, descriptor, &error);
    file_close(&descriptor);
    if (!is_open)
        return false;
    sampled->image = program_image(sampled->program);
    sampled->profile = profile_new(sampled->image, NULL);
    return sampled->profile != NULL;
}

static void sampled_done(struct sampled *sampled)
{
    profile_free(sampled->profile);
    program_close(sampled->program);
}
#define AUTO_SAMPLED __attribute__((cleanup(sampled_done)))

static void counts_by_function(void)
{
    AUTO_SAMPLED struct sampled sampled = { 0 };
    REQUIRE(sampled_make(&sampled));
    struct image_function first = image_function_at(sampled.image, 0);
    struct image_function second = image_function_at(sampled.image, 1);
    uint32_t count;
    CHECK_NUMBER(profile_rows(sampled.profile, rows, &count), 0);
    CHECK_NUMBER(count, 0);
    profile_add(sampled.profile, sampled.image, LAYOUT_CODE + first.code_offset);
    for (unsigned i = 0; i < 3; i++)
        profile_add(sampled.profile, sampled.image, LAYOUT_CODE + second.code_offset);
    profile_add(sampled.profile, sampled.image, LAYOUT_RUNTIME);
    profile_add(sampled.profile, sampled.image, LAYOUT_CODE + LAYOUT_CODE_SIZE_MAX - 1);
    profile_add(sampled.profile, sampled.image, UINT64_MAX);
    CHECK_NUMBER(profile_rows(sampled.profile, rows, &count), 7);
    REQUIRE(count == 2);
    CHECK_NUMBER(rows[0].function, second.index);
    CHECK_NUMBER(rows[0].samples, 3);
    CHECK_NUMBER(rows[1].function, first.index);
    CHECK_NUMBER(rows[1].samples, 1);
}

static void learns_enough_once(void)
{
    AUTO_SAMPLED struct sampled sampled = { 0 };
    REQUIRE(sampled_make(&sampled));
    uint32_t count;
    CHECK(profile_is_open(sampled.profile));
    for (unsigned i = 0; i < PROFILE_SAMPLES_MAX + 10; i++)
        profile_add(sampled.profile, sampled.image, LAYOUT_CODE);
    CHECK(!profile_is_open(sampled.profile));
    CHECK_NUMBER(profile_rows(sampled.profile, rows, &count), PROFILE_SAMPLES_MAX);
    CHECK(!profile_is_open(NULL));
    CHECK_NUMBER(profile_rows(NULL, rows, &count), 0);
}

static const struct test tests[] = { TEST(counts_by_function), TEST(learns_enough_once) };
TEST_MAIN(tests)
