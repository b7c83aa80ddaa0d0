/* SPDX-License-Identifier: Apache-2.0 */
#include "files/tree.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct bytes written(struct buffer *archive, const struct tree *tree)
{
    struct error error;
    buffer_init(archive, FILES_SIZE_MAX);
    CHECK(tree_write(archive, tree, &error));
    return buffer_view(archive);
}

static void add_sample(struct tree *tree, bool reversed)
{
    struct error error;
    uint32_t root, data, sub = 0, deep;
    CHECK(tree_add_preopened(tree, "/", &root, &error));
    CHECK(tree_add_preopened(tree, "/data", &data, &error));
    for (unsigned i = 0; i < 3; i++) {
        switch (reversed ? 2 - i : i) {
        case 0:
            CHECK(tree_add_file(tree, root, BYTES_LITERAL("b"), 7, BYTES_LITERAL("bee"), &error));
            break;
        case 1:
            CHECK(tree_add_folder(tree, root, BYTES_LITERAL("sub"), 0, &sub, &error));
            CHECK(tree_add_folder(tree, sub, BYTES_LITERAL("deep"), 0, &deep, &error));
            CHECK(tree_add_file(tree, deep, BYTES_LITERAL("x"), 0, BYTES_LITERAL("ex"), &error));
            break;
        default:
            CHECK(tree_add_link(tree, root, BYTES_LITERAL("a"), 0, BYTES_LITERAL("sub/deep"),
                                &error));
            CHECK(tree_add_file(tree, data, BYTES_LITERAL("t"), 0, BYTES_LITERAL(""), &error));
            break;
        }
    }
    CHECK_NUMBER(tree_file_count(tree), 4);
}

static void the_archive_is_checked_and_sorted(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    struct error error;
    struct files files;
    const char *reason = "";
    uint32_t index;
    REQUIRE(tree_new(&tree, &error));
    add_sample(tree, false);
    bool parsed = files_parse(&files, written(&archive, tree), &reason);
    CHECK_NOTE(parsed, "%s", reason);
    REQUIRE(parsed);
    CHECK_NUMBER(files.node_count, 8);
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("sub"), &index));
    REQUIRE(files_find(&files, index, BYTES_LITERAL("deep"), &index));
    REQUIRE(files_find(&files, index, BYTES_LITERAL("x"), &index));
    struct files_node node = files_node_at(&files, index);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("ex"));
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("a"), &index));
    node = files_node_at(&files, index);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("sub/deep"));
}

static void the_order_of_adding_does_not_show(void)
{
    AUTO(tree) struct tree *one = NULL;
    AUTO(tree) struct tree *other = NULL;
    AUTO_BUFFER struct buffer first;
    AUTO_BUFFER struct buffer second;
    struct error error;
    REQUIRE(tree_new(&one, &error) && tree_new(&other, &error));
    add_sample(one, false);
    add_sample(other, true);
    CHECK_BYTES(written(&first, one), written(&second, other));
}

static void what_can_not_be_is_refused(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    struct error error;
    uint32_t root, folder;
    char name[258];
    REQUIRE(tree_new(&tree, &error) && tree_add_preopened(tree, "/", &root, &error));
    CHECK(!tree_add_preopened(tree, "/", &root, &error) && error.code == ERROR_EXISTS);
    CHECK(!tree_add_preopened(tree, "", &root, &error));
    CHECK(!tree_add_file(tree, 0, BYTES_LITERAL(".."), 0, BYTES_LITERAL(""), &error));
    CHECK(!tree_add_file(tree, 0, BYTES_LITERAL("a/b"), 0, BYTES_LITERAL(""), &error));
    CHECK(!tree_add_folder(tree, 0, BYTES_LITERAL("\xff"), 0, &folder, &error));
    CHECK(!tree_add_link(tree, 0, BYTES_LITERAL("a"), 0, BYTES_LITERAL(""), &error));
    memset(name, 'n', sizeof(name));
    CHECK(!tree_add_file(tree, 0, bytes_of(name, 256), 0, BYTES_LITERAL(""), &error));
    CHECK(tree_add_file(tree, 0, bytes_of(name, 255), 0, BYTES_LITERAL(""), &error));
    for (unsigned i = 1; i < FILES_PREOPEN_COUNT_MAX; i++) {
        snprintf(name, sizeof(name), "/%u", i);
        CHECK(tree_add_preopened(tree, name, &root, &error));
    }
    CHECK(!tree_add_preopened(tree, "/x", &root, &error) && error.code == ERROR_LIMIT);
    CHECK(tree_add_file(tree, 0, BYTES_LITERAL("twice"), 0, BYTES_LITERAL(""), &error));
    CHECK(tree_add_file(tree, 0, BYTES_LITERAL("twice"), 0, BYTES_LITERAL(""), &error));
    buffer_init(&archive, FILES_SIZE_MAX);
    CHECK(!tree_write(&archive, tree, &error) && error.code == ERROR_EXISTS);
}

static void the_limits_hold(void)
{
    AUTO(tree) struct tree *tree = NULL;
    struct error error;
    uint32_t root, i;
    char name[16];
    REQUIRE(tree_new(&tree, &error) && tree_add_preopened(tree, "/", &root, &error));
    for (i = 1; i < FILES_NODE_COUNT_MAX; i++) {
        int size = snprintf(name, sizeof(name), "%u", i);
        REQUIRE(tree_add_file(tree, 0, bytes_of(name, (size_t)size), 0, BYTES_LITERAL(""), &error));
    }
    CHECK(!tree_add_file(tree, 0, BYTES_LITERAL("x"), 0, BYTES_LITERAL(""), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static void content_has_a_limit(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    struct error error;
    uint32_t root;
    static const uint8_t large[1 << 20];
    char name[16];
    REQUIRE(tree_new(&tree, &error) && tree_add_preopened(tree, "/", &root, &error));
    for (unsigned i = 0; tree_room(tree) >= sizeof(large) + 64; i++) {
        int size = snprintf(name, sizeof(name), "%u", i);
        REQUIRE(tree_add_file(tree, 0, bytes_of(name, (size_t)size), 0, BYTES_OF(large), &error));
    }
    CHECK(!tree_add_file(tree, 0, BYTES_LITERAL("x"), 0, BYTES_OF(large), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK(written(&archive, tree).size <= FILES_SIZE_MAX);
}

static const struct test tests[] = {
    TEST(the_archive_is_checked_and_sorted),
    TEST(the_order_of_adding_does_not_show),
    TEST(what_can_not_be_is_refused),
    TEST(the_limits_hold),
    TEST(content_has_a_limit),
};
TEST_MAIN(tests)
