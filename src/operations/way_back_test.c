/* SPDX-License-Identifier: Apache-2.0 */
/* Before stores get a new form they are saved; the S3N before names that file, and restores it. */
#include "operations/way_back.h"

#include "base/file.h"
#include "base/secret.h"
#include "keys/sealing.h"
#include "operations/restore.h"
#include "state/states.h"
#include "store/migrations.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct secret32 root = { { 7, 7, 7 } };
static struct secret32 state_root = { { 9, 9 } };
static const struct migration to_two[] = {
    { "ALTER TABLE blob ADD COLUMN used INTEGER NOT NULL DEFAULT 0", NULL }
};
static const struct schema two = { 2, to_two };

static const char *path_in(const char *folder, const char *name)
{
    static char paths[32][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % ARRAY_COUNT(paths)];
    ASSERT(snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
    return path;
}

/* A node's folder of stores, with one record of our own. */
static const char *stores(const char *name)
{
    const char *folder = path_in(test_folder(), name);
    struct sealer sealer = sealing_local(&root);
    struct store *store = NULL;
    struct states *states = NULL;
    struct error error = { 0 };
    uint64_t revision;
    bool done = mkdir(folder, 0700) == 0 &&
                store_open_sqlite(&store, path_in(folder, "store.db"), &sealer, &error) &&
                store_put(store, (struct store_key){ STORE_SPACE_NODE, "state/root" },
                          BYTES_OF(state_root.bytes), 0, &revision, &error);
    store_close(store);
    struct states_options options = { .path = path_in(folder, "state.db"),
                                      .sealer = sealing_local(&state_root),
                                      .clock = &clock_system };
    done = done && states_open(&states, &options, &error);
    CHECK_NOTE(done, "%s", error.text);
    states_close(states);
    return folder;
}

static struct way_back to_schema(const char *folder, long schema)
{
    return (struct way_back){ .folder = folder,
                              .schema = schema,
                              .sealer = sealing_local(&root),
                              .header = { .node = "n", .platform = "sim", .software = "1" } };
}

static bool saves(const char *folder, long schema)
{
    struct way_back way = to_schema(folder, schema);
    struct error error = { 0 };
    char path[PATH_MAX];
    bool made = false;
    CHECK_NOTE(way_back_save(&way, &made, path, &error), "%s", error.text);
    return made;
}

static bool opens(const char *path, struct secret32 *key, const struct schema *schema,
                  struct error *error)
{
    struct sealer sealer = sealing_local(key);
    AUTO(store) struct store *store = NULL;
    return store_open_schema(&store, path, &sealer, NULL, schema, error);
}

static void quiet(void *context UNUSED, const char *part UNUSED, uint64_t done UNUSED,
                  uint64_t all UNUSED)
{
}

static void loud(void *context UNUSED, const char *part, const struct error *problem)
{
    CHECK_NOTE(false, "%s: %s", part, problem->text);
}

static void nothing_is_saved_without_need(void)
{
    const char *folder = stores("present");
    CHECK(!saves(folder, 0));
    CHECK(access(path_in(folder, "before-schema-1.backup"), F_OK) != 0);
    CHECK(!saves(path_in(folder, "none"), 2));
}

static void the_way_there_and_back(void)
{
    const char *folder = stores("way");
    const char *backup = path_in(folder, "before-schema-2.backup");
    struct check_listener listener = { NULL, quiet, loud };
    struct check check = { .listener = &listener };
    struct sealer sealer = sealing_local(&root);
    struct backup_header header;
    struct error error = { 0 };
    struct stat before, after;
    CHECK(saves(folder, 2));
    REQUIRE(stat(backup, &before) == 0);
    CHECK_NUMBER(before.st_mode & 0777, 0600);
    CHECK(access(path_in(folder, "before-schema.copy"), F_OK) != 0);

    /* Cut off between two stores: what was saved at first is what counts. */
    CHECK_NOTE(opens(path_in(folder, "store.db"), &root, &two, &error), "%s", error.text);
    CHECK(!saves(folder, 2));
    CHECK_NOTE(opens(path_in(folder, "state.db"), &state_root, &two, &error), "%s", error.text);
    CHECK(!saves(folder, 2));
    CHECK(stat(backup, &after) == 0 && after.st_ino == before.st_ino);

    /* The S3N before. */
    CHECK(!opens(path_in(folder, "store.db"), &root, &store_schema, &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
    CHECK_NOTE(strstr(error.text, "before-schema-2.backup beside it") != NULL, "%s", error.text);
    char target[PATH_MAX];
    snprintf(target, sizeof(target), "%s", path_in(folder, "restored"));
    AUTO_CLOSE int file = open(backup, O_RDONLY | O_CLOEXEC);
    CHECK_NOTE(restore_unpack(file, target, &sealer, &header, &check, &error), "%s", error.text);
    CHECK(check.counts.records > 0);
    CHECK(access(path_in(target, "state.db"), F_OK) == 0);
}

static void without_the_file_nothing_is_named(void)
{
    const char *folder = stores("unnamed");
    struct error error = { 0 };
    CHECK(opens(path_in(folder, "store.db"), &root, &two, &error));
    CHECK(!opens(path_in(folder, "store.db"), &root, &store_schema, &error));
    CHECK_NOTE(strstr(error.text, "way back") == NULL, "%s", error.text);
}

/* What can't be read has no form that would be changed; whoever opens it says so. */
static void a_store_that_is_none_is_no_reason(void)
{
    const char *folder = stores("broken");
    struct error error;
    CHECK(file_replace(path_in(folder, "state.db"), BYTES_LITERAL("no database at all, but long"),
                       0600, &error));
    CHECK(!saves(folder, 1));
}

static const struct test tests[] = { TEST(nothing_is_saved_without_need),
                                     TEST(the_way_there_and_back),
                                     TEST(without_the_file_nothing_is_named),
                                     TEST(a_store_that_is_none_is_no_reason) };

TEST_MAIN(tests)
