/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at any allocation: an error, and the store stays as it was. */
#include "crypto/hash.h"
#include "store/store.h"
#include "store/store_test_support.h"
#include "tests/harness.h"
#include "tests/starve.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scene {
    struct test_sealer sealing;
    const char *path;
    struct store *store;
    unsigned made;
    struct error error;
};

static bool scene_open(struct scene *scene)
{
    struct sealer sealer = test_sealer_of(&scene->sealing);
    return store_open_sqlite(&scene->store, scene->path, &sealer, &scene->error);
}

static bool create_and_open(void *context)
{
    struct scene *scene = context;
    unlink(scene->path);
    bool opened = scene_open(scene);
    store_close(TAKE(scene->store));
    opened = opened && scene_open(scene);
    store_close(TAKE(scene->store));
    return opened;
}

/* A batch, and a look at all of it. */
static bool write_and_read(void *context)
{
    struct scene *scene = context;
    char first[32], second[32];
    snprintf(first, sizeof(first), "a/%06u", scene->made);
    snprintf(second, sizeof(second), "b/%06u", scene->made);
    struct store_write writes[] = {
        { .kind = STORE_WRITE_PUT, .key = { "app", first }, .value = bytes_of_string(first) },
        { .kind = STORE_WRITE_PUT, .key = { "app", second }, .value = bytes_of_string(second) },
    };
    bool written = store_apply(scene->store, writes, 2, &scene->error);
    if (written)
        scene->made++;
    AUTO_STORE_PAGE struct store_page page = { 0 };
    AUTO_BUFFER struct buffer value;
    buffer_init(&value, 1 << 20);
    uint64_t revision;
    return written &&
           store_list(scene->store, (struct store_key){ "app", "a/" }, NULL, 10, &page,
                      &scene->error) &&
           store_get(scene->store, (struct store_key){ "app", second }, &value, &revision,
                     &scene->error);
}

static bool put_and_get_blob(void *context)
{
    struct scene *scene = context;
    static uint8_t content[2000];
    struct digest32 digest = sha256_of(BYTES_OF(content));
    AUTO_BUFFER struct buffer back;
    buffer_init(&back, 4 << 20);
    bool done = store_blob_put(scene->store, &digest, BYTES_OF(content), &scene->error) &&
                store_blob_get(scene->store, &digest, &back, &scene->error);
    CHECK(!done || bytes_equal(buffer_view(&back), BYTES_OF(content)));
    return done && store_blob_delete(scene->store, &digest, &scene->error);
}

static void every_allocation_may_fail(void)
{
    struct scene scene = { .path = test_store_path("memory") };
    unsigned opening = starve_each(create_and_open, &scene, 23, 5000);
    REQUIRE(scene_open(&scene));
    unsigned writing = starve_each(write_and_read, &scene, 1, 5000);
    unsigned blobs = starve_each(put_and_get_blob, &scene, 1, 5000);
    printf("    %u, %u and %u allocations failed\n", opening, writing, blobs);
    store_close(TAKE(scene.store));
    CHECK(scene_open(&scene)); /* what is on the disk holds together */
    for (unsigned i = 0; i < scene.made; i++) {
        char key[32];
        snprintf(key, sizeof(key), "b/%06u", i);
        CHECK(test_holds(scene.store, key, key));
    }
    store_close(scene.store);
}

static const struct test tests[] = { TEST(every_allocation_may_fail) };

int main(int argc, char **argv)
{
    starve_spare((const void *)(uintptr_t)hash_new);
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* a thousand commits, none of which need last */
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
