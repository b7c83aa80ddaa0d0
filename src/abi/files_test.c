/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/test_files.h"
#include "tests/harness.h"

#include <string.h>

enum {
    SIZE_MAX_HERE = 2048
};

static const struct test_file sample[] = {
    { FILES_FOLDER, 0, "/", NULL },          { FILES_FOLDER, 1, "/data", NULL },
    { FILES_REGULAR, 0, "a.txt", "first" },  { FILES_FOLDER, 0, "empty", NULL },
    { FILES_LINK, 0, "link", "sub/deep" },   { FILES_FOLDER, 0, "sub", NULL },
    { FILES_REGULAR, 1, "table", "second" }, { FILES_REGULAR, 5, "deep", "" },
};

static uint8_t memory[SIZE_MAX_HERE];

static struct bytes sample_bytes(void)
{
    return bytes_of(memory, test_files_write(memory, sizeof(memory), sample, ARRAY_COUNT(sample)));
}

static void reads_what_was_written(void)
{
    struct files files;
    const char *reason = "";
    uint32_t index;
    bool parsed = files_parse(&files, sample_bytes(), &reason);
    CHECK_NOTE(parsed, "%s", reason);
    REQUIRE(parsed);
    CHECK_NUMBER(files.preopen_count, 2);
    CHECK_NUMBER(files.node_count, 8);
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("a.txt"), &index));
    struct files_node node = files_node_at(&files, index);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("first"));
    CHECK_NUMBER(node.modified_ns, 1002);
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("link"), &index));
    node = files_node_at(&files, index);
    CHECK_BYTES(files_data(&files, &node), BYTES_LITERAL("sub/deep"));
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("sub"), &index));
    REQUIRE(files_find(&files, index, BYTES_LITERAL("deep"), &index));
    CHECK_NUMBER(index, 7);
    CHECK(!files_find(&files, 0, BYTES_LITERAL("deep"), &index));
    CHECK(!files_find(&files, 0, BYTES_LITERAL(""), &index));
    CHECK(!files_find(&files, 3, BYTES_LITERAL("a.txt"), &index));
    CHECK(!files_find(&files, 2, BYTES_LITERAL("a.txt"), &index));
    REQUIRE(files_find(&files, 1, BYTES_LITERAL("table"), &index));
}

static void no_files_is_an_archive(void)
{
    struct files files;
    const char *reason = "";
    uint8_t empty[FILES_HEADER_SIZE];
    struct writer writer = writer_into(empty, sizeof(empty));
    files_header_write(&writer, &(struct files){ 0 });
    CHECK(files_parse(&files, writer_view(&writer), &reason));
    CHECK(!files_parse(&files, (struct bytes){ 0 }, &reason));
}

static void truncations_and_tails_are_refused(void)
{
    struct files files;
    const char *reason = "";
    struct bytes whole = sample_bytes();
    for (size_t size = 0; size < whole.size; size++)
        CHECK_NOTE(!files_parse(&files, bytes_part(whole, 0, size), &reason), "%zu bytes", size);
    memory[whole.size] = 0;
    CHECK(!files_parse(&files, bytes_of(memory, whole.size + 1), &reason));
}

/* Only what a file holds, when it was changed, and how it is called within its order may differ. */
static void flips_are_refused_or_harmless(void)
{
    struct files files;
    const char *reason = "";
    size_t size = sample_bytes().size, accepted = 0;
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memory[at] ^= (uint8_t)(1u << bit);
            accepted += files_parse(&files, bytes_of(memory, size), &reason);
            memory[at] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK(accepted > 0 && accepted < size * 8 / 3);
}

/* The sample with one row replaced. */
static bool accepts(uint32_t index, struct test_file row)
{
    struct test_file rows[ARRAY_COUNT(sample)];
    struct files files;
    const char *reason = "";
    memcpy(rows, sample, sizeof(rows));
    rows[index] = row;
    size_t size = test_files_write(memory, sizeof(memory), rows, ARRAY_COUNT(rows));
    return files_parse(&files, bytes_of(memory, size), &reason);
}

static void what_no_writer_makes_is_refused(void)
{
    CHECK(accepts(2, (struct test_file){ FILES_REGULAR, 0, "b.txt", "x" }));
    static const char *const names[] = { "", ".", "..", "a/b", "\xff", "z" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        CHECK_NOTE(!accepts(2, (struct test_file){ FILES_REGULAR, 0, names[i], "x" }), "%s",
                   names[i]);
    CHECK(!accepts(2, (struct test_file){ FILES_REGULAR, 0, "empty", "x" }));
    CHECK(!accepts(2, (struct test_file){ FILES_LINK, 0, "a", "" }));
    CHECK(!accepts(2, (struct test_file){ FILES_LINK, 0, "a", "\xff" }));
    CHECK(!accepts(2, (struct test_file){ (enum files_kind)4, 0, "a", NULL }));
    CHECK(!accepts(1, (struct test_file){ FILES_FOLDER, 1, "/", NULL }));
    CHECK(!accepts(1, (struct test_file){ FILES_FOLDER, 1, "", NULL }));
    CHECK(!accepts(1, (struct test_file){ FILES_REGULAR, 1, "/data", NULL }));
    /* A folder that is its own descendant, and a file whose folder is none. */
    CHECK(!accepts(5, (struct test_file){ FILES_FOLDER, 5, "sub", NULL }));
    CHECK(!accepts(7, (struct test_file){ FILES_REGULAR, 2, "deep", NULL }));
    char name[FILES_NAME_SIZE_MAX + 2] = { 0 };
    memset(name, 'b', FILES_NAME_SIZE_MAX + 1);
    CHECK(!accepts(2, (struct test_file){ FILES_REGULAR, 0, name, NULL }));
    name[FILES_NAME_SIZE_MAX] = 0;
    CHECK(accepts(2, (struct test_file){ FILES_REGULAR, 0, name, NULL }));
}

static const struct test tests[] = {
    TEST(reads_what_was_written),
    TEST(no_files_is_an_archive),
    TEST(truncations_and_tails_are_refused),
    TEST(flips_are_refused_or_harmless),
    TEST(what_no_writer_makes_is_refused),
};
TEST_MAIN(tests)
