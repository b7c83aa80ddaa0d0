/* SPDX-License-Identifier: Apache-2.0 */
/* Which entries and which abi an image gets.  The modules are bytes made here. */
#include "wasm/entry.h"

#include "abi/image.h"
#include "core/writer.h"
#include "tests/harness.h"
#include "wasm/wasm.h"

#include <string.h>

/* Types of every module here, by index. */
enum type {
    TYPE_NOTHING, /* [] -> [] */
    TYPE_ALLOC,   /* [i32] -> [i32] */
    TYPE_HANDLE,  /* [i32 i32] -> [i64] */
    TYPE_COUNT
};

struct exported {
    const char *name;
    enum type type;
};

struct made {
    uint8_t bytes[1024];
    size_t size;
};

static void put_section(struct writer *writer, uint8_t id, struct bytes content)
{
    write_u8(writer, id);
    ASSERT(content.size < 128);
    write_u8(writer, (uint8_t)content.size);
    write_bytes(writer, content);
}

static void put_exports(struct writer *writer, const struct exported *exports, uint8_t count)
{
    uint8_t room[128];
    struct writer content = writer_into(room, sizeof(room));
    write_u8(&content, count);
    for (uint8_t i = 0; i < count; i++) {
        struct bytes name = bytes_of_string(exports[i].name);
        write_u8(&content, (uint8_t)name.size);
        write_bytes(&content, name);
        write_u8(&content, 0);
        write_u8(&content, i);
    }
    put_section(writer, 7, writer_view(&content));
}

static struct bytes make(struct made *made, const struct exported *exports, uint8_t count,
                         bool has_memory, const char *abi)
{
    static const char types[] = "\3\x60\0\0\x60\1\x7f\1\x7f\x60\2\x7f\x7f\1\x7e";
    uint8_t room[128];
    struct writer writer = writer_into(made->bytes, sizeof(made->bytes));
    struct writer content = writer_into(room, sizeof(room));
    write_bytes(&writer, bytes_of("\0asm\1\0\0\0", 8));
    put_section(&writer, 1, bytes_of(types, sizeof(types) - 1));
    write_u8(&content, count);
    for (uint8_t i = 0; i < count; i++)
        write_u8(&content, (uint8_t)exports[i].type);
    put_section(&writer, 3, writer_view(&content));
    if (has_memory)
        put_section(&writer, 5, bytes_of("\1\0\1", 3));
    put_exports(&writer, exports, count);
    content = writer_into(room, sizeof(room));
    write_u8(&content, count);
    for (uint8_t i = 0; i < count; i++)
        write_bytes(&content, bytes_of("\3\0\0\x0b", 4)); /* unreachable */
    put_section(&writer, 10, writer_view(&content));
    if (abi != NULL) {
        content = writer_into(room, sizeof(room));
        write_u8(&content, 7);
        write_bytes(&content, BYTES_LITERAL("s3n.abi"));
        write_bytes(&content, bytes_of_string(abi));
        put_section(&writer, 0, writer_view(&content));
    }
    ASSERT(!writer.failed);
    return writer_view(&writer);
}

static bool compile(struct image_header *header, struct bytes module, struct error *error)
{
    AUTO_BUFFER struct buffer buffer;
    struct wasm_options options = { 0 };
    struct image image;
    const char *reason = "";
    buffer_init(&buffer, 1 << 20);
    if (!wasm_compile(&buffer, module, &options, error))
        return false;
    CHECK_NOTE(image_parse(&image, buffer_view(&buffer), &reason), "%s", reason);
    *header = image.header;
    return true;
}

#define EXPORTS(...)                                                                               \
    (const struct exported[])                                                                      \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void finds_the_entries(void)
{
    const struct exported all[] = { { "s3n_init", TYPE_NOTHING },
                                    { "s3n_handle", TYPE_HANDLE },
                                    { "_initialize", TYPE_NOTHING },
                                    { "s3n_alloc", TYPE_ALLOC },
                                    { "_start", TYPE_NOTHING } };
    struct made made;
    struct image_header header;
    struct error error = { 0 };
    REQUIRE(compile(&header, make(&made, all, 5, true, NULL), &error));
    CHECK_NUMBER(header.flags, IMAGE_HAS_MEMORY | IMAGE_HAS_COMMAND | IMAGE_HAS_REACTOR |
                                   IMAGE_HAS_INITIALISE | IMAGE_HAS_INIT);
    CHECK(header.init_offset < header.handle_offset);
    CHECK(header.handle_offset < header.initialise_offset);
    CHECK(header.initialise_offset < header.alloc_offset);
    CHECK(header.alloc_offset < header.command_offset);
    CHECK_NUMBER(header.abi, IMAGE_ABI_NONE);
    REQUIRE(compile(&header, make(&made, all + 4, 1, true, "cgi"), &error));
    CHECK_NUMBER(header.flags, IMAGE_HAS_MEMORY | IMAGE_HAS_COMMAND);
    CHECK_NUMBER(header.abi, IMAGE_ABI_CGI);
    /* what a command exports besides its start is its own affair */
    const struct exported other[] = { { "_start", TYPE_ALLOC }, { "_initialize", TYPE_HANDLE } };
    REQUIRE(compile(&header, make(&made, other, 2, true, NULL), &error));
    CHECK_NUMBER(header.flags, IMAGE_HAS_MEMORY);
}

static void refuses(const struct exported *exports, uint8_t count, bool has_memory, const char *abi,
                    const char *text)
{
    struct made made;
    struct image_header header;
    struct error error = { 0 };
    CHECK(!compile(&header, make(&made, exports, count, has_memory, abi), &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK_STRING(error.text, text);
}

static void refuses_half_a_reactor(void)
{
    const struct exported whole[] = { { "s3n_alloc", TYPE_ALLOC }, { "s3n_handle", TYPE_HANDLE } };
    refuses(whole, 1, true, NULL, "the module exports s3n_alloc but not s3n_handle");
    refuses(whole + 1, 1, true, NULL, "the module exports s3n_handle but not s3n_alloc");
    refuses(whole, 2, false, NULL, "the module exports s3n_handle but has no memory");
    refuses(EXPORTS({ "s3n_alloc", TYPE_NOTHING }), 1, true, NULL,
            "export s3n_alloc does not have the type [i32] -> [i32]");
    refuses(EXPORTS({ "s3n_handle", TYPE_ALLOC }), 1, true, NULL,
            "export s3n_handle does not have the type [i32 i32] -> [i64]");
    refuses(EXPORTS({ "s3n_alloc", TYPE_ALLOC }, { "s3n_handle", TYPE_HANDLE },
                    { "_initialize", TYPE_ALLOC }),
            3, true, NULL, "export _initialize does not have the type [] -> []");
    refuses(EXPORTS({ "s3n_alloc", TYPE_ALLOC }, { "s3n_handle", TYPE_HANDLE },
                    { "s3n_init", TYPE_ALLOC }),
            3, true, NULL, "export s3n_init does not have the type [] -> []");
}

static void refuses_an_unknown_abi(void)
{
    refuses(EXPORTS({ "_start", TYPE_NOTHING }), 1, true, "CGI",
            "custom section s3n.abi says \"CGI\": neither command, cgi nor reactor");
    refuses(EXPORTS({ "_start", TYPE_NOTHING }), 1, true, "",
            "custom section s3n.abi says \"\": neither command, cgi nor reactor");
}

static void chooses_without_the_owner(void)
{
    const struct exported both[] = { { "s3n_alloc", TYPE_ALLOC },
                                     { "s3n_handle", TYPE_HANDLE },
                                     { "_start", TYPE_NOTHING } };
    struct made made;
    enum image_abi abi;
    bool is_module;
    struct error error;
    CHECK(wasm_choose_abi(&abi, make(&made, both, 2, true, NULL), &is_module, &error));
    CHECK_NUMBER(abi, IMAGE_ABI_REACTOR);
    CHECK(wasm_choose_abi(&abi, make(&made, both + 2, 1, true, NULL), &is_module, &error));
    CHECK_NUMBER(abi, IMAGE_ABI_COMMAND);
    CHECK(wasm_choose_abi(&abi, make(&made, both + 2, 1, true, "cgi"), &is_module, &error));
    CHECK_NUMBER(abi, IMAGE_ABI_CGI);
    CHECK(wasm_choose_abi(&abi, make(&made, both, 3, true, "reactor"), &is_module, &error));
    CHECK_NUMBER(abi, IMAGE_ABI_REACTOR);
    CHECK(!wasm_choose_abi(&abi, make(&made, both, 3, true, NULL), &is_module, &error));
    CHECK(!wasm_choose_abi(&abi, make(&made, both, 0, true, NULL), &is_module, &error));
    CHECK(!wasm_choose_abi(&abi, BYTES_LITERAL("no module"), &is_module, &error));
    CHECK(!is_module);
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

static const struct test tests[] = {
    TEST(finds_the_entries),
    TEST(refuses_half_a_reactor),
    TEST(refuses_an_unknown_abi),
    TEST(chooses_without_the_owner),
};
TEST_MAIN(tests)
