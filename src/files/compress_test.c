/* SPDX-License-Identifier: Apache-2.0 */
#include "files/compress.h"
#include "files/tree.h"
#include "tests/harness.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static char text[5000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "let there be code; "[i % 19];
}

static void packs_and_unpacks(void)
{
    AUTO_BUFFER struct buffer small, again;
    struct error error;
    uint8_t back[sizeof(text) + 1];
    fill();
    buffer_init(&small, 10000);
    buffer_init(&again, 10000);
    REQUIRE(compress_gzip(&small, BYTES_OF(text), &error));
    CHECK(small.size < 200);
    z_stream stream = { .next_in = small.data,
                        .avail_in = (uInt)small.size,
                        .next_out = back,
                        .avail_out = sizeof(back) };
    REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
    CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    CHECK_BYTES(bytes_of(back, stream.total_out), BYTES_OF(text));
    inflateEnd(&stream);
    REQUIRE(compress_gzip(&again, BYTES_OF(text), &error));
    CHECK_BYTES(buffer_view(&again), buffer_view(&small)); /* no time in it */
    buffer_clear(&small);
    REQUIRE(compress_brotli(&small, BYTES_OF(text), &error));
    size_t size = sizeof(back);
    CHECK(BrotliDecoderDecompress(small.size, small.data, &size, back) ==
          BROTLI_DECODER_RESULT_SUCCESS);
    CHECK_BYTES(bytes_of(back, size), BYTES_OF(text));
}

static bool has(const struct files *files, const char *folder, const char *name)
{
    uint32_t node = 0;
    return (folder[0] == '\0' || files_find(files, 0, bytes_of_string(folder), &node)) &&
           files_find(files, node, bytes_of_string(name), &node);
}

static void adds_what_is_smaller(void)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive, more;
    struct error error;
    struct files files;
    const char *reason;
    const char *const folders[] = { "public" };
    uint32_t root, public, other;
    uint8_t noise[1000];
    uint64_t state = 1;
    fill();
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)test_random(&state);
    buffer_init(&archive, 1 << 20);
    buffer_init(&more, 1 << 20);
    REQUIRE(tree_new(&tree, &error) && tree_add_preopened(tree, "/", &root, &error) &&
            tree_add_folder(tree, root, BYTES_LITERAL("public"), 0, &public, &error) &&
            tree_add_folder(tree, root, BYTES_LITERAL("publicity"), 0, &other, &error));
    REQUIRE(
        tree_add_file(tree, public, BYTES_LITERAL("a.js"), 0, BYTES_OF(text), &error) &&
        tree_add_file(tree, public, BYTES_LITERAL("b.js"), 0, BYTES_OF(text), &error) &&
        tree_add_file(tree, public, BYTES_LITERAL("b.js.gz"), 0, BYTES_LITERAL("own"), &error) &&
        tree_add_file(tree, public, BYTES_LITERAL("noise"), 0, BYTES_OF(noise), &error) &&
        tree_add_file(tree, public, BYTES_LITERAL("short"), 0, BYTES_LITERAL("aaaaaaaaaa"),
                      &error) &&
        tree_add_file(tree, other, BYTES_LITERAL("c.js"), 0, BYTES_OF(text), &error) &&
        tree_write(&archive, tree, &error));
    REQUIRE(compress_archive(&more, buffer_view(&archive), folders, 1, &error));
    REQUIRE(files_parse(&files, buffer_view(&more), &reason));
    CHECK(has(&files, "public", "a.js") && has(&files, "public", "a.js.gz"));
    CHECK(has(&files, "public", "a.js.br") && has(&files, "public", "b.js.br"));
    CHECK(has(&files, "public", "noise") && !has(&files, "public", "noise.gz"));
    CHECK(has(&files, "public", "short") && !has(&files, "public", "short.br"));
    CHECK(has(&files, "publicity", "c.js") && !has(&files, "publicity", "c.js.gz"));
    CHECK(!has(&files, "public", "b.js.gz.br"));
    uint32_t node = 0;
    REQUIRE(files_find(&files, 0, BYTES_LITERAL("public"), &node) &&
            files_find(&files, node, BYTES_LITERAL("b.js.gz"), &node));
    struct files_node kept = files_node_at(&files, node);
    CHECK_BYTES(files_data(&files, &kept), BYTES_LITERAL("own"));
}

static const struct test tests[] = {
    TEST(packs_and_unpacks),
    TEST(adds_what_is_smaller),
};
TEST_MAIN(tests)
