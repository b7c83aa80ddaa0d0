/* SPDX-License-Identifier: Apache-2.0 */
/* The file system against the kernel's own: random operations on both, which must give the same
 * errors, contents and names. */
#include "guest/memory.h"
#include "guest/test_paths.h"
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FILES_OPEN_MAX = 6,
    ROUNDS = 100,
    STEPS = 600
};

/* What an archive brings, made on the host too. */
static const struct test_file rows[] = {
    { FILES_FOLDER, 0, "/", NULL },         { FILES_REGULAR, 0, "a", "content of a" },
    { FILES_FOLDER, 0, "b", NULL },         { FILES_LINK, 0, "c", "b/e" },
    { FILES_FOLDER, 0, "d", NULL },         { FILES_REGULAR, 2, "a", "inner" },
    { FILES_FOLDER, 2, "e", NULL },         { FILES_LINK, 4, "b", "../b" },
    { FILES_REGULAR, 6, "f", "deep file" },
};

static struct {
    uint64_t random;
    int root; /* the host's */
    char folder[256];
    uint32_t guest_fd[FILES_OPEN_MAX]; /* 0: free */
    int host_fd[FILES_OPEN_MAX];
    const char *what; /* the present step */
    char path[64], other[64];
} model;

static unsigned any(unsigned count)
{
    return (unsigned)(test_random(&model.random) % count);
}

static int wasi_of(int number)
{
    static const int table[][2] = {
        { 0, WASI_SUCCESS },      { ENOENT, WASI_NOENT },       { EEXIST, WASI_EXIST },
        { ENOTDIR, WASI_NOTDIR }, { EISDIR, WASI_ISDIR },       { EINVAL, WASI_INVAL },
        { EBUSY, WASI_BUSY },     { ENOTEMPTY, WASI_NOTEMPTY }, { ELOOP, WASI_LOOP },
        { EPERM, WASI_PERM },     { EXDEV, WASI_NOTCAPABLE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (table[i][0] == number)
            return table[i][1];
    return -number;
}

/* A short path of few names, so that steps meet each other; never above the folder. */
static void path_make(char path[64])
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "." };
    unsigned count = 1 + any(3), size = 0;
    for (unsigned i = 0; i < count; i++) {
        bool goes_on = i + 1 < count || any(10) == 0;
        const char *name = names[any(i == 0 ? 6 : 7)];
        const char *up = i > 0 && any(8) == 0 ? "/.." : "";
        const char *slashes = !goes_on ? "" : any(10) == 0 ? "//" : "/";
        size += (unsigned)snprintf(path + size, 64 - size, "%s%s%s", name, up, slashes);
    }
}

/* Whether the path leaves its folder, by links too: the kernel's own word, without going there. */
static bool escapes(const char *path, bool follows)
{
    struct open_how how = { .flags = O_PATH | (follows ? 0 : O_NOFOLLOW),
                            .resolve = RESOLVE_BENEATH };
    long fd = syscall(SYS_openat2, model.root, path, &how, sizeof(how));
    if (fd >= 0)
        close((int)fd);
    return fd < 0 && errno == EXDEV;
}

static void agree(int ours, int theirs)
{
    CHECK_NOTE(ours == theirs, "%s %s %s: ours %d, theirs %d", model.what, model.path, model.other,
               ours, theirs);
}

static int host_result(int result)
{
    return result >= 0 ? WASI_SUCCESS : wasi_of(errno);
}

static void step_open(void)
{
    static const struct {
        uint32_t ours;
        int theirs;
    } flags[] = { { WASI_OPEN_CREATE, O_CREAT },
                  { WASI_OPEN_TRUNCATE, O_TRUNC },
                  { WASI_OPEN_EXCLUSIVE, O_EXCL } };
    unsigned slot = any(FILES_OPEN_MAX);
    uint32_t guest_flags = 0;
    int host_flags = O_RDWR;
    bool follows = any(3) > 0;
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        if (any(3) != 0 || (flags[i].theirs == O_EXCL && (host_flags & O_CREAT) == 0))
            continue;
        guest_flags |= flags[i].ours;
        host_flags |= flags[i].theirs;
    }
    path_make(model.path);
    if (model.guest_fd[slot] != 0)
        return;
    int ours = fd_open_with(TEST_FOLDER, follows ? WASI_LOOKUP_FOLLOW : 0,
                            bytes_of_string(model.path), guest_flags,
                            WASI_RIGHT_READ | WASI_RIGHT_WRITE | WASI_RIGHT_SEEK | WASI_RIGHT_SIZE |
                                WASI_RIGHT_FILESTAT,
                            0, 0);
    /* Making a file looks at a slash behind the end, or at what is there, before it follows. */
    bool makes = (host_flags & O_CREAT) != 0;
    if (escapes(model.path, follows && (host_flags & O_EXCL) == 0)) {
        if (!makes || ours != WASI_ISDIR)
            agree(ours, WASI_NOTCAPABLE);
        return;
    }
    int theirs = openat(model.root, model.path, host_flags | (follows ? 0 : O_NOFOLLOW), 0644);
    agree(ours, host_result(theirs));
    if (ours == WASI_SUCCESS && theirs >= 0) {
        model.guest_fd[slot] = test_result();
        model.host_fd[slot] = theirs;
    } else if (theirs >= 0) {
        close(theirs);
    }
}

static void step_close(void)
{
    unsigned slot = any(FILES_OPEN_MAX);
    if (model.guest_fd[slot] == 0)
        return;
    CHECK_NUMBER(WASI(FD_CLOSE, model.guest_fd[slot]), WASI_SUCCESS);
    close(model.host_fd[slot]);
    model.guest_fd[slot] = 0;
}

static void step_write(void)
{
    char text[6000];
    unsigned slot = any(FILES_OPEN_MAX), size = any(any(4) == 0 ? sizeof(text) : 40);
    if (model.guest_fd[slot] == 0)
        return;
    memset(text, 'a' + (int)any(26), size);
    text[size] = '\0';
    uint64_t offset = any(any(4) == 0 ? 60000 : 100);
    if (any(2) == 0) {
        CHECK_NUMBER(fd_write_text(model.guest_fd[slot], text), WASI_SUCCESS);
        CHECK_NUMBER(write(model.host_fd[slot], text, size), size);
    } else {
        CHECK_NUMBER(fd_pwrite_text(model.guest_fd[slot], text, offset), WASI_SUCCESS);
        CHECK_NUMBER(pwrite(model.host_fd[slot], text, size, (off_t)offset), size);
    }
    CHECK_NUMBER(test_result(), size);
}

static void step_read(void)
{
    uint8_t bytes[10000];
    unsigned slot = any(FILES_OPEN_MAX), size = any(sizeof(bytes));
    if (model.guest_fd[slot] == 0)
        return;
    uint64_t offset = any(any(4) == 0 ? 60000 : 100);
    ssize_t got;
    if (any(2) == 0) {
        CHECK_NUMBER(fd_read_bytes(model.guest_fd[slot], size), WASI_SUCCESS);
        got = read(model.host_fd[slot], bytes, size);
    } else {
        CHECK_NUMBER(fd_pread_bytes(model.guest_fd[slot], size, offset), WASI_SUCCESS);
        got = pread(model.host_fd[slot], bytes, size, (off_t)offset);
    }
    CHECK_BYTES(test_bytes(), bytes_of(bytes, (size_t)got));
}

static void step_seek_or_resize(void)
{
    unsigned slot = any(FILES_OPEN_MAX), whence = any(3);
    int64_t distance = (int64_t)any(200) - 100;
    if (model.guest_fd[slot] == 0)
        return;
    if (any(3) == 0) {
        uint64_t size = any(any(3) == 0 ? 50000 : 60);
        CHECK_NUMBER(WASI(FD_FILESTAT_SET_SIZE, model.guest_fd[slot], size), WASI_SUCCESS);
        CHECK_NUMBER(ftruncate(model.host_fd[slot], (off_t)size), 0);
        return;
    }
    int ours = WASI(FD_SEEK, model.guest_fd[slot], (uint64_t)distance, whence, TEST_RESULT);
    off_t at = lseek(model.host_fd[slot], distance, (int)whence);
    agree(ours, host_result((int)MIN(at, 0)));
    if (at >= 0)
        CHECK_NUMBER(test_u64(TEST_RESULT), at);
}

static void step_names(void)
{
    path_make(model.path);
    path_make(model.other);
    if (escapes(model.path, false) || escapes(model.other, false))
        return;
    switch (any(6)) {
    case 0:
        model.what = "mkdir";
        agree(path_make_folder(TEST_FOLDER, model.path),
              host_result(mkdirat(model.root, model.path, 0755)));
        break;
    case 1:
        model.what = "rmdir";
        agree(path_remove_folder(TEST_FOLDER, model.path),
              host_result(unlinkat(model.root, model.path, AT_REMOVEDIR)));
        break;
    case 2:
        model.what = "unlink";
        agree(path_unlink(TEST_FOLDER, model.path),
              host_result(unlinkat(model.root, model.path, 0)));
        break;
    case 3:
        model.what = "rename";
        agree(path_rename(TEST_FOLDER, model.path, TEST_FOLDER, model.other),
              host_result(renameat(model.root, model.path, model.root, model.other)));
        break;
    case 4:
        model.what = "link";
        agree(path_link(TEST_FOLDER, 0, model.path, TEST_FOLDER, model.other),
              host_result(linkat(model.root, model.path, model.root, model.other, 0)));
        break;
    default:
        model.what = "symlink";
        agree(path_make_link(TEST_FOLDER, model.path, model.other),
              host_result(symlinkat(model.path, model.root, model.other)));
        break;
    }
}

static int type_of(mode_t mode)
{
    return S_ISDIR(mode) ? WASI_FILE_FOLDER : S_ISLNK(mode) ? WASI_FILE_LINK : WASI_FILE_REGULAR;
}

static void step_look(void)
{
    struct stat status;
    char target[4096];
    bool follows = any(2) == 0;
    path_make(model.path);
    if (escapes(model.path, true))
        return;
    int ours = path_stat(TEST_FOLDER, follows ? WASI_LOOKUP_FOLLOW : 0, model.path);
    int theirs = fstatat(model.root, model.path, &status, follows ? 0 : AT_SYMLINK_NOFOLLOW);
    model.what = "stat";
    agree(ours, host_result(theirs));
    if (theirs == 0 && ours == WASI_SUCCESS) {
        CHECK_NUMBER(test_guest.memory[TEST_BYTES + 16], type_of(status.st_mode));
        if (!S_ISDIR(status.st_mode)) {
            CHECK_NUMBER(test_u64(TEST_BYTES + 24), status.st_nlink);
            CHECK_NUMBER(test_u64(TEST_BYTES + 32), status.st_size);
        }
    }
    model.what = "readlink";
    ssize_t size = readlinkat(model.root, model.path, target, sizeof(target));
    ours = path_read_link(TEST_FOLDER, model.path);
    agree(ours, host_result((int)MIN(size, 0)));
    if (size >= 0)
        CHECK_BYTES(test_bytes(), bytes_of(target, (size_t)size));
}

/* Whether the guest's folder holds the name, by its list. */
static bool lists(struct bytes list, const char *name, unsigned *count)
{
    bool found = false;
    *count = 0;
    for (size_t at = 0; at + WASI_DIRENT_SIZE <= list.size;) {
        uint32_t size = load_u32(list.data + at + 16);
        struct bytes row = bytes_part(list, at + WASI_DIRENT_SIZE, size);
        found = found || bytes_equal_string(row, name);
        ++*count;
        at += WASI_DIRENT_SIZE + size;
    }
    return found;
}

static void step_list(void)
{
    path_make(model.path);
    model.what = "list";
    if (escapes(model.path, true))
        return;
    int ours = fd_open(TEST_FOLDER, model.path, WASI_OPEN_FOLDER, WASI_RIGHT_READDIR);
    int theirs = openat(model.root, model.path, O_RDONLY | O_DIRECTORY);
    agree(ours, host_result(theirs));
    if (ours != WASI_SUCCESS || theirs < 0) {
        if (theirs >= 0)
            close(theirs);
        return;
    }
    uint32_t fd = test_result();
    unsigned count = 0, expected = 0;
    CHECK_NUMBER(WASI(FD_READDIR, fd, TEST_BYTES, TEST_BYTES_MAX, 0, TEST_RESULT), WASI_SUCCESS);
    DIR *folder = fdopendir(theirs);
    for (const struct dirent *row; (row = readdir(folder)) != NULL; expected++)
        CHECK_NOTE(lists(test_bytes(), row->d_name, &count), "%s in %s", row->d_name, model.path);
    CHECK_NUMBER(count, expected);
    closedir(folder);
    CHECK_NUMBER(WASI(FD_CLOSE, fd), WASI_SUCCESS);
}

static void host_fill(void)
{
    char paths[ARRAY_COUNT(rows)][64] = { "" };
    snprintf(model.folder, sizeof(model.folder), "%s/%u", test_folder(), any(1u << 30));
    CHECK(mkdir(model.folder, 0755) == 0);
    model.root = open(model.folder, O_RDONLY | O_DIRECTORY);
    for (size_t i = 1; i < ARRAY_COUNT(rows); i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s%s%s", paths[rows[i].parent],
                 rows[i].parent == 0 ? "" : "/", rows[i].name);
        if (rows[i].kind == FILES_FOLDER) {
            CHECK(mkdirat(model.root, paths[i], 0755) == 0);
        } else if (rows[i].kind == FILES_LINK) {
            CHECK(symlinkat(rows[i].data, model.root, paths[i]) == 0);
        } else {
            int file = openat(model.root, paths[i], O_CREAT | O_WRONLY, 0644);
            size_t size = strlen(rows[i].data);
            CHECK(write(file, rows[i].data, size) == (ssize_t)size);
            close(file);
        }
    }
}

static void round_run(uint64_t seed)
{
    model.random = seed * 0x9e3779b97f4a7c15u + 1;
    test_guest_init("");
    test_guest_files(rows, ARRAY_COUNT(rows), 8 << 20);
    host_fill();
    for (unsigned step = 0; step < STEPS; step++) {
        static void (*const steps[])(
            void) = { step_open,           step_open,  step_close, step_write, step_read,
                      step_seek_or_resize, step_names, step_names, step_look,  step_list };
        model.what = "open or file";
        model.other[0] = '\0';
        steps[any(ARRAY_COUNT(steps))]();
    }
    for (unsigned i = 0; i < FILES_OPEN_MAX; i++) {
        if (model.guest_fd[i] != 0)
            close(model.host_fd[i]);
        model.guest_fd[i] = 0;
    }
    close(model.root);
}

static void does_what_the_kernel_does(void)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        round_run(i);
}

static const struct test tests[] = { TEST(does_what_the_kernel_does) };
TEST_MAIN(tests)
