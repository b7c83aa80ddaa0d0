/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test_paths.h"

#include "guest/memory.h"

#include <string.h>

enum {
    FIRST_PATH = 1000,
    SECOND_PATH = 8000
};

static uint64_t put(uint32_t address, struct bytes bytes)
{
    ASSERT(bytes.size <= SECOND_PATH - FIRST_PATH);
    if (bytes.size > 0)
        memcpy(test_guest.memory + address, bytes.data, bytes.size);
    return bytes.size;
}

static uint64_t put_path(uint32_t address, const char *path)
{
    return put(address, bytes_of_string(path));
}

uint32_t test_result(void)
{
    return load_u32(test_guest.memory + TEST_RESULT);
}

uint64_t test_u64(uint32_t address)
{
    return load_u64(test_guest.memory + address);
}

struct bytes test_bytes(void)
{
    return bytes_of(test_guest.memory + TEST_BYTES, test_result());
}

int fd_open_with(uint32_t folder, uint32_t lookup, struct bytes path, uint32_t flags,
                 uint64_t rights, uint64_t inheriting, uint32_t fd_flags)
{
    uint64_t size = put(FIRST_PATH, path);
    return WASI(PATH_OPEN, folder, lookup, FIRST_PATH, size, flags, rights, inheriting, fd_flags,
                TEST_RESULT);
}

int fd_open(uint32_t folder, const char *path, uint32_t flags, uint64_t rights)
{
    return fd_open_with(folder, WASI_LOOKUP_FOLLOW, bytes_of_string(path), flags, rights, 0, 0);
}

static void put_list(uint32_t size)
{
    store_u32(test_guest.memory + TEST_LIST, TEST_BYTES);
    store_u32(test_guest.memory + TEST_LIST + 4, size);
}

static void put_text(const char *text)
{
    size_t size = strlen(text);
    memcpy(test_guest.memory + TEST_BYTES, text, size);
    put_list((uint32_t)size);
}

int fd_write_text(uint32_t fd, const char *text)
{
    put_text(text);
    return WASI(FD_WRITE, fd, TEST_LIST, 1, TEST_RESULT);
}

int fd_pwrite_text(uint32_t fd, const char *text, uint64_t offset)
{
    put_text(text);
    return WASI(FD_PWRITE, fd, TEST_LIST, 1, offset, TEST_RESULT);
}

int fd_read_bytes(uint32_t fd, uint32_t size)
{
    put_list(size);
    return WASI(FD_READ, fd, TEST_LIST, 1, TEST_RESULT);
}

int fd_pread_bytes(uint32_t fd, uint32_t size, uint64_t offset)
{
    put_list(size);
    return WASI(FD_PREAD, fd, TEST_LIST, 1, offset, TEST_RESULT);
}

int path_make_folder(uint32_t folder, const char *path)
{
    return WASI(PATH_CREATE_DIRECTORY, folder, FIRST_PATH, put_path(FIRST_PATH, path));
}

int path_remove_folder(uint32_t folder, const char *path)
{
    return WASI(PATH_REMOVE_DIRECTORY, folder, FIRST_PATH, put_path(FIRST_PATH, path));
}

int path_unlink(uint32_t folder, const char *path)
{
    return WASI(PATH_UNLINK_FILE, folder, FIRST_PATH, put_path(FIRST_PATH, path));
}

int path_make_link(uint32_t folder, const char *target, const char *path)
{
    uint64_t target_size = put_path(FIRST_PATH, target), size = put_path(SECOND_PATH, path);
    return WASI(PATH_SYMLINK, FIRST_PATH, target_size, folder, SECOND_PATH, size);
}

int path_rename(uint32_t from_folder, const char *from, uint32_t to_folder, const char *to)
{
    uint64_t from_size = put_path(FIRST_PATH, from), to_size = put_path(SECOND_PATH, to);
    return WASI(PATH_RENAME, from_folder, FIRST_PATH, from_size, to_folder, SECOND_PATH, to_size);
}

int path_link(uint32_t from_folder, uint32_t lookup, const char *from, uint32_t to_folder,
              const char *to)
{
    uint64_t from_size = put_path(FIRST_PATH, from), to_size = put_path(SECOND_PATH, to);
    return WASI(PATH_LINK, from_folder, lookup, FIRST_PATH, from_size, to_folder, SECOND_PATH,
                to_size);
}

int path_read_link(uint32_t folder, const char *path)
{
    uint64_t size = put_path(FIRST_PATH, path);
    return WASI(PATH_READLINK, folder, FIRST_PATH, size, TEST_BYTES, 4096, TEST_RESULT);
}

int path_stat(uint32_t folder, uint32_t lookup, const char *path)
{
    uint64_t size = put_path(FIRST_PATH, path);
    return WASI(PATH_FILESTAT_GET, folder, lookup, FIRST_PATH, size, TEST_BYTES);
}
