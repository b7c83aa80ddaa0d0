/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a function inside a machine: what is shared, what is fresh, what is bounded. */
#include "abi/binding.h"
#include "abi/layout.h"
#include "abi/test_files.h"
#include "base/file.h"
#include "slipstream/program.h"
#include "slipstream/shell.h"
#include "slipstream/test_image.h"
#include "tests/harness.h"

#include <string.h>

enum {
    PATH = 1000,
    BYTES = 2000,
    LIST = 3000,
    RESULT = 3100,
    OPEN_CREATE = 1,
    RIGHTS = 0x6, /* read, seek */
    RIGHTS_WRITE = 0x46,
    NO_ENTRY = 44,
    NO_SPACE = 51
};

static const struct test_file rows[] = {
    { FILES_FOLDER, 0, "/", NULL },
    { FILES_REGULAR, 0, "hello", "content of a file" },
};

struct bench {
    struct engine *engine;
    struct program *program;
    struct shell *shell;
    struct outcome outcome;
    struct error error;
    int image;
    int files;
};

static void bench_done(struct bench *bench)
{
    shell_close(bench->shell);
    program_close(bench->program);
    engine_close(bench->engine);
    file_close(&bench->image);
    file_close(&bench->files);
}

#define BENCH __attribute__((cleanup(bench_done))) struct bench

static int archive_make(void)
{
    uint8_t archive[1024];
    struct error error;
    int descriptor = -1;
    size_t size = test_files_write(archive, sizeof(archive), rows, ARRAY_COUNT(rows));
    CHECK(file_sealed(&descriptor, "files", bytes_of(archive, size), &error));
    return descriptor;
}

static bool bench_open(struct bench *bench, uint64_t scratch_size_max)
{
    static const struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = TEST_echo, .start = TEST_NONE
    };
    const struct settings settings = { .scratch_size_max = scratch_size_max };
    *bench = (struct bench){ .image = test_image_make(&image), .files = archive_make() };
    bool opened =
        engine_open(&bench->engine, test_backend(), &bench->error) &&
        program_open(&bench->program, bench->image, &bench->error) &&
        program_add_files(bench->program, bench->files, &bench->error) &&
        shell_open(&bench->shell, bench->engine, NULL, 0, &bench->error) &&
        shell_load(bench->shell, bench->program, &settings, &bench->outcome, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

#define REQUIRE_BACKEND()                                                                          \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

static uint8_t *memory_of(const struct shell *shell)
{
    static uint64_t ignored;
    return shell->backend->machine_part(shell->machine, PART_MEMORY, &ignored);
}

static uint64_t scratch_size(const struct shell *shell)
{
    uint64_t size;
    (void)shell->backend->machine_part(shell->machine, PART_SCRATCH, &size);
    return size;
}

static uint64_t import(struct shell *shell, enum binding binding, const uint64_t *arguments,
                       uint32_t count)
{
    uint64_t slots[12] = { binding }, result = UINT64_MAX;
    struct outcome outcome;
    struct error error;
    memcpy(slots + 1, arguments, count * sizeof(*slots));
    CHECK_NOTE(
        shell_call(shell, test_offset(TEST_import), slots, count + 1, &result, 1, &outcome, &error),
        "%s", error.text);
    CHECK_NUMBER(outcome.kind, OUTCOME_DONE);
    return result;
}

#define IMPORT(shell, binding, ...)                                                                \
    __extension__({                                                                                \
        const uint64_t arguments_[] = { __VA_ARGS__ };                                             \
        import((shell), BINDING_##binding, arguments_, ARRAY_COUNT(arguments_));                   \
    })

static uint64_t file_open(struct shell *shell, const char *path, uint64_t flags, uint64_t rights,
                          uint32_t *fd)
{
    size_t size = strlen(path);
    memcpy(memory_of(shell) + PATH, path, size);
    uint64_t error = IMPORT(shell, PATH_OPEN, 3, 0, PATH, size, flags, rights, 0, 0, RESULT);
    memcpy(fd, memory_of(shell) + RESULT, sizeof(*fd));
    return error;
}

static void list_put(struct shell *shell, uint32_t size)
{
    const uint32_t list[2] = { BYTES, size };
    memcpy(memory_of(shell) + LIST, list, sizeof(list));
}

static uint64_t file_put(struct shell *shell, const char *path, const char *text)
{
    uint32_t fd;
    uint64_t error = file_open(shell, path, OPEN_CREATE, RIGHTS_WRITE, &fd);
    if (error != 0)
        return error;
    memcpy(memory_of(shell) + BYTES, text, strlen(text));
    list_put(shell, (uint32_t)strlen(text));
    error = IMPORT(shell, FD_WRITE, fd, LIST, 1, RESULT);
    return IMPORT(shell, FD_CLOSE, fd) != 0 ? UINT64_MAX : error;
}

static void file_check(struct shell *shell, const char *path, const char *text)
{
    uint32_t fd, size;
    uint64_t error = file_open(shell, path, 0, RIGHTS, &fd);
    CHECK_NUMBER(error, text == NULL ? NO_ENTRY : 0);
    if (error != 0)
        return;
    list_put(shell, 100);
    CHECK_NUMBER(IMPORT(shell, FD_READ, fd, LIST, 1, RESULT), 0);
    memcpy(&size, memory_of(shell) + RESULT, sizeof(size));
    CHECK_BYTES(bytes_of(memory_of(shell) + BYTES, size), bytes_of_string(text));
    CHECK_NUMBER(IMPORT(shell, FD_CLOSE, fd), 0);
}

static void writes_are_gone_after_a_reset(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 1 << 20));
    for (unsigned round = 0; round < 30; round++) {
        file_check(bench.shell, "hello", "content of a file");
        file_check(bench.shell, "secret", NULL);
        CHECK_NUMBER(file_put(bench.shell, "secret", "SECRET WORDS"), 0);
        CHECK_NUMBER(file_put(bench.shell, "hello", "another"), 0);
        file_check(bench.shell, "secret", "SECRET WORDS");
        file_check(bench.shell, "hello", "another of a file");
        CHECK(shell_reset(bench.shell, &bench.error));
        /* Nothing of it is left, wherever the guest put it. */
        uint64_t size;
        const uint8_t *scratch =
            bench.shell->backend->machine_part(bench.shell->machine, PART_SCRATCH, &size);
        CHECK(size >= LAYOUT_SCRATCH_FIXED_SIZE);
        for (uint64_t i = 0; i < size; i++)
            REQUIRE(scratch[i] == 0);
    }
}

static void nothing_is_mapped_before_it_is_needed(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 64 << 20));
    CHECK_NUMBER(IMPORT(bench.shell, FD_PRESTAT_GET, 3, RESULT), 0);
    CHECK_NUMBER(IMPORT(bench.shell, FD_PRESTAT_GET, 4, RESULT), 8);
    CHECK_NUMBER(scratch_size(bench.shell), 0);
    file_check(bench.shell, "hello", "content of a file");
    CHECK(scratch_size(bench.shell) > 0 && scratch_size(bench.shell) <= 1 << 20);
}

static void the_limit_holds(void)
{
    REQUIRE_BACKEND();
    static char text[4096 + 1];
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 1 << 20));
    memset(text, 'x', sizeof(text) - 1);
    for (unsigned round = 0; round < 3; round++) {
        unsigned pages = 0;
        uint32_t fd;
        CHECK_NUMBER(file_open(bench.shell, "big", OPEN_CREATE, RIGHTS_WRITE, &fd), 0);
        memcpy(memory_of(bench.shell) + BYTES, text, 1000);
        list_put(bench.shell, 4096);
        while (IMPORT(bench.shell, FD_WRITE, fd, LIST, 1, RESULT) == 0)
            pages++;
        CHECK(pages > 240 && pages < 256);
        CHECK(scratch_size(bench.shell) <= 2 << 20);
        CHECK_NUMBER(file_put(bench.shell, "more", text), NO_SPACE);
        CHECK(shell_reset(bench.shell, &bench.error));
    }
    file_check(bench.shell, "hello", "content of a file");
}

/* So many written pages that the host takes them back instead of clearing them. */
static void large_scratch_areas_are_given_back(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 16 << 20));
    for (unsigned round = 0; round < 3; round++) {
        uint32_t fd;
        CHECK_NUMBER(file_open(bench.shell, "big", OPEN_CREATE, RIGHTS_WRITE, &fd), 0);
        memset(memory_of(bench.shell) + 4096, 'y', 49152);
        const uint32_t list[2] = { 4096, 49152 };
        memcpy(memory_of(bench.shell) + LIST, list, sizeof(list));
        for (unsigned i = 0; i < 150; i++)
            CHECK_NUMBER(IMPORT(bench.shell, FD_WRITE, fd, LIST, 1, RESULT), 0);
        CHECK(shell_reset(bench.shell, &bench.error));
        file_check(bench.shell, "big", NULL);
        file_check(bench.shell, "hello", "content of a file");
        CHECK(shell_reset(bench.shell, &bench.error));
    }
}

/* Every doubling of either part takes a slot of the machine's memory. */
static void files_and_memory_grow_to_their_ends(void)
{
    REQUIRE_BACKEND();
    static const struct test_image image = { .memory_size = 65536,
                                             .memory_size_max = 1ull << 32,
                                             .command = TEST_echo,
                                             .start = TEST_NONE };
    const struct settings settings = { .scratch_size_max = LAYOUT_SCRATCH_SIZE_MAX };
    BENCH bench = { .image = test_image_make(&image), .files = archive_make() };
    REQUIRE(engine_open(&bench.engine, test_backend(), &bench.error) &&
            program_open(&bench.program, bench.image, &bench.error) &&
            program_add_files(bench.program, bench.files, &bench.error) &&
            shell_open(&bench.shell, bench.engine, NULL, 0, &bench.error) &&
            shell_load(bench.shell, bench.program, &settings, &bench.outcome, &bench.error));
    const struct backend *backend = bench.shell->backend;
    for (uint64_t size = 1 << 20; size <= 1ull << 32; size *= 2)
        CHECK(backend->machine_grow(bench.shell->machine, size));
    for (uint64_t size = 4096; size <= LAYOUT_SCRATCH_SIZE_MAX; size *= 2)
        CHECK(backend->machine_scratch(bench.shell->machine, size));
    CHECK(!backend->machine_scratch(bench.shell->machine, LAYOUT_SCRATCH_SIZE_MAX + 1));
    file_check(bench.shell, "hello", "content of a file");
    CHECK_NUMBER(file_put(bench.shell, "new", "x"), 0);
    CHECK(shell_reset(bench.shell, &bench.error));
    file_check(bench.shell, "new", NULL);
}

/* What an initialisation made is there for every invocation, and is back after each. */
static void a_snapshot_keeps_files(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 1 << 20));
    CHECK_NUMBER(file_put(bench.shell, "prepared", "at the start"), 0);
    CHECK_NUMBER(IMPORT(bench.shell, PATH_UNLINK_FILE, 3, PATH, 0), NO_ENTRY);
    REQUIRE(
        program_freeze(bench.program, bench.shell->backend, bench.shell->machine, &bench.error));
    REQUIRE(bench.shell->backend->machine_reset(bench.shell->machine, bench.program, false,
                                                &bench.error));
    for (unsigned round = 0; round < 20; round++) {
        file_check(bench.shell, "prepared", "at the start");
        file_check(bench.shell, "later", NULL);
        CHECK_NUMBER(file_put(bench.shell, "prepared", "AT THE END"), 0);
        CHECK_NUMBER(file_put(bench.shell, "later", "x"), 0);
        REQUIRE(shell_reset(bench.shell, &bench.error));
    }
    /* Another instance starts with them. */
    const struct settings settings = { .scratch_size_max = 1 << 20 };
    AUTO(shell) struct shell *other = NULL;
    REQUIRE(shell_open(&other, bench.engine, NULL, 0, &bench.error));
    REQUIRE(shell_load(other, bench.program, &settings, &bench.outcome, &bench.error));
    file_check(other, "prepared", "at the start");
}

/* Instances that keep their state, in turns. */
static void instances_do_not_share_what_they_write(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 1 << 20));
    const struct settings settings = { .scratch_size_max = 1 << 20 };
    AUTO(shell) struct shell *other = NULL;
    REQUIRE(shell_open(&other, bench.engine, NULL, 0, &bench.error));
    REQUIRE(shell_load(other, bench.program, &settings, &bench.outcome, &bench.error));
    CHECK_NUMBER(file_put(bench.shell, "mine", "one"), 0);
    file_check(other, "mine", NULL);
    CHECK_NUMBER(file_put(other, "mine", "two"), 0);
    CHECK_NUMBER(file_put(other, "hello", "TWO"), 0);
    file_check(bench.shell, "mine", "one");
    file_check(bench.shell, "hello", "content of a file");
    file_check(other, "mine", "two");
    file_check(other, "hello", "TWOtent of a file");
}

static void what_is_no_archive_is_refused(void)
{
    REQUIRE_BACKEND();
    BENCH bench = { .image = -1, .files = -1 };
    REQUIRE(bench_open(&bench, 0));
    AUTO(program) struct program *program = NULL;
    AUTO_CLOSE int wrong = -1;
    REQUIRE(file_sealed(&wrong, "files", BYTES_LITERAL("S3NFILES and then nothing"), &bench.error));
    REQUIRE(program_open(&program, bench.image, &bench.error));
    CHECK(!program_add_files(program, wrong, &bench.error));
    CHECK_NUMBER(bench.error.code, ERROR_INVALID);
    CHECK(!program_add_files(program, bench.image, &bench.error));
    /* Reading needs no scratch area. */
    file_check(bench.shell, "hello", "content of a file");
    CHECK_NUMBER(file_put(bench.shell, "new", "x"), NO_SPACE);
}

static const struct test tests[] = {
    TEST(writes_are_gone_after_a_reset),
    TEST(nothing_is_mapped_before_it_is_needed),
    TEST(the_limit_holds),
    TEST(large_scratch_areas_are_given_back),
    TEST(files_and_memory_grow_to_their_ends),
    TEST(a_snapshot_keeps_files),
    TEST(instances_do_not_share_what_they_write),
    TEST(what_is_no_archive_is_refused),
};
TEST_MAIN(tests)
