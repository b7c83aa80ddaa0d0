/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/artefact.h"

#include "tests/harness.h"

#include <string.h>

enum {
    LIST_SIZE = 20000
};

/* Whatever the image depends on besides its module is in the key, and nothing else. */
static void keys_tell_images_apart(void)
{
    static char long_list[LIST_SIZE + 1], other_list[LIST_SIZE + 1];
    memset(long_list, '1', LIST_SIZE);
    memcpy(other_list, long_list, LIST_SIZE);
    other_list[LIST_SIZE - 1] = '2';
    const struct compiler compilers[] = { { .name = "s3n-1-image-1-x86-64-v3" },
                                          { .name = "s3n-2-image-1-x86-64-v3" },
                                          { .name = "s3n-1-image-2-x86-64-v3" },
                                          { .name = "s3n-1-image-1-x86-64-v4" } };
    const struct artefact artefacts[] = {
        { .flags = 0 },
        { .flags = COMPILE_FUEL },
        { .flags = COMPILE_DETERMINISTIC },
        { .flags = COMPILE_FUEL | COMPILE_DETERMINISTIC },
        { .flags = COMPILE_NATIVE },
        { .flags = COMPILE_OPTIMISED },
        { .flags = COMPILE_OPTIMISED | COMPILE_FUEL },
        { .flags = COMPILE_OPTIMISED, .functions = "1,2" },
        { .flags = COMPILE_OPTIMISED, .functions = "1-2" },
        { .flags = COMPILE_OPTIMISED, .functions = long_list },
        { .flags = COMPILE_OPTIMISED, .functions = other_list },
        { .flags = COMPILE_OPTIMISED | COMPILE_DETERMINISTIC, .functions = "1,2" },
    };
    static char keys[ARRAY_COUNT(compilers) * ARRAY_COUNT(artefacts)][COMPILER_KEY_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(compilers); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(artefacts); j++) {
            char again[COMPILER_KEY_SIZE];
            compiler_key(keys[count], &compilers[i], &artefacts[j]);
            compiler_key(again, &compilers[i], &artefacts[j]);
            CHECK(strcmp(keys[count], again) == 0);
            for (size_t k = 0; k < count; k++)
                CHECK_NOTE(strcmp(keys[k], keys[count]) != 0, "%s", keys[k]);
            count++;
        }
    }
}

static void equal_when_the_same_is_made(void)
{
    struct artefact a = { .flags = COMPILE_OPTIMISED, .functions = "1,2" }, b = a;
    char list[] = "1,2";
    b.functions = list;
    CHECK(artefact_equal(&a, &b));
    list[0] = '2';
    CHECK(!artefact_equal(&a, &b));
    b.functions = NULL;
    CHECK(!artefact_equal(&a, &b));
    b = a;
    b.flags |= COMPILE_FUEL;
    CHECK(!artefact_equal(&a, &b));
    b = a;
    b.code.bytes[31] ^= 1;
    CHECK(!artefact_equal(&a, &b));
}

static const struct test tests[] = {
    TEST(keys_tell_images_apart),
    TEST(equal_when_the_same_is_made),
};
TEST_MAIN(tests)
