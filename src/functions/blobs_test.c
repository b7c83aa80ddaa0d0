/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "crypto/hash.h"
#include "functions/blobs.h"
#include "functions/limits.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Counts what is unsealed: what the store had to read. */
static unsigned opened;

static bool seal(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    (void)context, (void)space, (void)associated, (void)error;
    buffer_append(out, in);
    return true;
}

static bool unseal(void *context, const char *space, struct bytes associated, struct bytes in,
                   struct buffer *out, struct error *error)
{
    opened++;
    return seal(context, space, associated, in, out, error);
}
static const struct sealer plain = { NULL, seal, unseal };

static struct store *store_at(const char *name)
{
    char path[4096];
    struct store *store = NULL;
    struct error error = { 0 };
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    CHECK_NOTE(store_open_sqlite(&store, path, &plain, &error), "%s", error.text);
    return store;
}

static bool holds(struct blobs *blobs, const char *content)
{
    struct error error = { 0 };
    struct digest32 digest = sha256_of(bytes_of_string(content));
    AUTO_CLOSE int file = -1;
    struct bytes found = { 0 };
    if (!blobs_open(blobs, &digest, &file, &error) || !file_map(&found, file, &error))
        return false;
    bool same = bytes_equal_string(found, content);
    file_unmap(&found);
    return same;
}

static bool put(struct blobs *blobs, const char *content)
{
    struct error error = { 0 };
    struct digest32 digest = sha256_of(bytes_of_string(content));
    bool done = blobs_put(blobs, &digest, bytes_of_string(content), &error);
    CHECK_NOTE(done, "%s", error.text);
    return done;
}

static void keeps_what_was_put_and_read(void)
{
    AUTO(store) struct store *store = store_at("kept");
    AUTO(blobs) struct blobs *blobs = NULL;
    AUTO(blobs) struct blobs *later = NULL;
    struct error error;
    REQUIRE(store != NULL && blobs_new(&blobs, store, 100, &error));
    CHECK(put(blobs, "module"));
    opened = 0;
    CHECK(holds(blobs, "module") && holds(blobs, "module"));
    CHECK_NUMBER(opened, 0);
    CHECK(!holds(blobs, "unknown"));
    REQUIRE(blobs_new(&later, store, 100, &error));
    CHECK(holds(later, "module"));
    CHECK(opened > 0);
    opened = 0;
    CHECK(holds(later, "module"));
    CHECK_NUMBER(opened, 0);
}

static void gives_up_the_oldest(void)
{
    AUTO(store) struct store *store = store_at("oldest");
    AUTO(blobs) struct blobs *blobs = NULL;
    struct error error;
    REQUIRE(store != NULL && blobs_new(&blobs, store, 10, &error));
    CHECK(put(blobs, "aaaa") && put(blobs, "bbbb") && holds(blobs, "aaaa") && put(blobs, "cccc"));
    opened = 0;
    CHECK(holds(blobs, "aaaa") && holds(blobs, "cccc"));
    CHECK_NUMBER(opened, 0);
    CHECK(holds(blobs, "bbbb"));
    CHECK(opened > 0);
    /* Larger than all that may be kept: handed out all the same. */
    CHECK(put(blobs, "more than ten bytes") && holds(blobs, "more than ten bytes"));
    for (unsigned i = 0; i < 2 * BLOBS_KEPT_COUNT; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", i);
        CHECK(put(blobs, text) && holds(blobs, text));
    }
}

static const struct test tests[] = {
    TEST(keeps_what_was_put_and_read),
    TEST(gives_up_the_oldest),
};

TEST_MAIN(tests)
