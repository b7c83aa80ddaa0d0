/* SPDX-License-Identifier: Apache-2.0 */
/* receipts FOLDER: receipts of a node that exists only here, for tests of other verifiers.
 * receipt.json is good; hostile.json is good and holds HTML where a receipt has room for it. */
#include "base/file.h"
#include "keys/keys_test_scene.h"
#include "tests/harness.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *folder;

static void put(const char *name, struct bytes content)
{
    struct error error = { 0 };
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    CHECK_NOTE(file_replace(path, content, 0600, &error), "%s", error.text);
}

static void put_bundle(const char *name, struct scene *scene)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    bool made = scene_issue(scene) && bundle_write(&text, &scene->bundle, &scene->error);
    CHECK_NOTE(made, "%s", scene->error.text);
    put(name, buffer_view(&text));
}

static void writes_receipts(void)
{
    static const char route[] = "/<img/src=x/onerror=window.hurt=1>";
    struct scene scene;
    if (!scene_open(&scene))
        return;
    put_bundle("receipt.json", &scene);
    put("input", BYTES_LITERAL("input"));
    put("output", BYTES_LITERAL("output"));
    scene.receipt.trigger.kind = RECEIPT_TRIGGER_HTTP;
    memcpy(scene.receipt.trigger.route, route, sizeof(route));
    put_bundle("hostile.json", &scene);
    scene_close(&scene);
}

static const struct test tests[] = { TEST(writes_receipts) };

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    folder = arguments[1];
    return test_main(tests, ARRAY_COUNT(tests), 1, arguments);
}
