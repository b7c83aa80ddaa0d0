/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at any allocation: an error and nothing worse. */
#include "keys/keys_test_scene.h"
#include "keys/keys_test_support.h"
#include "keys/sealing.h"
#include "tests/harness.h"
#include "tests/starve.h"

#include <string.h>

static bool issue_and_verify(void *context)
{
    struct scene *scene = context;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    AUTO_BUNDLE struct bundle back;
    bundle_init(&back);
    return scene_issue(scene) && bundle_write(&text, &scene->bundle, &scene->error) &&
           bundle_parse(&back, buffer_view(&text), &scene->error) &&
           verify_bundle(&scene->result, &back, &scene->options, &scene->error);
}

static bool seal_and_open(void *context)
{
    struct error *error = context;
    static const struct secret32 root = { { 1 } };
    AUTO_BUFFER struct buffer sealed, plain;
    buffer_init(&sealed, 1000);
    buffer_init(&plain, 1000);
    return sealing_seal(&root, "app", BYTES_LITERAL("a"), BYTES_LITERAL("b"), &sealed, error) &&
           sealing_open(&root, "app", BYTES_LITERAL("a"), buffer_view(&sealed), &plain, error) &&
           bytes_equal_string(buffer_view(&plain), "b");
}

static void every_allocation_may_fail(void)
{
    struct scene scene;
    struct error error = { 0 };
    if (scene_open(&scene))
        starve_each(issue_and_verify, &scene, 1, 5000);
    scene_close(&scene);
    starve_each(seal_and_open, &error, 1, 100);
}

static const struct test tests[] = { TEST(every_allocation_may_fail) };

int main(int argc, char **argv)
{
    starve_spare((const void *)(uintptr_t)hash_new);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
