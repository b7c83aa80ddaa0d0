/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/assets.h"

#include "core/writer.h"
#include "crypto/crypto.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

/* "/": f (a file), public {app.js, app.js.br, app.js.gz, index.html, link, sub {index.html, ü}} */
static const struct entry {
    uint32_t kind, parent;
    const char *name, *data;
    uint32_t first, count;
} entries[] = {
    { FILES_FOLDER, 0, "/", NULL, 1, 2 },
    { FILES_REGULAR, 0, "f", "one", 0, 0 },
    { FILES_FOLDER, 0, "public", NULL, 3, 6 },
    { FILES_REGULAR, 2, "app.js", "plain", 0, 0 },
    { FILES_REGULAR, 2, "app.js.br", "b", 0, 0 },
    { FILES_REGULAR, 2, "app.js.gz", "gz", 0, 0 },
    { FILES_REGULAR, 2, "index.html", "home", 0, 0 },
    { FILES_LINK, 2, "link", "app.js", 0, 0 },
    { FILES_FOLDER, 2, "sub", NULL, 9, 2 },
    { FILES_REGULAR, 8, "index.html", "below", 0, 0 },
    { FILES_REGULAR, 8, "\xc3\xbc", "umlaut", 0, 0 },
};

static uint8_t archive[4096];
static size_t archive_size;
static struct assets *assets;

static void make(void)
{
    uint8_t nodes[FILES_NODE_SIZE * ARRAY_COUNT(entries)], strings[512], content[512];
    struct writer node = writer_into(nodes, sizeof(nodes));
    struct writer string = writer_into(strings, sizeof(strings));
    struct writer data = writer_into(content, sizeof(content));
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++) {
        const struct entry *entry = &entries[i];
        struct files_node made = { .kind = entry->kind, .parent = entry->parent };
        made.name_offset = (uint32_t)string.size;
        made.name_size = (uint32_t)strlen(entry->name);
        write_bytes(&string, bytes_of_string(entry->name));
        struct writer *to = entry->kind == FILES_LINK ? &string : &data;
        made.offset = entry->kind == FILES_FOLDER ? entry->first : to->size;
        made.size = entry->kind == FILES_FOLDER ? entry->count : strlen(entry->data);
        if (entry->kind != FILES_FOLDER)
            write_bytes(to, bytes_of_string(entry->data));
        files_node_write(&node, &made);
    }
    struct files files = { .preopen_count = 1,
                           .node_count = ARRAY_COUNT(entries),
                           .nodes = writer_view(&node),
                           .strings = writer_view(&string),
                           .content = writer_view(&data) };
    struct writer whole = writer_into(archive, sizeof(archive));
    files_header_write(&whole, &files);
    write_bytes(&whole, files.nodes);
    write_bytes(&whole, files.strings);
    write_bytes(&whole, files.content);
    archive_size = whole.size;
    const char *reason = "";
    struct error error;
    bool is_good = files_parse(&files, bytes_of(archive, archive_size), &reason);
    CHECK_NOTE(is_good, "%s", reason);
    CHECK(assets_new(&assets, bytes_of(archive, archive_size), &error));
}

static struct asset asset;

static bool find(const char *folder, const char *path, const char *accepted)
{
    return assets_find(assets, folder, bytes_of_string(path), "index.html",
                       bytes_of_string(accepted), &asset);
}

static void finds_files(void)
{
    make();
    CHECK(find("public", "app.js", ""));
    CHECK_BYTES(asset.content, BYTES_LITERAL("plain"));
    CHECK_BYTES(asset.name, BYTES_LITERAL("app.js"));
    CHECK(asset.has_variants);
    CHECK(find("public", "", "") && bytes_equal_string(asset.content, "home"));
    CHECK(find("public", "sub/", "") && bytes_equal_string(asset.content, "below"));
    CHECK(find("public/sub", "", "") && bytes_equal_string(asset.content, "below"));
    CHECK(find("public", "sub/%C3%bc", "") && bytes_equal_string(asset.content, "umlaut"));
    CHECK(find("f", "", "") && bytes_equal_string(asset.content, "one"));
    CHECK(find("", "f", "") && !asset.has_variants);
    CHECK(find("public", "%61pp.js", ""));
    assets_free(assets);
}

static void finds_nothing_else(void)
{
    static const char *const wrong[] = {
        "absent",
        "app.js/",
        "app.js/x",
        "/app.js",
        "sub",
        "../f",
        "..%2ff",
        "%2e%2e/f",
        ".",
        "..",
        "sub//",
        "sub//index.html",
        "link",
        "app.js%00",
        "app.js%",
        "app.js%4",
        "APP.JS",
        "%2fetc",
        "sub%2findex.html",
        "app.js?x",
        "//",
        "sub/\xc3\xbc/",
        "f",
    };
    make();
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!find("public", wrong[i], ""), "%s", wrong[i]);
    CHECK(!find("f", "x", ""));
    CHECK(!find("f", "/", ""));
    CHECK(!find("absent", "", ""));
    char text[400];
    memset(text, 'a', sizeof(text));
    CHECK(!assets_find(assets, "public", bytes_of(text, sizeof(text)), "index.html",
                       (struct bytes){ 0 }, &asset));
    assets_free(assets);
}

static void gives_variants_with_tags_of_their_own(void)
{
    char plain[sizeof(asset.etag)];
    make();
    CHECK(find("public", "app.js", ""));
    snprintf(plain, sizeof(plain), "%s", asset.etag);
    CHECK_NUMBER(strlen(plain), 34);
    CHECK(find("public", "app.js", "gzip") && asset.encoding == ENCODING_GZIP);
    CHECK_BYTES(asset.content, BYTES_LITERAL("gz"));
    CHECK(strcmp(asset.etag, plain) != 0);
    CHECK(find("public", "app.js", "gzip, br") && asset.encoding == ENCODING_BROTLI);
    CHECK_BYTES(asset.content, BYTES_LITERAL("b"));
    CHECK_BYTES(asset.name, BYTES_LITERAL("app.js")); /* its type is that of the file */
    CHECK(find("public", "app.js", "zstd") && strcmp(asset.etag, plain) == 0);
    assets_free(assets);
}

static const struct test tests[] = {
    TEST(finds_files),
    TEST(finds_nothing_else),
    TEST(gives_variants_with_tags_of_their_own),
};
int main(int argc, char **argv)
{
    crypto_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
