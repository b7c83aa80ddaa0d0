/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead and where they don't, rights, preopened folders. */
#include "guest/memory.h"
#include "guest/test_paths.h"
#include "tests/harness.h"

#include <string.h>

static const struct test_file rows[] = {
    { FILES_FOLDER, 0, "/", NULL },          { FILES_FOLDER, 1, "/data", NULL },
    { FILES_REGULAR, 0, "a.txt", "first" },  { FILES_FOLDER, 0, "folder", NULL },
    { FILES_LINK, 0, "in", "folder/deep" },  { FILES_LINK, 0, "loop", "loop" },
    { FILES_LINK, 0, "out", "../a.txt" },    { FILES_LINK, 0, "root", "/a.txt" },
    { FILES_REGULAR, 1, "table", "second" }, { FILES_REGULAR, 3, "deep", "deeper" },
    { FILES_LINK, 3, "up", "../a.txt" },
};

static void init(void)
{
    test_guest_init("");
    test_guest_files(rows, ARRAY_COUNT(rows), 1 << 20);
}

static void paths_stay_below_their_folder(void)
{
    static const struct {
        const char *path;
        int error;
    } table[] = {
        { "a.txt", WASI_SUCCESS },
        { "./a.txt", WASI_SUCCESS },
        { "folder/../a.txt", WASI_SUCCESS },
        { "folder//deep", WASI_SUCCESS },
        { "folder/./deep", WASI_SUCCESS },
        { "in", WASI_SUCCESS },
        { "folder/up", WASI_SUCCESS },
        { "folder/../folder/up", WASI_SUCCESS },
        { ".", WASI_SUCCESS },
        { "folder/", WASI_SUCCESS },
        { "folder/..", WASI_SUCCESS },
        { "", WASI_NOENT },
        { "/a.txt", WASI_NOTCAPABLE },
        { "/", WASI_NOTCAPABLE },
        { "..", WASI_NOTCAPABLE },
        { "../", WASI_NOTCAPABLE },
        { "../data/table", WASI_NOTCAPABLE },
        { "folder/../../a.txt", WASI_NOTCAPABLE },
        { "out", WASI_NOTCAPABLE },
        { "root", WASI_NOTCAPABLE },
        { "loop", WASI_LOOP },
        { "loop/x", WASI_LOOP },
        { "a.txt/", WASI_NOTDIR },
        { "a.txt/.", WASI_NOTDIR },
        { "a.txt/..", WASI_NOTDIR },
        { "in/", WASI_NOTDIR },
        { "b.txt", WASI_NOENT },
        { "none/deep", WASI_NOENT },
        { "none/../a.txt", WASI_NOENT },
        { "\xff", WASI_ILSEQ },
    };
    init();
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        int error = fd_open(TEST_FOLDER, table[i].path, 0, 0);
        CHECK_NOTE(error == table[i].error, "\"%s\": %d, not %d", table[i].path, error,
                   table[i].error);
    }
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("a.txt\0b"), 0, 0, 0, 0), WASI_INVAL);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("in"), 0, 0, 0, 0), WASI_LOOP);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("in"), WASI_OPEN_FOLDER, 0, 0, 0),
                 WASI_NOTDIR);
    CHECK_NUMBER(path_read_link(TEST_FOLDER, "out"), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("../a.txt"));
    CHECK_NUMBER(path_make_link(TEST_FOLDER, "/a.txt", "new"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_make_link(TEST_FOLDER, "", "new"), WASI_NOENT);
}

/* A folder opened further down is a root of its own. */
static void a_lower_folder_is_no_way_up(void)
{
    init();
    REQUIRE(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("folder"), WASI_OPEN_FOLDER,
                         WASI_RIGHTS_FOLDER, WASI_RIGHTS_ALL, 0) == WASI_SUCCESS);
    uint32_t fd = test_result();
    CHECK_NUMBER(fd_open(fd, "deep", 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(fd, "../a.txt", 0, 0), WASI_NOTCAPABLE);
    CHECK_NUMBER(fd_open(fd, "up", 0, 0), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_rename(fd, "../a.txt", fd, "b"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_rename(fd, "deep", fd, "../b"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_link(fd, 0, "deep", fd, "../b"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_unlink(fd, "../a.txt"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_make_folder(fd, "../b"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_remove_folder(fd, ".."), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_make_link(fd, "x", "../b"), WASI_NOTCAPABLE);
    CHECK_NUMBER(path_stat(fd, WASI_LOOKUP_FOLLOW, "up"), WASI_NOTCAPABLE);
    /* Removed while it is open, it holds nothing and takes nothing. */
    CHECK_NUMBER(path_unlink(fd, "deep"), WASI_SUCCESS);
    CHECK_NUMBER(path_unlink(fd, "up"), WASI_SUCCESS);
    CHECK_NUMBER(path_remove_folder(TEST_FOLDER, "folder"), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(fd, "new", WASI_OPEN_CREATE, 0), WASI_NOENT);
    CHECK_NUMBER(fd_open(fd, ".", 0, 0), WASI_NOENT);
    CHECK_NUMBER(WASI(FD_READDIR, fd, TEST_BYTES, 1000, 0, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(test_result(), 0);
}

static void long_names_and_paths(void)
{
    char path[PATH_SIZE_MAX + 2];
    init();
    memset(path, 'n', sizeof(path));
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, bytes_of(path, 255), WASI_OPEN_CREATE, 0, 0, 0),
                 WASI_SUCCESS);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, bytes_of(path, 256), WASI_OPEN_CREATE, 0, 0, 0),
                 WASI_NAMETOOLONG);
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 == 0 ? '.' : '/';
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, bytes_of(path, PATH_SIZE_MAX), 0, 0, 0, 0),
                 WASI_SUCCESS);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, bytes_of(path, PATH_SIZE_MAX + 1), 0, 0, 0, 0),
                 WASI_NAMETOOLONG);
}

/* Forty links are followed, one more is not. */
static void chains_of_links_end(void)
{
    char from[8] = "a.txt", to[8] = "l00";
    init();
    for (unsigned i = 0; i < LINK_HOPS_MAX + 1; i++) {
        to[1] = (char)('0' + i / 10);
        to[2] = (char)('0' + i % 10);
        CHECK_NUMBER(path_make_link(TEST_FOLDER, from, to), WASI_SUCCESS);
        memcpy(from, to, sizeof(from));
    }
    CHECK_NUMBER(fd_open(TEST_FOLDER, "l39", 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "l40", 0, 0), WASI_LOOP);
}

static void preopened_folders_tell_their_names(void)
{
    init();
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 3, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(load_u32(test_guest.memory + TEST_RESULT), 0);
    CHECK_NUMBER(load_u32(test_guest.memory + TEST_RESULT + 4), 1);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 4, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(load_u32(test_guest.memory + TEST_RESULT + 4), 5);
    CHECK_NUMBER(WASI(FD_PRESTAT_DIR_NAME, 4, TEST_BYTES, 4), WASI_NAMETOOLONG);
    CHECK_NUMBER(WASI(FD_PRESTAT_DIR_NAME, 4, TEST_BYTES, 100), WASI_SUCCESS);
    CHECK(memcmp(test_guest.memory + TEST_BYTES, "/data", 6) == 0);
    CHECK_NUMBER(WASI(FD_PRESTAT_DIR_NAME, 4, TEST_MEMORY_SIZE - 4, 5), WASI_FAULT);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 5, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 0, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(WASI(FD_FDSTAT_GET, 4, TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.memory[TEST_BYTES], WASI_FILE_FOLDER);
    CHECK_NUMBER(test_u64(TEST_BYTES + 8), WASI_RIGHTS_FOLDER);
    CHECK_NUMBER(test_u64(TEST_BYTES + 16), WASI_RIGHTS_ALL);
    /* None of this needed the scratch area. */
    CHECK_NUMBER(test_guest.control.scratch_size, 0);
    CHECK_NUMBER(fd_open(4, "table", 0, WASI_RIGHT_READ), WASI_SUCCESS);
    CHECK_NUMBER(fd_read_bytes(test_result(), 10), WASI_SUCCESS);
    CHECK_BYTES(test_bytes(), BYTES_LITERAL("second"));
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 5, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(WASI(FD_CLOSE, 3), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 3, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(fd_open(3, "a.txt", 0, 0), WASI_BADF);
    CHECK_NUMBER(WASI(FD_RENUMBER, 4, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 0, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 4, TEST_RESULT), WASI_BADF);
}

/* Without files: no preopened folder; with a scratch area alone: an empty one. */
static void what_exists_without_an_archive(void)
{
    test_guest_init("");
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 3, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(fd_open(3, "a", 0, 0), WASI_BADF);
    test_guest_init("");
    test_guest_files(NULL, 0, 65536);
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 3, TEST_RESULT), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_PRESTAT_DIR_NAME, 3, TEST_BYTES, 1), WASI_SUCCESS);
    CHECK_NUMBER(test_guest.memory[TEST_BYTES], '/');
    CHECK_NUMBER(WASI(FD_PRESTAT_GET, 4, TEST_RESULT), WASI_BADF);
    CHECK_NUMBER(fd_open(3, "a", WASI_OPEN_CREATE, 0), WASI_SUCCESS);
}

/* Every call answers ENOTCAPABLE when its right alone is missing. */
static void rights_are_asked_for(void)
{
    init();
#define LACKING(missing, call)                                                                     \
    do {                                                                                           \
        REQUIRE(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("."), 0,                                \
                             WASI_RIGHTS_FOLDER & ~(uint64_t)(missing), WASI_RIGHTS_ALL,           \
                             0) == WASI_SUCCESS);                                                  \
        uint32_t fd = test_result();                                                               \
        int error = (call);                                                                        \
        CHECK_NOTE(error == WASI_NOTCAPABLE, "%s: %d", #missing, error);                           \
        CHECK_NUMBER(WASI(FD_CLOSE, fd), WASI_SUCCESS);                                            \
    } while (0)
    LACKING(WASI_RIGHT_OPEN, fd_open(fd, "a.txt", 0, 0));
    LACKING(WASI_RIGHT_CREATE_FILE, fd_open(fd, "new", WASI_OPEN_CREATE, 0));
    LACKING(WASI_RIGHT_PATH_SIZE, fd_open(fd, "a.txt", WASI_OPEN_TRUNCATE, 0));
    LACKING(WASI_RIGHT_CREATE_FOLDER, path_make_folder(fd, "new"));
    LACKING(WASI_RIGHT_REMOVE_FOLDER, path_remove_folder(fd, "folder"));
    LACKING(WASI_RIGHT_UNLINK, path_unlink(fd, "a.txt"));
    LACKING(WASI_RIGHT_SYMLINK, path_make_link(fd, "x", "new"));
    LACKING(WASI_RIGHT_READLINK, path_read_link(fd, "in"));
    LACKING(WASI_RIGHT_RENAME_SOURCE, path_rename(fd, "a.txt", TEST_FOLDER, "new"));
    LACKING(WASI_RIGHT_RENAME_TARGET, path_rename(TEST_FOLDER, "a.txt", fd, "new"));
    LACKING(WASI_RIGHT_LINK_SOURCE, path_link(fd, 0, "a.txt", TEST_FOLDER, "new"));
    LACKING(WASI_RIGHT_LINK_TARGET, path_link(TEST_FOLDER, 0, "a.txt", fd, "new"));
    LACKING(WASI_RIGHT_PATH_FILESTAT, path_stat(fd, 0, "a.txt"));
    LACKING(WASI_RIGHT_PATH_TIMES, WASI(PATH_FILESTAT_SET_TIMES, fd, 0, 1000, 1, 0, 0, 0));
    LACKING(WASI_RIGHT_READDIR, WASI(FD_READDIR, fd, TEST_BYTES, 100, 0, TEST_RESULT));
    LACKING(WASI_RIGHT_FILESTAT, WASI(FD_FILESTAT_GET, fd, TEST_BYTES));
#undef LACKING
}

static void rights_are_inherited_and_given_up(void)
{
    const uint64_t reads = WASI_RIGHT_READ | WASI_RIGHT_SEEK;
    init();
    /* What is opened below can't have more than the folder hands on. */
    REQUIRE(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("."), 0, WASI_RIGHTS_FOLDER, reads, 0) ==
            WASI_SUCCESS);
    uint32_t folder = test_result();
    CHECK_NUMBER(fd_open(folder, "a.txt", 0, WASI_RIGHT_WRITE), WASI_NOTCAPABLE);
    CHECK_NUMBER(fd_open_with(folder, 0, BYTES_LITERAL("a.txt"), 0, 0, WASI_RIGHT_WRITE, 0),
                 WASI_NOTCAPABLE);
    CHECK_NUMBER(fd_open_with(folder, 0, BYTES_LITERAL("a.txt"), 0, 0, 0, WASI_FD_SYNC),
                 WASI_NOTCAPABLE);
    REQUIRE(fd_open(folder, "a.txt", 0, reads) == WASI_SUCCESS);
    uint32_t fd = test_result();
    CHECK_NUMBER(fd_write_text(fd, "x"), WASI_NOTCAPABLE);
    CHECK_NUMBER(fd_read_bytes(fd, 2), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, fd, WASI_RIGHT_SEEK, 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_read_bytes(fd, 2), WASI_NOTCAPABLE);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, fd, reads, 0), WASI_NOTCAPABLE);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, fd, 0, WASI_RIGHT_READ), WASI_NOTCAPABLE);
    CHECK_NUMBER(WASI(FD_FDSTAT_SET_RIGHTS, fd, 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_SEEK, fd, 0, 1, TEST_RESULT), WASI_NOTCAPABLE);
    /* Rights that can't apply to what was opened are left out. */
    REQUIRE(fd_open(TEST_FOLDER, "folder", 0, WASI_RIGHT_SEEK | WASI_RIGHT_READDIR) ==
            WASI_SUCCESS);
    CHECK_NUMBER(WASI(FD_FDSTAT_GET, test_result(), TEST_BYTES), WASI_SUCCESS);
    CHECK_NUMBER(test_u64(TEST_BYTES + 8), WASI_RIGHT_READDIR);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "folder", 0, WASI_RIGHT_WRITE), WASI_ISDIR);
}

static void flags_are_checked(void)
{
    init();
    CHECK_NUMBER(fd_open(TEST_FOLDER, "a.txt", 16, 0), WASI_INVAL);
    CHECK_NUMBER(fd_open(TEST_FOLDER, "x", WASI_OPEN_CREATE | WASI_OPEN_FOLDER, 0), WASI_INVAL);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 2, BYTES_LITERAL("a.txt"), 0, 0, 0, 0), WASI_INVAL);
    CHECK_NUMBER(fd_open_with(TEST_FOLDER, 0, BYTES_LITERAL("a.txt"), 0, 0, 0, 32), WASI_INVAL);
    CHECK_NUMBER(path_stat(TEST_FOLDER, 2, "a.txt"), WASI_INVAL);
    CHECK_NUMBER(path_link(TEST_FOLDER, 2, "a.txt", TEST_FOLDER, "x"), WASI_INVAL);
    CHECK_NUMBER(path_link(TEST_FOLDER, 0, "folder", TEST_FOLDER, "x"), WASI_PERM);
    CHECK_NUMBER(path_link(TEST_FOLDER, 0, "a.txt", TEST_FOLDER, "x/"), WASI_NOENT);
    CHECK_NUMBER(path_link(TEST_FOLDER, 0, "a.txt", TEST_FOLDER, "in"), WASI_EXIST);
    CHECK_NUMBER(path_rename(TEST_FOLDER, "folder", TEST_FOLDER, "folder/x"), WASI_INVAL);
    CHECK_NUMBER(path_rename(TEST_FOLDER, "folder/", TEST_FOLDER, "other/"), WASI_SUCCESS);
    CHECK_NUMBER(path_rename(TEST_FOLDER, "other", 4, "moved"), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(4, "moved/deep", 0, 0), WASI_SUCCESS);
    CHECK_NUMBER(fd_open(0, "a.txt", 0, 0), WASI_NOTDIR);
    CHECK_NUMBER(fd_open(99, "a.txt", 0, 0), WASI_BADF);
    CHECK_NUMBER(fd_open(UINT32_MAX, "a.txt", 0, 0), WASI_BADF);
}

static const struct test tests[] = {
    TEST(paths_stay_below_their_folder),
    TEST(a_lower_folder_is_no_way_up),
    TEST(long_names_and_paths),
    TEST(chains_of_links_end),
    TEST(preopened_folders_tell_their_names),
    TEST(what_exists_without_an_archive),
    TEST(rights_are_asked_for),
    TEST(rights_are_inherited_and_given_up),
    TEST(flags_are_checked),
};
TEST_MAIN(tests)
