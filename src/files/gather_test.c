/* SPDX-License-Identifier: Apache-2.0 */
#include "files/gather.h"

#include "base/file.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path_text[512];

static const char *at(const char *folder, const char *name)
{
    snprintf(path_text, sizeof(path_text), "%s/%s", folder, name);
    return path_text;
}

static void put(const char *folder, const char *name, const char *content)
{
    struct error error;
    CHECK(file_replace(at(folder, name), bytes_of_string(content), 0644, &error));
}

static void make(const char *folder, const char *name)
{
    CHECK(mkdir(at(folder, name), 0755) == 0);
}

/* A project with a file of each kind. */
static const char *project(void)
{
    static char folders[8][256];
    static unsigned count;
    char *folder = folders[count];
    snprintf(folder, sizeof(folders[0]), "%s/%u", test_folder(), count);
    count++;
    CHECK(mkdir(folder, 0755) == 0);
    make(folder, "assets");
    make(folder, "assets/deep");
    make(folder, ".git");
    put(folder, "s3n.toml", "");
    put(folder, "assets/a.txt", "a");
    put(folder, "assets/deep/b.txt", "bb");
    put(folder, "assets/.hidden", "h");
    put(folder, ".git/config", "c");
    return folder;
}

static void write_skip(void *context, const char *path, const char *reason)
{
    struct buffer *log = context;
    buffer_format(log, "%s: %s\n", path, reason);
}

static uint32_t find(const struct files *files, const char *path)
{
    struct bytes rest = bytes_of_string(path);
    uint32_t index = 0;
    while (rest.size > 0) {
        size_t size = bytes_find(rest, '/');
        if (!files_find(files, index, bytes_part(rest, 0, size), &index))
            return UINT32_MAX;
        rest = bytes_part(rest, size + 1, rest.size);
    }
    return index;
}

static bool parse(struct files *files, struct buffer *archive, const struct tree *tree)
{
    struct error error;
    const char *reason = "";
    buffer_init(archive, FILES_SIZE_MAX);
    return tree_write(archive, tree, &error) && files_parse(files, buffer_view(archive), &reason);
}

static void folders_are_copied_whole(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    AUTO_BUFFER struct buffer log;
    struct gather_watch watch = { .skipped = write_skip, .context = &log };
    struct error error;
    struct files files;
    const char *folder = project();
    buffer_init(&log, 4096);
    CHECK(symlink("../outside", at(folder, "assets/link")) == 0);
    CHECK(mkfifo(at(folder, "pipe"), 0644) == 0);
    put(folder, "wrong\xff", "");
    REQUIRE(tree_new(&tree, &error));
    REQUIRE(gather_folder(tree, folder, "/mine", &watch, &error));
    REQUIRE(parse(&files, &archive, tree));
    uint32_t index = find(&files, "assets/deep/b.txt");
    REQUIRE(index != UINT32_MAX);
    struct files_node node = files_node_at(&files, index);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("bb"));
    CHECK(node.modified_ns > 1600000000ull * 1000000000u);
    index = find(&files, "assets/link");
    REQUIRE(index != UINT32_MAX);
    node = files_node_at(&files, index);
    CHECK_NUMBER(node.kind, FILES_LINK);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("../outside"));
    CHECK(find(&files, ".git/config") != UINT32_MAX);
    CHECK(find(&files, "pipe") == UINT32_MAX);
    CHECK_NUMBER(files.node_count, 10);
    buffer_append(&log, bytes_of("", 1));
    CHECK(strstr((const char *)log.data, "pipe: it is neither") != NULL);
    CHECK(strstr((const char *)log.data, "its name is no UTF-8") != NULL);
}

static void patterns_take_what_they_match(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO(tree) struct tree *again = NULL;
    AUTO_BUFFER struct buffer archive;
    AUTO_BUFFER struct buffer second;
    struct error error;
    struct files files;
    const char *folder = project();
    const char *const patterns[] = { "assets/**", "s3n.toml", "**/*.txt" };
    CHECK(symlink("deep/b.txt", at(folder, "assets/link")) == 0);
    REQUIRE(tree_new(&tree, &error) && tree_new(&again, &error));
    REQUIRE(gather_patterns(tree, folder, patterns, 3, &error));
    REQUIRE(parse(&files, &archive, tree));
    CHECK(find(&files, "s3n.toml") != UINT32_MAX);
    CHECK(find(&files, "assets/a.txt") != UINT32_MAX);
    CHECK(find(&files, "assets/deep/b.txt") != UINT32_MAX);
    CHECK(find(&files, "assets/.hidden") == UINT32_MAX);
    CHECK(find(&files, ".git") == UINT32_MAX);
    uint32_t index = find(&files, "assets/link");
    REQUIRE(index != UINT32_MAX);
    struct files_node node = files_node_at(&files, index);
    CHECK_NUMBER(node.kind, FILES_REGULAR);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("bb"));
    CHECK_NUMBER(node.modified_ns, 0);
    /* The same files in another place, made at another time, are the same archive. */
    const char *other = project();
    CHECK(symlink("deep/b.txt", at(other, "assets/link")) == 0);
    REQUIRE(gather_patterns(again, other, patterns, 3, &error));
    REQUIRE(parse(&files, &second, again));
    CHECK_BYTES(buffer_view(&archive), buffer_view(&second));
}

static bool gathers(const char *folder, const char *pattern, struct error *error)
{
    AUTO(tree) struct tree *tree = NULL;
    return tree_new(&tree, error) && gather_patterns(tree, folder, &pattern, 1, error);
}

static void wrong_projects_are_refused(void)
{
    struct error error;
    const char *folder = project();
    CHECK(!gathers(folder, "asset/**", &error) && error.code == ERROR_INVALID);
    CHECK(strstr(error.text, "matches no file") != NULL);
    CHECK(!gathers(folder, "assets", &error));
    CHECK(strstr(error.text, "folder/**") != NULL);
    CHECK(!gathers(folder, "../x", &error) && error.code == ERROR_INVALID);
    CHECK(!gathers("/nowhere/at/all", "x", &error) && error.code == ERROR_NOT_FOUND);
    CHECK(symlink("/etc/hostname", at(folder, "assets/out")) == 0);
    CHECK(!gathers(folder, "assets/**", &error) && error.code == ERROR_DENIED);
    CHECK(strstr(error.text, "assets/out") != NULL);
    CHECK(gathers(folder, "assets/*.txt", &error));
    CHECK(unlink(at(folder, "assets/out")) == 0);
    CHECK(symlink("nothing", at(folder, "assets/dangling")) == 0);
    CHECK(!gathers(folder, "assets/**", &error) && error.code == ERROR_NOT_FOUND);
    CHECK(unlink(at(folder, "assets/dangling")) == 0);
    CHECK(symlink("deep", at(folder, "assets/folder")) == 0);
    CHECK(!gathers(folder, "assets/**", &error) && error.code == ERROR_INVALID);
    CHECK(unlink(at(folder, "assets/folder")) == 0);
    CHECK(mkfifo(at(folder, "assets/pipe"), 0644) == 0);
    CHECK(!gathers(folder, "assets/**", &error) && error.code == ERROR_INVALID);
}

static const struct test tests[] = {
    TEST(folders_are_copied_whole),
    TEST(patterns_take_what_they_match),
    TEST(wrong_projects_are_refused),
};
TEST_MAIN(tests)
