/* SPDX-License-Identifier: Apache-2.0 */
/* Content, positions, times, folders' lists, descriptors, and every limit at its edge. */
#include "guest/memory.h"
#include "guest/test_paths.h"
#include "guest/volume.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

enum {
    ALL = WASI_RIGHTS_FILE,
    MAKE = WASI_OPEN_CREATE
};

static const struct test_file rows[] = {
    { FILES_FOLDER, 0, "/", NULL },      { FILES_REGULAR, 0, "a", "0123456789" },
    { FILES_FOLDER, 0, "folder", NULL }, { FILES_REGULAR, 2, "one", "1" },
    { FILES_REGULAR, 2, "three", "3" },  { FILES_REGULAR, 2, "two", "2" },
};

static void init_with(uint64_t scratch_size_max)
{
    test_guest_init("");
    test_guest_files(rows, ARRAY_COUNT(rows), scratch_size_max);
}

static uint32_t opened(const char *path, uint32_t flags)
{
    CHECK_NUMBER(fd_open(TEST_FOLDER, path, flags, ALL), WASI_SUCCESS);
    return test_result();
}

static void positions_follow_reads_and_writes(void)
{
    init_with(1 << 20);
    uint32_t fd = opened("a", 0);
    CHECK_NUMBER(fd_read_bytes(fd, 4), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("0123"));
    CHECK_NUMBER(fd_write_text(fd, "xy"), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_TELL, fd, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_RESULT), 6);
    CHECK_NUMBER(fd_pwrite_text(fd, "Z", 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(fd, 100, 0), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("Z123xy6789"));
    CHECK_NUMBER(fd_read_bytes(fd, 100), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("6789"));
    CHECK_NUMBER(WASI(FD_SEEK, fd, (uint64_t)-3, WASI_WHENCE_END, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_RESULT), 7);
    CHECK_NUMBER(WASI(FD_SEEK, fd, (uint64_t)-8, WASI_WHENCE_HERE, TEST_RESULT), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_SEEK, fd, 0, 3, TEST_RESULT), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_SEEK, fd, INT64_MAX, WASI_WHENCE_START, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_SEEK, fd, 1, WASI_WHENCE_HERE, TEST_RESULT), WASI_INVAL);
    CHECK_NUMBER(fd_read_bytes(fd, 10), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 0);
    CHECK_NUMBER(fd_write_text(fd, "x"), WASI_FBIG);
    CHECK_NUMBER(fd_pread_bytes(fd, 10, UINT64_MAX), WASI_INVAL);
    CHECK_NUMBER(fd_pwrite_text(fd, "x", 1ull << 63), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_ADVISE, fd, 0, 0, 5), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_ADVISE, fd, 0, 0, 6), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_SYNC, fd), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_DATASYNC, fd), WASI_SUCCESS);
}

static void appending_goes_to_the_end(void)
{
    init_with(1 << 20);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("a"), 0, ALL, 0, WASI_FD_APPEND),
                 WASI_SUCCESS);
    uint32_t fd = test_result(), other = opened("a", 0);
    CHECK_NUMBER(fd_pwrite_text(other, "abc", 10), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(fd, "end"), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(fd, 100, 8), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("89abcend"));
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_FLAGS, fd, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_SEEK, fd, 0, WASI_WHENCE_START, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(fd, "X"), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(fd, 3, 0), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("X12"));
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_FLAGS, fd, 32), WASI_INVAL);
}

/* What was cut off does not come back, neither from the archive nor from a page. */
static void sizes_shrink_and_grow(void)
{
    static const uint8_t zeros[8];
    init_with(1 << 20);
    uint32_t fd = opened("a", 0);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 4), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 12), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(fd, 100, 0), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 12);
    CHECK(memcmp(test_guest.memory + TEST_BYTES, "0123", 4) == 0);
    CHECK(memcmp(test_guest.memory + TEST_BYTES + 4, zeros, 8) == 0);
    CHECK_NUMBER(fd_pwrite_text(fd, "secret", 5000), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 5001), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 6000), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(fd, 8, 5001), WASI_SUCCESS);
    CHECK(memcmp(test_guest.memory + TEST_BYTES, zeros, 8) == 0);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, FILE_SIZE_MAX), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, FILE_SIZE_MAX + 1), WASI_FBIG);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 1ull << 63), WASI_INVAL);
    CHECK_NUMBER(fd_pwrite_text(fd, "last", FILE_SIZE_MAX - 2), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 2);
    CHECK_NUMBER(fd_pread_bytes(fd, 8, FILE_SIZE_MAX - 3), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("\0la"));
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, fd, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_ALLOCATE, fd, 90, 20), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 32), 110);
    CHECK_NUMBER(WASI(FD_ALLOCATE, fd, 0, 0), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_ALLOCATE, fd, UINT64_MAX, 1), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_ALLOCATE, fd, FILE_SIZE_MAX, 1), WASI_FBIG);
    CHECK_NUMBER(WASI(FD_ALLOCATE, fd, 0, 2 << 20), WASI_NOSPC);
}

static void the_scratch_area_has_an_end(void)
{
    static char text[4097];
    init_with(10 * 4096);
    memset(text, 'x', sizeof(text) - 1);
    uint32_t fd = opened("new", MAKE);
    unsigned pages = 0;
    while (fd_write_text(fd, text) == WASI_SUCCESS && test_result() == 4096)
        pages++;
    /* Ten pages less one each for entries, nodes and the table of pages. */
    CHECK(pages >= 5 && pages < 10);
    CHECK_NUMBER(fd_write_text(fd, text), WASI_NOSPC);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_SUCCESS);
    uint32_t other = test_result();
    CHECK_NUMBER(fd_read_bytes(other, 3), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(other, "x"), WASI_NOSPC);
    CHECK_NUMBER(fd_pread_bytes(other, 20, 0), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("0123456789"));
    /* Whoever removes something has room again; open files keep theirs. */
    CHECK_NUMBER(path_unlink(TEST_FOLDER, "new"), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(other, "x"), WASI_NOSPC);
    CHECK_NUMBER(WASI(FD_CLOSE, fd), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(other, "x"), WASI_SUCCESS);
    for (unsigned round = 0; round < 50; round++) {
        fd = opened("again", MAKE | WASI_OPEN_TRUNCATE);
        for (unsigned i = 0; i < 4; i++)
            CHECK_NUMBER(fd_write_text(fd, text), WASI_SUCCESS);
        CHECK_NUMBER(WASI(FD_CLOSE, fd), WASI_SUCCESS);
        CHECK_NUMBER(path_unlink(TEST_FOLDER, "again"), WASI_SUCCESS);
    }
    /* A part of what was asked for is an answer, not an error. */
    fd = opened("part", MAKE);
    unsigned total = 0;
    while (fd_write_text(fd, text) == WASI_SUCCESS)
        total += test_result();
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 32), total);
}

/* Reading needs no room of the limit. */
static void without_a_scratch_area_files_are_read_only(void)
{
    init_with(0);
    uint32_t fd = opened("a", 0);
    CHECK_NUMBER(fd_read_bytes(fd, 10), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 10);
    CHECK_NUMBER(fd_write_text(fd, "x"), WASI_NOSPC);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "new", MAKE, 0), WASI_NOSPC);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", WASI_OPEN_TRUNCATE, 0), WASI_NOSPC);
    CHECK_NUMBER(path_make_folder(TEST_FOLDER, "new"), WASI_NOSPC);
    CHECK_NUMBER(path_make_link(TEST_FOLDER, "a", "new"), WASI_NOSPC);
    CHECK_NUMBER(path_unlink(TEST_FOLDER, "a"), WASI_NOSPC);
    CHECK_NUMBER(path_rename(TEST_FOLDER, "a", TEST_FOLDER, "b"), WASI_NOSPC);
    CHECK_NUMBER(path_link(TEST_FOLDER, 0, "a", TEST_FOLDER, "b"), WASI_NOSPC);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 0, 0, 2), WASI_NOSPC);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.control.scratch_size, 49152);
}

/* Wherever room ends, nothing is half done. */
static void running_out_leaves_everything_whole(void)
{
    for (uint64_t pages = 0; pages < 8; pages++) {
        init_with(pages * 4096);
        char name[16];
        unsigned made = 0;
        for (int error = WASI_SUCCESS; error == WASI_SUCCESS; made += error == WASI_SUCCESS) {
            snprintf(name, sizeof(name), "folder/%u", made);
            error = made % 3 == 0   ? path_make_folder(TEST_FOLDER, name)
                    : made % 3 == 1 ? path_make_link(TEST_FOLDER, "target", name)
                                    : path_link(TEST_FOLDER, 0, "a", TEST_FOLDER, name);
            CHECK(error == WASI_SUCCESS || error == WASI_NOSPC);
        }
        CHECK_NUMBER(fd_open(TEST_FOLDER, "folder", 0, WASI_RIGHT_READDIR), WASI_SUCCESS);
        CHECK_NUMBER(WASI(FD_READDIR, test_result(), TEST_BYTES, TEST_BYTES_MAX, 0, TEST_RESULT),
                     WASI_SUCCESS);
        unsigned listed = 0;
        for (uint32_t at = 0; at < test_result(); listed++)
            at += WASI_DIRENT_SIZE + load_u32(test_guest.memory + TEST_BYTES + at + 16);
        CHECK_NUMBER(listed, made + 5);
    }
}

static void descriptors_run_out(void)
{
    init_with(1 << 20);
    uint32_t fd = 0;
    for (unsigned i = 4; i < DESCRIPTOR_COUNT_MAX; i++)
        REQUIRE(fd_open(TEST_FOLDER, "a", 0, ALL) == WASI_SUCCESS && (fd = test_result()) == i);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_MFILE);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "new", MAKE, ALL), WASI_MFILE);
    CHECK_NUMBER(path_stat(TEST_FOLDER, 0, "new"), WASI_NOENT);
    CHECK_NUMBER(WASI(FD_CLOSE, 500), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_CLOSE, 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 0);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 500);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_MFILE);
}

static void streams_and_files_change_places(void)
{
    init_with(1 << 20);
    uint32_t fd = opened("log", MAKE);
    CHECK_NUMBER(WASI(FD_RENUMBER, fd, 1), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(1, "to the file"), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.mailbox->output.size, 0);
    CHECK_NUMBER(fd_write_text(fd, "x"), WASI_BADF);
    CHECK_NUMBER(fd_pread_bytes(1, 100, 0), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("to the file"));
    fd = opened("a", 0);
    CHECK_NUMBER(WASI(FD_RENUMBER, 2, fd), WASI_SUCCESS);
    CHECK_NUMBER(fd_write_text(fd, "err"), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.mailbox->errors.size, 3);
    CHECK_NUMBER(fd_write_text(2, "x"), WASI_BADF);
    CHECK_NUMBER(WASI(FD_RENUMBER, fd, 900), WASI_BADF);
}

/* A file without a name lives as long as its descriptors. */
static void removed_files_live_while_open(void)
{
    init_with(1 << 20);
    uint32_t fd = opened("a", 0), other = opened("a", 0);
    CHECK_NUMBER(path_unlink(TEST_FOLDER, "a"), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a", 0, ALL), WASI_NOENT);
    CHECK_NUMBER(fd_pwrite_text(fd, "new", 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_CLOSE, fd), WASI_SUCCESS);
    CHECK_NUMBER(fd_pread_bytes(other, 5, 0), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("new34"));
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, other, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 24), 0);
    uint32_t nodes = volume_get()->node_count;
    CHECK_NUMBER(WASI(FD_CLOSE, other), WASI_SUCCESS);
    CHECK_NUMBER(volume_get()->node_count, nodes - 1);
    CHECK_NUMBER(opened("a", MAKE), 4);
    CHECK_NUMBER(fd_pread_bytes(4, 5, 0), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 0);
}

static void times_are_kept_and_set(void)
{
    const uint64_t now = 1700000000ull * 1000000000u;
    init_with(1 << 20);
    CHECK_NUMBER(path_stat(TEST_FOLDER, 0, "a"), WASI_SUCCESS);
    uint64_t number = test_u64(TEST_BYTES + 8);
    CHECK_NUMBER(test_u64(TEST_BYTES + 48), 1001);
    uint32_t fd = opened("a", 0);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 5, 7, WASI_TIMES_MODIFY), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 8), (int64_t)number);
    CHECK_NUMBER(test_u64(TEST_BYTES + 40), 1001);
    CHECK_NUMBER(test_u64(TEST_BYTES + 48), 7);
    CHECK_NUMBER(test_u64(TEST_BYTES + 56), (int64_t)now);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 5, 7, WASI_TIMES_ACCESS_NOW | WASI_TIMES_MODIFY),
                 WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 40), (int64_t)now);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 5, 7, 3), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 5, 7, 12), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_FILESTAT_SET_TIMES, fd, 5, 7, 16), WASI_INVAL);
    test_guest.control.realtime_ns = now + 5;
    CHECK_NUMBER(fd_write_text(fd, "x"), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 48), (int64_t)now + 5);
}

/* The names behind a cookie; *next is the last one's. */
static unsigned list(uint32_t fd, uint64_t cookie, uint32_t size, char *names, uint64_t *next)
{
    unsigned count = 0;
    names[0] = '\0';
    CHECK_NUMBER(WASI(FD_READDIR, fd, TEST_BYTES, size, cookie, TEST_RESULT), WASI_SUCCESS);
    struct bytes all = test_bytes();
    for (size_t at = 0; at + WASI_DIRENT_SIZE <= all.size; count++) {
        uint32_t length = load_u32(all.data + at + 16);
        if (at + WASI_DIRENT_SIZE + length > all.size)
            break;
        *next = load_u64(all.data + at);
        names += snprintf(names, 64, "%.*s ", (int)length, all.data + at + WASI_DIRENT_SIZE);
        at += WASI_DIRENT_SIZE + length;
    }
    return count;
}

static void cookies_stay_right(void)
{
    char names[512];
    uint64_t next = 0, second;
    init_with(1 << 20);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "folder", 0, WASI_RIGHT_READDIR), WASI_SUCCESS);
    uint32_t fd = test_result();
    list(fd, 0, 1000, names, &next);
    CHECK_STRING(names, ". .. one three two ");
    /* Room for two entries and a half: the buffer is full, which says that there are more. */
    CHECK_NUMBER(list(fd, 0, 60, names, &next), 2);
    CHECK_NUMBER(test_result(), 60);
    list(fd, next, 30, names, &second);
    CHECK_STRING(names, "one ");
    /* What is made or removed meanwhile moves nothing else. */
    CHECK_NUMBER(path_unlink(TEST_FOLDER, "folder/one"), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "folder/aaa", MAKE, 0), WASI_SUCCESS);
    list(fd, second, 1000, names, &next);
    CHECK_STRING(names, "three two aaa ");
    list(fd, next, 1000, names, &next);
    CHECK_STRING(names, "");
    CHECK_NUMBER(path_unlink(TEST_FOLDER, "folder/three"), WASI_SUCCESS);
    list(fd, second, 1000, names, &next);
    CHECK_STRING(names, "two aaa ");
    list(fd, UINT64_MAX, 1000, names, &next);
    CHECK_STRING(names, "");
    list(fd, 0, 0, names, &next);
    CHECK_NUMBER(test_result(), 0);
    /* By type and number. */
    CHECK_NUMBER(path_stat(TEST_FOLDER, 0, "folder"), WASI_SUCCESS);
    uint64_t number = test_u64(TEST_BYTES + 8);
    list(fd, 0, 1000, names, &next);
    CHECK_NUMBER(test_u64(TEST_BYTES + 8), (int64_t)number);
    CHECK_NUMBER(test_guest.memory[TEST_BYTES + 20], WASI_FILE_FOLDER);
    CHECK_NUMBER(WASI(FD_READDIR, 1, TEST_BYTES, 100, 0, TEST_RESULT), WASI_NOTDIR);
}

static void buffers_are_bounded(void)
{
    init_with(1 << 20);
    uint32_t fd = opened("a", 0);
    for (unsigned i = 0; i < BUFFER_COUNT_MAX + 1; i++) {
        store_u32(test_guest.memory + 30000 + 8 * i, TEST_BYTES);
        store_u32(test_guest.memory + 30000 + 8 * i + 4, 1);
    }
    CHECK_NUMBER(WASI(FD_READ, fd, 30000, BUFFER_COUNT_MAX, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 10);
    CHECK_NUMBER(WASI(FD_READ, fd, 30000, BUFFER_COUNT_MAX + 1, TEST_RESULT), WASI_INVAL);
    CHECK_NUMBER(WASI(FD_PWRITE, fd, 30000, BUFFER_COUNT_MAX + 1, 0, TEST_RESULT), WASI_INVAL);
    /* A result that can't be stored is found out before anything is written. */
    CHECK_NUMBER(WASI(FD_WRITE, fd, 30000, 1, TEST_MEMORY_SIZE - 3), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_FILESTAT_GET, fd, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 32), 10);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("new"), MAKE, 0, 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(PATH_OPEN, TEST_FOLDER, 0, 1000, 3, MAKE | WASI_OPEN_EXCLUSIVE, 0, 0, 0,
                      TEST_MEMORY_SIZE - 3),
                 WASI_FAULT);
}

static void poll_answers_for_files(void)
{
    init_with(1 << 20);
    uint32_t fd = opened("a", 0);
    CHECK_NUMBER(fd_read_bytes(fd, 3), WASI_SUCCESS);
    memset(test_guest.memory + 1000, 0, 96);
    for (unsigned i = 0; i < 2; i++) {
        store_u64(test_guest.memory + 1000 + 48 * i, 7 + i);
        test_guest.memory[1008 + 48 * i] = (uint8_t)(1 + i);
        store_u32(test_guest.memory + 1016 + 48 * i, fd);
    }
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 2, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 2);
    CHECK_NUMBER(load_u16(test_guest.memory + 2008), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(2016), 7);
    CHECK_NUMBER(load_u16(test_guest.memory + 2040), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, fd, WASI_RIGHT_READ, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(POLL_ONEOFF, 1000, 2000, 2, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(load_u16(test_guest.memory + 2008), WASI_NOTCAPABLE);
}

static void many_files_are_found(void)
{
    char name[32];
    init_with(8 << 20);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "file-%u", i);
        REQUIRE(fd_open(TEST_FOLDER, name, MAKE | WASI_OPEN_EXCLUSIVE, 0) == WASI_SUCCESS);
        REQUIRE(WASI(FD_CLOSE, test_result()) == WASI_SUCCESS);
    }
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "file-%u", i);
        REQUIRE(path_stat(TEST_FOLDER, 0, name) == WASI_SUCCESS);
        REQUIRE(path_unlink(TEST_FOLDER, name) == WASI_SUCCESS);
    }
    CHECK_NUMBER(volume_get()->node_count, 1);
}

/* The limit's own room, not the scratch area's. */
static void files_have_a_count(void)
{
    char name[32];
    init_with(15 << 20);
    unsigned made = 0;
    CHECK_NUMBER(path_make_folder(TEST_FOLDER, "many"), WASI_SUCCESS);
    for (int error = WASI_SUCCESS; error == WASI_SUCCESS; made += error == WASI_SUCCESS) {
        snprintf(name, sizeof(name), "many/%u", made);
        error = path_make_folder(TEST_FOLDER, name);
        CHECK(error == WASI_SUCCESS || error == WASI_NOSPC);
    }
    /* Two more: the folder itself, and the changed one above it. */
    CHECK_NUMBER(made + 2, NODE_COUNT_MAX);
    CHECK_NUMBER(path_remove_folder(TEST_FOLDER, "many/7"), WASI_SUCCESS);
    CHECK_NUMBER(path_make_folder(TEST_FOLDER, "many/7"), WASI_SUCCESS);
    CHECK_NUMBER(path_make_folder(TEST_FOLDER, "many/new"), WASI_NOSPC);
}

static const struct test tests[] = {
    TEST(positions_follow_reads_and_writes),
    TEST(appending_goes_to_the_end),
    TEST(sizes_shrink_and_grow),
    TEST(the_scratch_area_has_an_end),
    TEST(without_a_scratch_area_files_are_read_only),
    TEST(running_out_leaves_everything_whole),
    TEST(descriptors_run_out),
    TEST(streams_and_files_change_places),
    TEST(removed_files_live_while_open),
    TEST(times_are_kept_and_set),
    TEST(cookies_stay_right),
    TEST(buffers_are_bounded),
    TEST(poll_answers_for_files),
    TEST(many_files_are_found),
    TEST(files_have_a_count),
};
TEST_MAIN(tests)
