/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/test_image.h"

#include "abi/layout.h"
#include "base/file.h"
#include "core/checked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const uint8_t code_blob[], code_blob_end[];
#define TEST_FUNCTION_LABEL(name) extern const uint8_t code_##name[];
TEST_FUNCTIONS(TEST_FUNCTION_LABEL)

_Static_assert(sizeof(struct instance) == TEST_GLOBAL_OFFSET, "test_code.S knows this");
_Static_assert(offsetof(struct instance, frame_top) == 272, "test_code.S knows this");

uint32_t test_offset(enum test_function function)
{
    static const uint8_t *const labels[] = {
#define TEST_FUNCTION_ROW(name) code_##name,
        TEST_FUNCTIONS(TEST_FUNCTION_ROW)
#undef TEST_FUNCTION_ROW
    };
    return (uint32_t)(labels[function] - code_blob);
}

bool test_has_kvm(void)
{
    return access("/dev/kvm", R_OK | W_OK) == 0;
}

const char *test_backend(void)
{
    const char *name = getenv("S3N_BACKEND");
    return name != NULL ? name : "kvm";
}

bool test_has_backend(void)
{
    struct error error;
    struct engine *engine;
    if (!engine_open(&engine, test_backend(), &error)) {
        fprintf(stderr, "    %s\n", error.text);
        return false;
    }
    engine_close(engine);
    return true;
}

struct image_maker {
    struct image_header header;
    uint8_t *file;
    size_t size;
};

static void maker_put(struct image_maker *maker, enum image_section section, const void *data,
                      size_t size)
{
    size_t end = round_up(maker->size + size, LAYOUT_PAGE_SIZE);
    maker->file = realloc(maker->file, end);
    ASSERT(maker->file != NULL);
    memset(maker->file + maker->size, 0, end - maker->size);
    if (size > 0)
        memcpy(maker->file + maker->size, data, size);
    maker->header.sections[section] = (struct image_part){ .offset = maker->size, .size = size };
    maker->size = end;
}

static void maker_instance(struct image_maker *maker, const struct test_image *options)
{
    uint8_t bytes[TEST_GLOBAL_OFFSET + 16] = { 0 };
    struct instance instance = { .memory_size = options->memory_size,
                                 .memory_size_max = options->memory_size_max };
    uint64_t global = 42;
    memcpy(bytes, &instance, sizeof(instance));
    memcpy(bytes + TEST_GLOBAL_OFFSET, &global, sizeof(global));
    maker_put(maker, IMAGE_INSTANCE, bytes, sizeof(bytes));
}

static void maker_memory(struct image_maker *maker, const struct test_image *options)
{
    static const char bytes[] = "HELLO, IMAGE";
    struct image_run runs[2] = { { .address = 0, .size = sizeof(bytes), .offset = 0 },
                                 { .address = (uint32_t)options->memory_size - 1, .size = 1 } };
    uint8_t data[sizeof(bytes) + 1];
    bool has_memory = options->memory_size != 0;
    memcpy(data, bytes, sizeof(bytes));
    runs[1].offset = sizeof(bytes);
    data[sizeof(bytes)] = 0x5a;
    maker_put(maker, IMAGE_MEMORY, data, has_memory ? sizeof(data) : 0);
    maker_put(maker, IMAGE_MEMORY_RUNS, runs, has_memory ? sizeof(runs) : 0);
}

int test_image_make(const struct test_image *options)
{
    struct image_maker maker = { .size = IMAGE_HEADER_SIZE, .file = calloc(1, IMAGE_HEADER_SIZE) };
    struct image_function functions[TEST_FUNCTION_COUNT];
    size_t code_size = (size_t)(code_blob_end - code_blob);
    size_t native_at = round_up(code_size, 16);
    size_t size = native_at + options->native.size + options->code_padding;
    uint8_t *code = calloc(1, size);
    struct error error;
    int descriptor = -1;
    ASSERT(maker.file != NULL && code != NULL);
    memcpy(code, code_blob, code_size);
    if (options->native.size > 0)
        memcpy(code + native_at, options->native.data, options->native.size);
    maker_put(&maker, IMAGE_CODE, code, size);
    maker_put(&maker, IMAGE_RODATA, "constants", 9);
    maker_instance(&maker, options);
    maker_memory(&maker, options);
    for (unsigned i = 0; i < TEST_FUNCTION_COUNT; i++)
        functions[i] = (struct image_function){ .code_offset = test_offset(i), .index = 100 + i };
    maker_put(&maker, IMAGE_FUNCTIONS, functions, sizeof(functions));
    maker_put(&maker, IMAGE_TRAPS, NULL, 0);
    maker_put(&maker, IMAGE_EXPORTS, NULL, 0);
    maker_put(&maker, IMAGE_IMPORTS, NULL, 0);
    maker_put(&maker, IMAGE_STRINGS, NULL, 0);
    memcpy(maker.header.magic, IMAGE_MAGIC, sizeof(maker.header.magic));
    maker.header.version = IMAGE_VERSION;
    maker.header.flags = (options->memory_size_max != 0 ? IMAGE_HAS_MEMORY : 0u) |
                         (options->command != TEST_NONE ? IMAGE_HAS_COMMAND : 0u) |
                         (options->start != TEST_NONE ? IMAGE_HAS_START : 0u);
    maker.header.file_size = maker.size;
    maker.header.instance_size = TEST_GLOBAL_OFFSET + 16;
    maker.header.memory_size = options->memory_size;
    maker.header.memory_size_max = options->memory_size_max;
    maker.header.function_count = TEST_FUNCTION_COUNT;
    if (options->command != TEST_NONE)
        maker.header.command_offset = test_offset(options->command);
    if (options->native.size > 0)
        maker.header.command_offset = (uint32_t)(native_at + options->native_command);
    if (options->start != TEST_NONE)
        maker.header.start_offset = test_offset(options->start);
    if (options->is_reactor) {
        maker.header.flags |= IMAGE_HAS_REACTOR | IMAGE_HAS_INITIALISE | IMAGE_HAS_INIT;
        maker.header.alloc_offset = test_offset(TEST_alloc);
        maker.header.handle_offset = test_offset(TEST_handle);
        maker.header.initialise_offset = test_offset(options->initialise);
        maker.header.init_offset = test_offset(options->init);
    }
    memcpy(maker.file, &maker.header, sizeof(maker.header));
    ASSERT(file_sealed(&descriptor, "test-image", bytes_of(maker.file, maker.size), &error));
    free(maker.file);
    free(code);
    return descriptor;
}
